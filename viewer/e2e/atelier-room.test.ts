import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joined } from 'node:path';
import {
  chromium,
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type Page,
} from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { violations } from './axe';
import { base, launch, mediator as account } from './browser';

const phone = { width: 390, height: 844 };
const form = 'form[data-question]';

/** Presses a button that leads to another page. */
async function press(page: Page, selector: string): Promise<void> {
  await Promise.all([page.waitForNavigation(), page.click(selector)]);
}

/** What the page asks now. */
const asked = (page: Page) => page.getAttribute(form, 'data-question');

/** Answers by a button, and waits until another question, or none, stands there. */
async function answer(page: Page, nth: number): Promise<void> {
  const was = await asked(page);
  await page.click(`.an button:not([data-place]) >> nth=${nth}`); // the others ask where
  await page.waitForFunction(
    ([f, w]) => document.querySelector(f!)?.getAttribute('data-question') !== w,
    [form, was],
    { timeout: 20000 },
  );
}

/** Waits until a page hears of the session's changes. */
async function listening(page: Page): Promise<void> {
  await page.waitForFunction(() =>
    performance.getEntriesByType('resource').some((e) => e.name.includes('/assets/atelier')),
  );
  await page.evaluate(
    (events) =>
      new Promise((done) => {
        // A second listener: when it is heard, so is the first, which asked before.
        const source = new EventSource(events);
        source.addEventListener('alive', () => {
          source.close();
          done(null);
        });
      }),
    await page.evaluate(() => document.body.dataset.events!),
  );
}

async function sideways(page: Page): Promise<boolean> {
  return page.evaluate(() => document.documentElement.scrollWidth > innerWidth + 1);
}

/** What participants and the mediator see of one session, with and without a script, with and without the hub. */
describe.skipIf(!account)('the room', () => {
  let browser: Browser;
  let board: Page;
  let code = '';
  const folders: string[] = [];

  beforeAll(async () => {
    browser = await launch();
    board = await (await browser.newContext({ locale: 'fr-FR' })).newPage();
  });
  afterAll(async () => {
    // A session that stays open keeps its questions from the next.
    if (code) {
      await board.goto(`${base}/atelier/${code}/conduite?lg=fr`);
      await press(board, '#terminer button');
    }
    await browser.close();
    for (const f of folders) rmSync(f, { recursive: true, force: true });
  });

  async function person(options: BrowserContextOptions = {}): Promise<Page> {
    return (
      await browser.newContext({ locale: 'fr-FR', viewport: phone, reducedMotion: 'reduce', ...options })
    ).newPage();
  }

  async function enter(page: Page): Promise<void> {
    await page.goto(`${base}/atelier/${code}?lg=fr`);
    await press(page, '.door .btn.big');
  }

  /** Enters, and leaves the trial behind. */
  async function seated(page: Page): Promise<void> {
    await enter(page);
    await answer(page, 0);
  }

  /** Answers that the database holds on a question, as the mediator's board tells. */
  async function told(): Promise<number> {
    await board.goto(`${base}/atelier/${code}/conduite?lg=fr`);
    return Number(/^\d+/.exec((await board.textContent('.gp-l h2 span:last-child'))!)![0]);
  }

  it('is where a mediator lands after signing in, and opens within twelve clicks', async () => {
    await board.goto(base + '/connexion?lg=fr');
    await board.fill('#login', account!.login);
    await board.fill('#password', account!.password);
    await press(board, '.signin button');
    expect(new URL(board.url()).pathname).toMatch(/^\/atelier/);
    let clicks = 0;
    const click = async (selector: string, leads = true) => {
      clicks++;
      await (leads ? press(board, selector) : board.click(selector));
    };
    if (new URL(board.url()).pathname === '/atelier') await click('a[href^="/atelier/nouveau"]');
    await click('#titre', false);
    await board.keyboard.type('La salle');
    await click('[name=theme] >> nth=0', false);
    await click('button[value=voir]');
    await click('button[value=creer]');
    code = /atelier\/(\w{6})/.exec(board.url())![1]!;
    await click('form[action*="/ouvrir"] button');
    expect(clicks).toBeLessThanOrEqual(12);
    console.log('clicks of the mediator', clicks);
  });

  it('gives another code before it is opened, never after', async () => {
    await board.goto(base + '/atelier/nouveau?lg=fr');
    await board.fill('#titre', 'Sans lendemain');
    await press(board, 'button[value=voir]');
    await press(board, 'button[value=creer]');
    const was = /atelier\/(\w{6})/.exec(board.url())![1]!;
    await press(board, 'form[action*="/conduite/code"] button');
    const now = /atelier\/(\w{6})/.exec(board.url())![1]!;
    expect(now).not.toBe(was);
    expect((await board.goto(`${base}/atelier/${was}/conduite?lg=fr`))!.status()).toBe(404);
    await board.goto(`${base}/atelier/${code}/conduite?lg=fr`);
    expect(await board.locator('form[action*="/conduite/code"]').count()).toBe(0);
  });

  it('is joined with a group and a pseudonym of one’s choice, without a script', async () => {
    const page = await person({ javaScriptEnabled: false });
    await page.goto(base + '/atelier?lg=fr');
    await page.fill('[name=code]', code);
    await page.keyboard.press('Enter');
    await page.check('[name=groupe][value=pine]');
    const first = await page.inputValue('[name=surnom]');
    await press(page, '.change');
    expect(await page.isChecked('[name=groupe][value=pine]')).toBe(true);
    const mine = await page.inputValue('[name=surnom]');
    expect(mine).not.toBe(first);
    await press(page, '.door .btn.big');
    expect(await page.textContent('.seat')).toContain(mine);
    expect(await page.textContent('.seat')).toContain('Pin');
    expect(await page.locator('.ex li').count()).toBe(2);
    await press(page, '.seat');
    await page.check('[name=groupe][value=fish]');
    await press(page, 'button[value=groupe]');
    expect(await page.textContent('.seat')).toContain('Poisson');
    await press(page, '.seat');
    await press(page, 'button[value=quitter]');
    await page.goto(`${base}/atelier/${code}`);
    expect(await page.locator('.door').count()).toBe(1);
    await page.context().close();
  });

  it('is answered within six actions and two taps after the code', async () => {
    const page = await person();
    let taps = 0;
    const tap = async (selector: string) => {
      taps++;
      await press(page, selector);
    };
    await page.goto(base + '/atelier?lg=fr');
    await page.fill('[name=code]', code);
    await tap('main form[method=get] button');
    await tap('.door .btn.big');
    expect(taps).toBe(2); // joined
    await answer(page, 0); // the trial
    await answer(page, 0); // the first question
    taps += 2;
    expect(taps).toBeLessThanOrEqual(6);
    console.log('actions up to the first answer', taps);
    await page.context().close();
  });

  it('weighs at most 150 KB until the first question can be answered, the moving map comes after', async () => {
    const page = await person();
    await enter(page);
    const session = await page.context().newCDPSession(page);
    await session.send('Network.enable');
    await session.send('Network.setCacheDisabled', { cacheDisabled: true });
    await page.reload({ waitUntil: 'load' });
    expect(await page.locator(form).count()).toBe(1);
    // What the browser asked for before the page was loaded: then every answer can be given.
    const loaded = await page.evaluate(() => {
      const [page] = performance.getEntriesByType('navigation');
      const all = [page!, ...performance.getEntriesByType('resource')] as PerformanceResourceTiming[];
      return all
        .filter((e) => e.startTime <= (page as PerformanceNavigationTiming).loadEventEnd)
        .map((e) => ({ name: new URL(e.name).pathname, bytes: e.transferSize }));
    });
    const bytes = loaded.reduce((n, e) => n + e.bytes, 0);
    console.log('bytes until the first question can be answered', bytes);
    expect(loaded.filter((e) => /place|\.mvt/.test(e.name))).toEqual([]);
    expect(bytes).toBeGreaterThan(20000);
    expect(bytes).toBeLessThan(150 * 1024);
    await page.waitForSelector('.moves');
    expect(
      await page.evaluate(() =>
        performance.getEntriesByType('resource').some((e) => e.name.endsWith('.mvt')),
      ),
    ).toBe(true);
    await page.context().close();
  });

  it('moves its map by keyboard, and shows where the place is instead', async () => {
    const page = await person({ viewport: { width: 1024, height: 768 } });
    await enter(page);
    await page.waitForSelector('.moves .canvas');
    await page.focus('.an button[data-place]');
    await page.keyboard.press('2'); // "yes, but elsewhere"
    await page.waitForSelector('.pointing');
    for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowRight'); // the map has the focus
    await page.waitForTimeout(600);
    const sent = page.waitForRequest((r) => r.url().includes('/reponse'));
    await page.click('.pointing .btn.big');
    const place = new URLSearchParams((await sent).postData()!).get('valeur-_geom')!;
    expect(place).toMatch(/^6\.\d{7} 43\.\d{7}$/);
    const [lon] = place.split(' ').map(Number);
    const at = Number(
      await page.evaluate(
        () => performance.now() && document.querySelector<HTMLElement>('[data-lon]')?.dataset.lon,
      ),
    );
    expect(at).toBeGreaterThan(6);
    expect(lon).toBeGreaterThan(6);
    await page.context().close();
  });

  it('takes "so many metres to the north-east" where there is no map to touch', async () => {
    const page = await person({ javaScriptEnabled: false });
    await enter(page);
    await page.click('.where summary');
    await page.selectOption('#metres', '50');
    await page.selectOption('#vers', 'ne');
    await press(page, '.an button[data-place]');
    expect(await page.textContent('main [role=status]')).toBeTruthy();
    await page.context().close();
  });

  it('leases what is looked up, and shows what another has only to be read', async () => {
    const [one, two] = [
      await person({ javaScriptEnabled: false }),
      await person({ javaScriptEnabled: false }),
    ];
    for (const page of [one, two]) {
      await enter(page);
      await press(page, '.an button >> nth=3');
    }
    await one.goto(`${base}/atelier/${code}?liste=1&lg=fr`);
    const free = await one
      .locator('.tl li', { hasText: 'à répondre' })
      .first()
      .getAttribute('data-number')
      .catch(() => null);
    const number =
      free ?? /\d+/.exec((await one.locator('.tl li', { hasText: 'à répondre' }).first().textContent())!)![0];
    await one.goto(`${base}/atelier/${code}?question=${number}&lg=fr`);
    expect(await one.locator(form).count()).toBe(1);
    await two.goto(`${base}/atelier/${code}?question=${number}&lg=fr`);
    expect(await two.locator(form).count()).toBe(0);
    expect(await two.textContent('main .note')).toContain('Quelqu’un d’autre');
    await press(two, 'main a.btn');
    expect(await two.locator(form).count()).toBe(1);
    await one.context().close();
    await two.context().close();
  });

  it('keeps answers while the network is cut, goes on, and counts each once', async () => {
    const page = await person();
    await seated(page);
    await page.waitForSelector('body[data-held]');
    const before = await told();
    await page.context().setOffline(true);
    for (let n = 1; n <= 3; n++) {
      await answer(page, 0);
      expect(await page.textContent('.wait')).toContain(
        n === 1 ? '1 réponse en attente' : `${n} réponses en attente`,
      );
    }
    // What would lose the page is not followed.
    await page.click('.brand');
    expect(await page.textContent('.said')).toContain('ne répond pas');
    const posts: string[] = [];
    page.on('request', (r) => {
      if (r.url().includes('/reponse')) posts.push(new URLSearchParams(r.postData()!).get('cle')!);
    });
    await page.context().setOffline(false);
    await page.waitForFunction(() => document.querySelector<HTMLElement>('.wait')?.hidden, undefined, {
      timeout: 30000,
    });
    expect(posts.length).toBe(3);
    expect(new Set(posts).size).toBe(3);
    const after = await told();
    expect(after - before).toBeGreaterThanOrEqual(2);
    expect(after - before).toBeLessThanOrEqual(3); // one may have been answered by others meanwhile
    await page.context().close();
  }, 120000);

  it('opened again while the hub is away, says what waits, comes back by itself and sends it once', async () => {
    const page = await person();
    await seated(page);
    await page.waitForSelector('body[data-held]');
    await page.waitForSelector('body[data-guarded]');
    const before = await told();
    await page.context().setOffline(true);
    for (let n = 1; n <= 3; n++) await answer(page, 0);
    expect(await page.textContent('.wait')).toContain('3 réponses en attente');
    await page.reload();
    await page.waitForFunction(() =>
      document.querySelector('[data-waiting]')?.textContent.startsWith('3 réponses'),
    );
    expect(await page.textContent('h1')).toBe('Le hub ne répond pas');
    expect(await violations(page)).toEqual([]);
    // What is kept tells nothing of anybody.
    expect(
      await page.evaluate(async () => {
        const kept = await Promise.all(
          (await caches.keys()).map(async (name) => (await caches.open(name)).keys()),
        );
        return kept.flat().map((r) => new URL(r.url).pathname.replace(/-[\w-]{8}\./, '-HASH.'));
      }),
    ).toEqual(expect.arrayContaining(['/atelier/hors-ligne', '/assets/icon.svg']));
    const keys: string[] = [];
    page.on('request', (r) => {
      if (r.url().includes('/reponse')) keys.push(new URLSearchParams(r.postData()!).get('cle')!);
    });
    await page.context().setOffline(false);
    await page.waitForSelector(form, { timeout: 30000 });
    await page.waitForFunction(() => document.querySelector<HTMLElement>('.wait')?.hidden, undefined, {
      timeout: 30000,
    });
    await page.waitForSelector('.said'); // they are gone
    expect(keys.length).toBe(3);
    expect(new Set(keys).size).toBe(3);
    const after = await told();
    expect(after - before).toBeGreaterThanOrEqual(2);
    expect(after - before).toBeLessThanOrEqual(3); // one may have been answered by others meanwhile
    // Whoever leaves takes all of it along.
    await page.goto(`${base}/atelier/${code}/place?lg=fr`);
    await press(page, 'button[value=quitter]');
    await page.waitForFunction(
      async () =>
        (await caches.keys()).length === 0 && (await navigator.serviceWorker.getRegistrations()).length === 0,
    );
    await page.context().close();
  }, 120000);

  it('counts an answer once whose acknowledgement was lost', async () => {
    const page = await person();
    await seated(page);
    const before = await told();
    let lost = 0;
    const keys: string[] = [];
    await page.route('**/reponse*', async (route) => {
      keys.push(new URLSearchParams(route.request().postData()!).get('cle')!);
      if (lost++ > 0) return route.continue();
      await route.fetch(); // the hub has it
      await route.abort(); // the page does not know
    });
    await answer(page, 0);
    await page.waitForFunction(() => document.querySelector<HTMLElement>('.wait')?.hidden, undefined, {
      timeout: 30000,
    });
    expect(keys.length).toBeGreaterThanOrEqual(2);
    expect(new Set(keys).size).toBe(1);
    expect((await told()) - before).toBeLessThanOrEqual(1);
    await page.context().close();
  }, 120000);

  it('keeps what waits through a crash of the browser, and sends it when it is open again', async () => {
    const folder = mkdtempSync(joined(tmpdir(), 'calanque-room-'));
    folders.push(folder);
    const open = (): Promise<BrowserContext> =>
      chromium.launchPersistentContext(folder, {
        executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
        args: ['--disable-gpu', '--no-first-run'],
        locale: 'fr-FR',
        viewport: phone,
      });
    const first = await open();
    let page = first.pages()[0] ?? (await first.newPage());
    await seated(page);
    await page.waitForSelector('body[data-held]');
    const before = await told();
    await first.setOffline(true);
    const task = await asked(page);
    await answer(page, 0);
    expect(await page.textContent('.wait')).toContain('1 réponse en attente');
    // A crash: the browser's own process is killed. The seat's cookie reaches the disk within half a minute.
    await page.waitForTimeout(1000);
    const root = await browserOf(first, folder);
    process.kill(root, 'SIGKILL');
    await first.close().catch(() => {});
    const again = await open();
    page = again.pages()[0] ?? (await again.newPage());
    await page.goto(`${base}/atelier/${code}?lg=fr`);
    if (await page.locator('.door').count()) {
      // The cookie was not on the disk yet: a new seat, and what waits leaves from there.
      expect(await page.textContent('.wait')).toContain('1 réponse en attente');
      await press(page, '.door .btn.big');
    }
    await page.waitForFunction(() => document.querySelector<HTMLElement>('.wait')?.hidden, undefined, {
      timeout: 30000,
    });
    expect((await told()) - before).toBeLessThanOrEqual(1);
    await board.goto(`${base}/atelier/${code}/rapport?lg=fr`);
    expect(task).toBeTruthy();
    await again.close();
  }, 120000);

  it('calls everybody within two seconds, with a script and on the wall, and ends by itself', async () => {
    const page = await person();
    await seated(page);
    const wall = await person({ viewport: { width: 1024, height: 768 } });
    await wall.goto(`${base}/atelier/${code}/projecteur?lg=fr`);
    await Promise.all([page, wall].map(listening));
    await board.goto(`${base}/atelier/${code}/conduite?lg=fr`);
    await board.fill('#mot', 'Tous devant le mur');
    await press(board, '#appeler button');
    const began = Date.now();
    await Promise.all([
      page.waitForSelector('.called [role=alert]', { timeout: 2000 }),
      wall.waitForSelector('.called [role=alert]', { timeout: 2000 }),
    ]);
    console.log('called within', Date.now() - began, 'ms');
    expect(await page.textContent('.called')).toContain('Tous devant le mur');
    const left = Number(await page.getAttribute('.called [data-left]', 'data-left'));
    expect(left).toBeLessThanOrEqual(60);
    await board.fill('#mot', 'Appelez-moi au 06 12 34 56 78');
    await press(board, '#appeler button');
    expect(await board.textContent('[role=alert]')).toContain('téléphone');
    await page.context().close();
    await wall.context().close();
  });

  it('freezes and frees a page with a script by itself', async () => {
    const page = await person();
    await seated(page);
    await board.goto(`${base}/atelier/${code}/conduite?lg=fr`);
    await press(board, 'form[action*="/figer"] button');
    await page.waitForFunction(() => document.body.dataset.state === 'frozen', undefined, { timeout: 5000 });
    await board.goto(`${base}/atelier/${code}/conduite?lg=fr`);
    await press(board, 'form[action*="/figer"] button');
    await page.waitForFunction(() => document.body.dataset.state === 'ask', undefined, { timeout: 8000 });
    await page.context().close();
  });

  it('reserves the questions of a sheet that is given out', async () => {
    await board.goto(`${base}/atelier/${code}/conduite?lg=fr`);
    // Of the first cells others have something in hand.
    await press(board, '[data-live=paper] li:last-child button');
    expect(await board.textContent('[data-live=paper]')).toContain('donnée');
  });

  it('is resumed on another machine with the recovery code, and with no other', async () => {
    await board.goto(`${base}/atelier/${code}/conduite?lg=fr`);
    const secret = (await board.textContent('.jn b.nb'))!.trim();
    const page = await person({ javaScriptEnabled: false });
    await page.goto(base + '/atelier/reprendre?lg=fr');
    await page.fill('#code', code);
    await page.fill('#secours', 'ABCDEFGHJKMN');
    await press(page, 'main button');
    expect(await page.textContent('[role=alert]')).toContain('ne vont pas ensemble');
    await page.fill('#code', code.toLowerCase());
    await page.fill('#secours', `${secret.slice(0, 4)} ${secret.slice(4)}`);
    await press(page, 'main button');
    expect(new URL(page.url()).pathname).toBe(`/atelier/${code}/conduite`);
    await press(page, 'form[action*="/phase"] button');
    expect(await page.textContent('.ph .on')).toContain('Aller voir');
    expect((await page.goto(base + '/atelier/nouveau'))!.url()).toContain('/connexion');
    await page.context().close();
  });

  it('draws the area of a session by hand and by keyboard', async () => {
    await board.goto(base + '/atelier/nouveau?lg=fr');
    await board.fill('#titre', 'Dessinée');
    await board.check('[name=zone][value=forme]');
    await board.waitForSelector('.draws .canvas');
    await board.waitForTimeout(500);
    const box = (await board.locator('.moving .canvas').boundingBox())!;
    for (const [x, y] of [
      [0.15, 0.15],
      [0.85, 0.2],
      [0.8, 0.8],
    ]) {
      await board.mouse.click(box.x + box.width * x!, box.y + box.height * y!);
      await board.waitForTimeout(400);
    }
    await board.click('.drawing .btn >> nth=2');
    await board.waitForFunction(() =>
      document.querySelector<HTMLTextAreaElement>('#forme')!.value.startsWith('{'),
    );
    await board.click('.drawing .btn >> nth=3'); // again, with the keyboard
    const canvas = '.moving .canvas';
    const walk: [string, number][] = [
      ['ArrowUp', 2],
      ['ArrowRight', 3],
      ['ArrowDown', 4],
      ['ArrowLeft', 4],
    ];
    for (const [key, times] of walk) {
      await board.focus(canvas);
      for (let i = 0; i < times; i++) {
        await board.keyboard.press(key);
        await board.waitForTimeout(150);
      }
      await board.focus('.drawing .btn >> nth=0');
      await board.keyboard.press('Enter');
    }
    await board.focus('.drawing .btn >> nth=2');
    await board.keyboard.press('Enter');
    await board.waitForFunction(() =>
      document.querySelector<HTMLTextAreaElement>('#forme')!.value.startsWith('{'),
    );
    const shape = JSON.parse(await board.inputValue('#forme')) as { coordinates: number[][][] };
    expect(shape.coordinates[0]!.length).toBe(5);
    await press(board, 'button[value=voir]');
    expect(await board.locator('.est .note').count()).toBe(1);
  }, 120000);

  it('has pages without violations, that never scroll sideways, at 400 % too', async () => {
    const page = await person();
    await seated(page);
    const door = await person();
    const visits: [Page, string][] = [
      [door, '/atelier'],
      [door, '/atelier/reprendre'],
      [door, `/atelier/${code}`],
      [door, `/atelier/${code}/projecteur`],
      [page, `/atelier/${code}`],
      [page, `/atelier/${code}?liste=1`],
      [page, `/atelier/${code}/place`],
      [board, '/atelier'],
      [board, '/atelier/nouveau'],
      [board, `/atelier/${code}/conduite`],
    ];
    const faults: string[] = [];
    for (const [p, path] of visits)
      for (const lang of ['fr', 'en', 'it'])
        for (const [width, height] of [
          [1366, 768],
          [390, 844],
          [320, 256], // 1280 × 1024 at 400 %
        ]) {
          await p.setViewportSize({ width: width!, height: height! });
          await p.goto(`${base}${path}${path.includes('?') ? '&' : '?'}lg=${lang}`);
          if (width === 1366 && path === `/atelier/${code}` && p === page) await p.waitForSelector('.moves');
          if (await sideways(p)) faults.push(`${path} ${lang} ${width}: scrolls sideways`);
          if (width !== 320)
            faults.push(...(await violations(p)).map((v) => `${path} ${lang} ${width}: ${v}`));
        }
    expect(faults).toEqual([]);
  }, 300000);

  it('follows by asking where events cannot pass', async () => {
    const wall = await person({ viewport: { width: 1920, height: 1080 } });
    await wall.route('**/evenements*', (route) => route.abort());
    await wall.goto(`${base}/atelier/${code}/projecteur?lg=fr`);
    const was = await wall.textContent('[data-live=title] .phase');
    await board.goto(`${base}/atelier/${code}/conduite?lg=fr`);
    await press(board, 'form[action*="/phase"] button');
    await wall.waitForFunction(
      (w) => document.querySelector('[data-live=title] .phase')?.textContent !== w,
      was,
      { timeout: 15000 },
    );
    await wall.context().close();
  });

  it('refuses a telephone number in a note, and keeps what was typed', async () => {
    const page = await person();
    await seated(page);
    await page.click('.note-more:not(.where) summary');
    await page.fill('#mot', 'appeler le 06 12 34 56 78');
    await page.click('.an button >> nth=0');
    await page.waitForSelector('main [role=alert]');
    expect(await page.textContent('main [role=alert]')).toContain('téléphone');
    expect(await page.inputValue('#mot')).toContain('06');
    expect(await page.isHidden('.wait')).toBe(true);
    await page.fill('#mot', 'derrière le mur');
    const was = await asked(page);
    await answer(page, 0);
    expect(await asked(page)).not.toBe(was);
    await page.context().close();
  });

  it('is played by keyboard alone', async () => {
    const page = await person({ viewport: { width: 1024, height: 768 } });
    await page.goto(base + '/atelier?lg=fr');
    await page.keyboard.type(code); // the field has the focus
    await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
    await page.focus('[name=groupe]:checked');
    await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
    await page.keyboard.press('1'); // the trial
    await page.waitForFunction(
      () => !document.querySelector('.ex') && document.querySelector('form[data-question]'),
    );
    const was = await asked(page);
    await page.keyboard.press('4');
    await page.waitForFunction(
      (w) => document.querySelector('form[data-question]')?.getAttribute('data-question') !== w,
      was,
    );
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('H1');
    await page.context().close();
  });
});

/** One session from beginning to end, in three browsers. */
describe.skipIf(!account)('a whole session', () => {
  it('is played by a mediator, a phone and a browser without a script', async () => {
    const browser = await launch();
    const context = async (o: BrowserContextOptions) =>
      (await browser.newContext({ locale: 'fr-FR', ...o })).newPage();
    const [board, mobile, plain] = await Promise.all([
      context({ viewport: { width: 1366, height: 768 } }),
      context({ viewport: phone, hasTouch: true, isMobile: true }),
      context({ javaScriptEnabled: false, viewport: { width: 1024, height: 768 } }),
    ]);
    await board.goto(base + '/connexion?vers=%2Fatelier%2Fnouveau&lg=fr');
    await board.fill('#login', account!.login);
    await board.fill('#password', account!.password);
    await press(board, '.signin button');
    await board.fill('#titre', 'Du début à la fin');
    await press(board, 'button[value=voir]');
    await press(board, 'button[value=creer]');
    const code = /atelier\/(\w{6})/.exec(board.url())![1]!;
    expect((await mobile.goto(`${base}/atelier/${code}`))!.status()).toBe(404); // not open yet
    await press(board, 'form[action*="/ouvrir"] button');
    for (const page of [mobile, plain]) {
      await page.goto(`${base}/atelier/${code}?lg=fr`);
      await press(page, '.door .btn.big');
    }
    await answer(mobile, 0);
    await press(plain, '.an button >> nth=0');
    await press(plain, '.sites');
    // On site: what is seen settles.
    const first = await asked(plain);
    await press(plain, '.an button >> nth=0');
    expect(await asked(plain)).not.toBe(first);
    await mobile.tap('.sites');
    await mobile.waitForSelector('.sites[aria-checked=true]');
    for (let i = 0; i < 3; i++) await answer(mobile, 0);
    await board.waitForFunction(
      () => /^4 /.test(document.querySelector('.gp-l h2 span:last-child')!.textContent!),
      undefined,
      {
        timeout: 10000,
      },
    );
    // A mistake is taken back on the phone; its question comes again.
    await mobile.tap('[data-undo] button');
    await board.waitForFunction(
      () => /^3 /.test(document.querySelector('.gp-l h2 span:last-child')!.textContent!),
      undefined,
      {
        timeout: 10000,
      },
    );
    await answer(mobile, 2);
    for (const phase of ['Aller voir', 'Saisir', 'Relire']) {
      await press(board, 'form[action*="/phase"] button');
      expect(await board.textContent('.ph .on')).toContain(phase);
    }
    await press(board, '#terminer button');
    expect(new URL(board.url()).pathname).toBe(`/atelier/${code}/rapport`);
    await mobile.waitForFunction(() => document.body.dataset.state === 'over', undefined, { timeout: 10000 });
    await plain.reload();
    expect(await plain.textContent('main h1')).toContain('terminé');
    await browser.close();
  }, 120000);
});

/** The process of a browser that a folder belongs to. */
async function browserOf(context: BrowserContext, folder: string): Promise<number> {
  const { readdirSync, readFileSync } = await import('node:fs');
  for (const pid of readdirSync('/proc').filter((n) => /^\d+$/.test(n))) {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      if (line.includes(`--user-data-dir=${folder}`) && !line.includes('--type=')) return Number(pid);
    } catch {
      // It has ended meanwhile.
    }
  }
  throw new Error(`no browser holds ${folder} (${context.pages().length} pages)`);
}
