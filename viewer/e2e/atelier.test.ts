import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { base, launch } from './browser';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const demo = process.env.DEMO_JSON;

/** A whole mapping session, from the mediator's desk to the report. */
describe.skipIf(!demo)('a mapping session', () => {
  let browser: Browser;
  let mediator: Page;
  let code = '';
  const people: BrowserContext[] = [];

  beforeAll(async () => {
    browser = await launch();
    mediator = await (await browser.newContext({ locale: 'fr-FR' })).newPage();
    const { login, password } = JSON.parse(readFileSync(demo!, 'utf8'));
    await mediator.goto(base + '/connexion');
    await mediator.fill('[name=login]', login);
    await mediator.fill('[name=password]', password);
    await press(mediator, '[name=password]', 'Enter');
  });
  afterAll(() => browser.close());

  async function press(page: Page, selector: string, key?: string): Promise<void> {
    await Promise.all([page.waitForNavigation(), key ? page.press(selector, key) : page.click(selector)]);
  }

  async function person(options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
    const context = await browser.newContext({ locale: 'fr-FR', ...options });
    people.push(context);
    return context.newPage();
  }

  /** Types the code and takes a seat. */
  async function join(page: Page): Promise<void> {
    await page.goto(base + '/atelier');
    await page.fill('[name=code]', code.toLowerCase().replace(/^(...)/, '$1 '));
    await press(page, 'main form[method=get] button');
    await press(page, 'main form[method=post] button');
  }

  async function violations(page: Page): Promise<string[]> {
    await page.evaluate(axe);
    return page.evaluate(async () => {
      const { axe } = window as unknown as {
        axe: {
          run(c: Document, o: unknown): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>;
        };
      };
      const found = await axe.run(document, {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
      });
      return found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 160)).join(' | ')}`);
    });
  }

  it('is prepared, seen before it is created, and opened within twelve clicks', async () => {
    await mediator.goto(base + '/atelier?lg=fr');
    await press(mediator, 'a[href^="/atelier/nouveau"]'); // 1
    await mediator.fill('[name=titre]', 'Les fontaines du centre ancien'); // 2
    await mediator.check('[name=theme] >> nth=0'); // 3
    await press(mediator, 'button[value=voir]'); // 4
    expect(await mediator.textContent('.est .note')).toMatch(/\d+ questions/);
    expect(await mediator.locator('.mapbox svg .cell').count()).toBeGreaterThan(1);
    expect(await mediator.locator('.est tbody tr').count()).toBeGreaterThanOrEqual(10);
    await press(mediator, 'button[value=creer]'); // 5
    expect(mediator.url()).toMatch(/\/atelier\/[2-9A-HJKMNP-Z]{6}\/conduite/);
    code = /atelier\/(\w{6})/.exec(mediator.url())![1]!;
    await press(mediator, 'form[action$="/ouvrir?lg=fr"] button'); // 6
    expect((await mediator.textContent('.code'))!.replace(/\s/g, '')).toBe(code);
    expect(await mediator.locator('.jn svg.qr').count()).toBe(1);
  });

  it('is joined without script in two taps after the code, and answered within six actions', async () => {
    const page = await person({ javaScriptEnabled: false, viewport: { width: 390, height: 844 } });
    await join(page);
    expect(await page.textContent('.seat')).toMatch(/\S+ \d+/);
    await press(page, '.an button >> nth=0'); // the trial
    expect(await page.textContent('main h1')).toMatch(/\?/);
    expect(await page.textContent('main')).not.toMatch(/workshop\.|pages\./);
    expect(await page.locator('.mapbox svg .m-r').count()).toBe(1);
    const asked = await page.textContent('main h1');
    await press(page, '.sites');
    expect(await page.textContent('main h1')).toBe(asked);
    expect(await page.getAttribute('.sites', 'aria-checked')).toBe('true');
    await press(page, '.an button >> nth=0');
    expect(await page.textContent('[role=status].note')).toBeTruthy();
    expect(await page.textContent('main h1')).not.toBe(asked);
    // A mistake is taken back, its question comes again.
    await press(page, 'form[action*="/annuler"] button');
    expect(await page.textContent('main h1')).toBe(asked);
    await press(page, '.an button >> nth=2');
  });

  it('tells the board of an answer within two seconds, and the board shows it', async () => {
    await mediator.goto(`${base}/atelier/${code}/conduite?lg=fr`);
    const before = await mediator.textContent('.gp-l h2 span:last-child');
    const page = await person();
    await join(page);
    await press(page, '.an button >> nth=0');
    await mediator.evaluate((events) => {
      const heard = new EventSource(events);
      heard.onmessage = () => (document.title = String(Date.now()));
      return new Promise((done) => (heard.onopen = done));
    }, `/atelier/${code}/evenements`);
    const kept = page.waitForResponse((r) => r.url().includes('/reponse'));
    await page.keyboard.press('1'); // the key of the first answer
    await kept;
    const acknowledged = Date.now();
    await mediator.waitForFunction(
      (was) => document.querySelector('.gp-l h2 span:last-child')?.textContent !== was,
      before,
      { timeout: 10000 },
    );
    expect(Number(await mediator.title()) - acknowledged).toBeLessThan(2000);
  });

  it('gives no two people the same question', async () => {
    const pages = await Promise.all([person(), person(), person()]);
    const asked: string[] = [];
    for (const page of pages) {
      await join(page);
      await press(page, '.an button >> nth=3');
      asked.push((await page.getAttribute('form[data-question]', 'data-question'))!);
    }
    expect(new Set(asked).size).toBe(asked.length);
  });

  it('takes a browser back to its seat', async () => {
    const page = await people[0]!.newPage();
    await page.goto(`${base}/atelier/${code}`);
    expect(await page.locator('form[data-question]').count()).toBe(1);
  });

  it('enters a sheet by one key a line', async () => {
    await mediator.goto(`${base}/atelier/${code}/conduite/saisie?feuille=3&lg=fr`);
    const lines = mediator.locator('input.k');
    expect(await lines.count()).toBeGreaterThanOrEqual(5);
    await lines.nth(0).fill('1');
    await lines.nth(1).fill('3');
    await press(mediator, 'form[data-sheet] button');
    expect(await mediator.textContent('[role=status]')).toMatch(/2/);
  });

  it('prints sheets whose scale is true to half a percent', async () => {
    await mediator.goto(`${base}/atelier/${code}/feuilles?lg=fr`);
    expect(await mediator.locator('section.a4').count()).toBeGreaterThan(2);
    const bar = await mediator
      .locator('svg.bar3')
      .first()
      .evaluate((svg) => ({
        metres: Number((svg as SVGElement).dataset.metres),
        width: [...svg.querySelectorAll('rect')].reduce((w, r) => w + r.getBoundingClientRect().width, 0),
      }));
    const scale = Number(
      (await mediator.textContent('.sd svg.bar3 + p'))!.replace(/.*1:/, '').replace(/\D/g, ''),
    );
    expect(Math.abs((bar.width / 96) * 0.0254 * scale - bar.metres) / bar.metres).toBeLessThan(0.005);
  });

  it('answers a wrong code by a sentence', async () => {
    const page = await person();
    const answer = await page.goto(base + '/atelier/ABCDEF?lg=fr');
    expect(answer!.status()).toBe(404);
    expect(await page.textContent('[role=alert]')).toMatch(/code/);
  });

  it('has pages without violations, at any width', async () => {
    const page = await people[1]!.newPage();
    const visits: [Page, string][] = [
      [page, '/atelier'],
      [page, `/atelier/${code}`],
      [page, `/atelier/${code}?liste=1`],
      [page, `/atelier/${code}/projecteur`],
      [mediator, '/atelier/nouveau'],
      [mediator, `/atelier/${code}/conduite`],
      [mediator, `/atelier/${code}/feuilles`],
      [mediator, `/atelier/${code}/conduite/saisie`],
      [mediator, `/atelier/${code}/rapport`],
    ];
    const faults: string[] = [];
    for (const [p, path] of visits)
      for (const lang of ['fr', 'en', 'it']) {
        await p.setViewportSize({ width: lang === 'en' ? 390 : 1366, height: 768 });
        await p.goto(`${base}${path}${path.includes('?') ? '&' : '?'}lg=${lang}`);
        faults.push(...(await violations(p)).map((v) => `${path} ${lang}: ${v}`));
      }
    expect(faults).toEqual([]);
  }, 180000);

  it('is closed, and reported to whoever has the address', async () => {
    await mediator.goto(`${base}/atelier/${code}/conduite?lg=fr`);
    await press(mediator, '#terminer button');
    const page = await person();
    const answer = await page.goto(`${base}/atelier/${code}/rapport?lg=fr`);
    expect(answer!.status()).toBe(200);
    expect(await page.textContent('.kn')).toMatch(/sur \d+/);
    expect((await page.goto(`${base}/atelier/${code}`))!.status()).toBe(404);
    const csv = await page.request.get(`${base}/atelier/${code}/rapport.csv`);
    expect(await csv.text()).toMatch(/^\uFEFFnumber;cell;/);
  });
});
