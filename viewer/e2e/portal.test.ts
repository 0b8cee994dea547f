import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { violations } from './axe';
import { base, launch, visit } from './browser';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const pages = [
  '/',
  '/donnees',
  '/donnees?q=fontaine',
  '/donnees?q=zzzz',
  '/donnees/points-eau',
  '/donnees/indice-air',
  '/themes/environnement',
  '/producteurs/crige',
  '/accessibilite',
  '/donnees-personnelles',
  '/specialistes',
];

const sideways = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth > innerWidth);

/** Tabs on until what has the focus matches. */
async function tabTo(page: Page, selector: string, most = 90): Promise<void> {
  for (let i = 0; i < most; i++) {
    await page.keyboard.press('Tab');
    if (await page.evaluate((s) => document.activeElement?.matches(s) ?? false, selector)) return;
  }
  throw new Error(`Tab does not reach ${selector}`);
}

describe('the portal', () => {
  for (const lang of ['fr', 'en', 'it'])
    for (const [width, height] of [
      [1366, 768],
      [390, 844],
    ])
      it(`has no axe violation, other host or policy violation: ${lang} at ${width}`, async () => {
        for (const path of pages) {
          const asked = path + (path.includes('?') ? '&' : '?') + `lg=${lang}`;
          const v = await visit(browser, asked, { viewport: { width, height }, settle: false });
          await v.page.evaluate(() => document.querySelectorAll('details').forEach((d) => (d.open = true)));
          expect(await violations(v.page), asked).toEqual([]);
          expect(await sideways(v.page), `${asked} scrolls sideways`).toBe(false);
          expect(await v.page.getAttribute('html', 'lang')).toBe(lang);
          expect(v.faults, asked).toEqual([]);
          await v.close();
        }
      }, 240000);

  it('does not scroll sideways at 320 pixels, which is 400 % of 1280, and reads in the dark', async () => {
    for (const path of pages) {
      const v = await visit(browser, path, {
        viewport: { width: 320, height: 640 },
        colorScheme: 'dark',
        settle: false,
      });
      expect(await sideways(v.page), path).toBe(false);
      expect(await violations(v.page), path).toEqual([]);
      await v.close();
    }
  }, 240000);

  it('gives every target 44 pixels', async () => {
    for (const [width, path] of [
      [1366, '/donnees'],
      [390, '/donnees'],
      [390, '/donnees/points-eau'],
      [390, '/'],
    ] as const) {
      const v = await visit(browser, path, { viewport: { width, height: 844 }, settle: false });
      const small = await v.page.evaluate(() =>
        [
          ...document.querySelectorAll<HTMLElement>(
            'a, button, select, summary, label.fk, input:not([type=hidden])',
          ),
        ]
          // Links inside a sentence are as high as their line, and what is not seen is no target.
          .filter(
            (e) => !e.closest('.lead, .md, .skip, p:not(.row), .none > p, .facts dd') && e.checkVisibility(),
          )
          .filter((e) => !e.matches('.skip, .vh, .fk input'))
          .filter((e) => e.getBoundingClientRect().height < 43.5)
          .map((e) => e.outerHTML.slice(0, 100)),
      );
      expect(small, `${path} at ${width}`).toEqual([]);
      await v.close();
    }
  });

  it('leads from the words of a citizen to a file, without a script', async () => {
    const v = await visit(browser, '/', { javaScriptEnabled: false, viewport: { width: 390, height: 844 } });
    await v.page.fill('#q', 'fontaine');
    await v.page.keyboard.press('Enter');
    await v.page.waitForURL('**/donnees?q=fontaine*');
    expect(await v.page.textContent('[role=status]')).toMatch(/pour «.fontaine.»/);
    await v.page.click('.res h3 a');
    expect(await v.page.textContent('h1')).toContain('Fontaines');
    await v.page.click('a[href="#telecharger"]');
    const [file] = await Promise.all([
      v.page.waitForEvent('download'),
      v.page.click('.dl a.btn[href*=".csv"]'),
    ]);
    expect(file.suggestedFilename()).toMatch(/points-eau.*\.csv$/);
    await v.close();
  });

  it('filters and sorts by one form that forgets nothing, without a script', async () => {
    const v = await visit(browser, '/donnees', { javaScriptEnabled: false });
    const before = Number(((await v.page.textContent('[role=status]')) ?? '').match(/\d+/)![0]);
    await v.page.fill('#q', 'public');
    await v.page.check('input[name=producteur][value=crige]', { force: true });
    await v.page.selectOption('#tri', 'titre');
    await v.page.click('.flt6 button');
    const asked = new URL(v.page.url()).searchParams;
    expect([asked.get('q'), asked.get('producteur'), asked.get('tri')]).toEqual(['public', 'crige', 'titre']);
    expect(await v.page.isChecked('input[value=crige]')).toBe(true);
    expect(Number(((await v.page.textContent('[role=status]')) ?? '').match(/\d+/)![0])).toBeLessThanOrEqual(
      before,
    );
    await v.page.click('.flt6 .more');
    expect(new URL(v.page.url()).searchParams.get('producteur')).toBe(null);
    expect(await v.page.inputValue('#q')).toBe('public');
    await v.close();
  });

  it('opens the filters and the menu of a phone without a script', async () => {
    const v = await visit(browser, '/donnees', {
      javaScriptEnabled: false,
      viewport: { width: 390, height: 844 },
    });
    expect(await v.page.isVisible('.flt6')).toBe(false);
    await v.page.click('.fbtn');
    expect(await v.page.isVisible('.flt6')).toBe(true);
    await v.page.click('.flt6 .close a');
    expect(await v.page.isVisible('.flt6')).toBe(false);
    await v.page.click('.drop summary');
    await v.page.click('.drop .menu a[href^="/carte"]');
    expect(new URL(v.page.url()).pathname).toBe('/carte');
    await v.close();
  });

  it('helps where nothing is found, and where nothing is', async () => {
    const v = await visit(browser, '/donnees?q=zzzz', { settle: false });
    expect(await v.page.textContent('.none')).toContain('sur la carte');
    await v.page.goto(`${base}/nulle-part`);
    await v.page.fill('#q', 'eau');
    await v.page.keyboard.press('Enter');
    await v.page.waitForURL('**/donnees?*');
    expect(await v.page.locator('.res > li').count()).toBeGreaterThan(0);
    await v.close();
  });

  it('can be walked with the keyboard alone', async () => {
    const v = await visit(browser, '/donnees', { settle: false });
    await tabTo(v.page, 'a.skip');
    await v.page.keyboard.press('Enter');
    await tabTo(v.page, '#q');
    await v.page.keyboard.type('fontaine');
    await v.page.keyboard.press('Enter');
    await v.page.waitForURL('**q=fontaine**');
    await tabTo(v.page, '.res h3 a');
    await v.page.keyboard.press('Enter');
    await v.page.waitForURL('**/donnees/points-eau*');
    await tabTo(v.page, '.exp summary');
    await v.page.keyboard.press('Enter');
    await v.page.waitForSelector('.exp details[open] code');
    expect(v.faults).toEqual([]);
    await v.close();
  });

  it('keeps old links to the map alive', async () => {
    const v = await visit(browser, '/#16.1/43.1037/6.2453', { settle: false });
    await v.page.waitForURL('**/carte#16.1/43.1037/6.2453');
    await v.page.goto(`${base}/?c=points-eau`);
    expect(new URL(v.page.url()).pathname).toBe('/carte');
    await v.close();
  });

  it('sets no cookie', async () => {
    const v = await visit(browser, '/', { settle: false });
    for (const path of pages) await v.page.goto(base + path);
    expect(await v.page.context().cookies()).toEqual([]);
    await v.close();
  });
});

describe('a dataset’s page', () => {
  it('is at most 100 KB with its picture, compressed, and says it whole without a script', async () => {
    for (const path of ['/donnees/points-eau', '/donnees/indice-air', '/donnees/communes', '/donnees/parc']) {
      const context = await browser.newContext({ viewport: { width: 1366, height: 768 }, locale: 'fr-FR' });
      const page = await context.newPage();
      const session = await context.newCDPSession(page);
      await session.send('Network.enable');
      let bytes = 0;
      session.on('Network.loadingFinished', (e) => (bytes += e.encodedDataLength));
      await page.goto(base + path, { waitUntil: 'networkidle' });
      expect(bytes, `${path} weighs ${bytes} bytes`).toBeLessThanOrEqual(100_000);
      expect(
        await page.evaluate(() => [...document.images].every((i) => i.complete && i.naturalWidth > 0)),
      ).toBe(true);
      await context.close();
    }
  });

  it('offers nothing that is not there', async () => {
    const v = await visit(browser, '/donnees/points-eau', { settle: false });
    const addresses = await v.page.$$eval('main a[href], footer a[href], link[rel=alternate]', (links) =>
      links.map((a) => (a as HTMLAnchorElement).href),
    );
    for (const address of new Set(addresses.map((a) => a.split('#')[0]))) {
      if (!address.startsWith(base)) continue;
      const answer = await v.page.request.get(address);
      expect(answer.status(), address).toBe(200);
    }
    await v.close();
  }, 60000);
});
