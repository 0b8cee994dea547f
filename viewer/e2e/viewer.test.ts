import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { violations } from './axe';
import { base, launch, settled, town, visit } from './browser';

let browser: Browser;
/** Records of the sample that the tests look at. */
let fountain = '';
let commune = '';
beforeAll(async () => {
  browser = await launch();
  const first = async (layer: string, q: string) => {
    const answer = await fetch(`${base}/api/collections/${layer}/items?f=json&limit=500&${q}`);
    return ((await answer.json()) as { features: { id: string; properties: Record<string, unknown> }[] })
      .features;
  };
  const named = (await first('points-eau', 'bbox=6.235,43.098,6.255,43.109')).filter((f) => f.properties.nom);
  fountain = named[0].id;
  commune = (await first('communes', 'bbox=6.2453,43.1037,6.2453,43.1037'))[0].id;
});
afterAll(() => browser.close());

/** Ids that the map draws of a layer in the view. */
function drawn(page: Page, layer: string): Promise<string[]> {
  return page.evaluate(
    (id) =>
      (document.querySelector('.map') as unknown as { engine: { seen(l: string): string[] } }).engine.seen(
        id,
      ),
    layer,
  );
}

const count = async (page: Page): Promise<number> =>
  Number(((await page.textContent('#tl .ct')) ?? '').replace(/\D/g, ''));

describe('pages', () => {
  const pages = {
    map: () => `/carte${town}`,
    list: () => `/carte?vue=liste${town}`,
    card: () => `/carte?c=points-eau&sel=${fountain}${town}`,
    compare: () => `/carte?c=points-eau&comparer=1${town}`,
    air: () => `/carte?c=indice-air&sel=${commune}`,
    stations: () => '/carte?c=mesures-air',
  };
  for (const lang of ['fr', 'en', 'it'])
    for (const [width, height] of [
      [1366, 768],
      [1024, 768],
      [390, 844],
    ])
      it(`have no axe violation, other host or policy violation: ${lang} at ${width}`, async () => {
        for (const [name, path] of Object.entries(pages)) {
          const asked = path().replace(/^\/carte\??/, (m) =>
            m.endsWith('?') ? `/carte?lg=${lang}&` : `/carte?lg=${lang}`,
          );
          const v = await visit(browser, asked, { viewport: { width, height } });
          expect(await violations(v.page), `${name} ${lang} ${width}`).toEqual([]);
          expect(await v.page.getAttribute('html', 'lang')).toBe(lang);
          expect(
            await v.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
            `${name} scrolls sideways`,
          ).toBe(true);
          expect(v.faults, name).toEqual([]);
          await v.close();
        }
      }, 180000);

  it('have no axe violation in the dark, and for projection', async () => {
    for (const theme of ['dark', 'projection']) {
      const v = await visit(browser, `/carte?theme=${theme}${town}`);
      expect(await violations(v.page), theme).toEqual([]);
      await v.close();
    }
  });

  it('have no axe violation without JavaScript', async () => {
    // axe itself is a script: it runs on the server's page before the application takes it over.
    for (const path of [
      '/carte?c=points-eau',
      '/carte?c=points-eau&comparer=1',
      '/carte?c=indice-air',
      '/aide',
      '/nulle-part',
    ]) {
      const context = await browser.newContext({ locale: 'fr-FR' });
      const page = await context.newPage();
      await page.route('**/assets/*.js', (r) => r.fulfill({ contentType: 'text/javascript', body: '' }));
      await page.goto(base + path);
      expect(await violations(page), path).toEqual([]);
      await context.close();
    }
  }, 120000);
});

describe('the list is the map’s equal', () => {
  it.each([
    ['points-eau', [13, 14.5, 16.1, 17.5]],
    ['equipements-publics', [14, 16]],
    ['communes', [10.5, 12]],
    ['sentiers', [12, 15]],
  ])(
    '%s',
    async (layer, zooms) => {
      for (const zoom of zooms) {
        const v = await visit(browser, `/carte?c=${layer}&vue=liste#${zoom}/43.1037/6.2453`);
        const ids = await drawn(v.page, layer);
        expect(await count(v.page), `${layer} at ${zoom}`).toBe(ids.length);
        const listed = await v.page.$$eval('.lst a', (links) =>
          links.map((a) => new URL((a as HTMLAnchorElement).href).searchParams.get('sel')),
        );
        for (const id of listed) expect(ids, `${id} is in the list, not on the map`).toContain(id);
        await v.close();
      }
    },
    120000,
  );
});

describe('with the keyboard alone', () => {
  const focused = (page: Page) => page.evaluate(() => document.activeElement?.outerHTML.slice(0, 90) ?? '');
  async function tabTo(page: Page, selector: string, most = 60): Promise<void> {
    for (let i = 0; i < most; i++) {
      await page.keyboard.press('Tab');
      if (await page.evaluate((s) => document.activeElement?.matches(s) ?? false, selector)) return;
    }
    throw new Error(`Tab does not reach ${selector}; at ${await focused(page)}`);
  }

  it('opens the list, chooses, walks on and comes back', async () => {
    const v = await visit(browser, `/carte${town}`);
    await tabTo(v.page, '.map');
    await v.page.keyboard.press('l');
    await v.page.waitForSelector('.lst a:focus');
    await v.page.keyboard.press('ArrowDown');
    const name = await v.page.evaluate(() => document.activeElement?.querySelector('b')?.textContent);
    await v.page.keyboard.press('Enter');
    await v.page.waitForSelector('.fi h2');
    expect(await v.page.textContent('.fi h2')).toBe(name);
    expect(await v.page.textContent('.bk .muted')).toMatch(/^2 sur \d+/);
    await v.page.keyboard.press('Escape');
    await v.page.waitForSelector('.lst a');
    expect(v.page.url()).not.toContain('sel=');
    await v.close();
  });

  it('reads what is at the centre of the map, moves and zooms it', async () => {
    const v = await visit(browser, `/carte${town}`);
    await tabTo(v.page, '.map');
    await v.page.keyboard.press('Enter');
    await v.page.waitForSelector('.fi h2');
    await v.page.keyboard.press('Escape');
    await tabTo(v.page, '.map');
    const before = v.page.url();
    await v.page.keyboard.press('ArrowRight');
    await v.page.keyboard.press('+');
    await v.page.waitForFunction((u) => location.href !== u, before);
    await v.close();
  });

  it('searches, and follows a result', async () => {
    const v = await visit(browser, '/carte');
    await tabTo(v.page, '#q');
    await v.page.keyboard.type('place aux herbes');
    await v.page.waitForSelector('[role=option]');
    await v.page.keyboard.press('ArrowDown');
    expect(await v.page.getAttribute('#q', 'aria-activedescendant')).toBeTruthy();
    await v.page.keyboard.press('Enter');
    await v.page.waitForSelector('.fi h2');
    expect(await v.page.textContent('.fi h2')).toMatch(/herbes/i);
    await v.close();
  });

  it('opens and closes the help, and switches a layer', async () => {
    const v = await visit(browser, `/carte${town}`);
    await tabTo(v.page, '.map');
    await v.page.keyboard.press('?');
    await v.page.waitForSelector('dialog[open]');
    await v.page.keyboard.press('Escape');
    await v.page.waitForSelector('dialog[open]', { state: 'detached' });
    await v.page.keyboard.press('c');
    await v.page.waitForSelector('.sw:focus');
    const was = await v.page.evaluate(() => document.activeElement?.getAttribute('aria-checked'));
    await v.page.keyboard.press('Space');
    await v.page.waitForFunction((w) => document.activeElement?.getAttribute('aria-checked') !== w, was);
    await v.close();
  });

  it('compares, chooses a difference and leaves', async () => {
    const v = await visit(browser, `/carte${town}`);
    await tabTo(v.page, '.tools .btn');
    await v.page.keyboard.press('Enter');
    await v.page.waitForSelector('.wl a');
    await tabTo(v.page, '.wl a');
    await v.page.keyboard.press('Enter');
    await v.page.waitForSelector('.card .why');
    await v.page.keyboard.press('Escape');
    await v.page.keyboard.press('Escape');
    await v.page.waitForSelector('[role=tab]');
    await v.close();
  });

  it('moves the day', async () => {
    const v = await visit(browser, '/carte?c=indice-air');
    await v.page.waitForSelector('.rng');
    await tabTo(v.page, '.rng');
    const said = () => v.page.getAttribute('.rng', 'aria-valuetext');
    const first = await said();
    await v.page.keyboard.press('ArrowRight');
    await v.page.waitForFunction(
      (s) => document.querySelector('.rng')?.getAttribute('aria-valuetext') !== s,
      first,
    );
    expect(await said()).toContain('prévision');
    await v.page.keyboard.press('PageDown');
    await v.page.waitForFunction(
      () => !document.querySelector('.rng')?.getAttribute('aria-valuetext')?.includes('prévision'),
    );
    expect(v.page.url()).toMatch(/t=\d{4}-\d\d-\d\d/);
    await v.close();
  });

  it('uses the skip links', async () => {
    const v = await visit(browser, `/carte${town}`);
    await v.page.keyboard.press('Tab');
    await v.page.keyboard.press('Tab');
    await v.page.keyboard.press('Enter');
    await v.page.waitForSelector('.map:focus');
    await v.close();
  });
});

describe('the address', () => {
  it('holds the view; back undoes a step; the language keeps it', async () => {
    const v = await visit(browser, `/carte?vue=liste${town}`);
    await v.page.click('.lst li:nth-child(3) a');
    await v.page.waitForSelector('.fi h2');
    const name = await v.page.textContent('.fi h2');
    const shared = v.page.url();
    await v.page.goBack();
    await v.page.waitForSelector('.lst a');
    await v.page.goto('about:blank');
    await v.page.goto(shared);
    await settled(v.page);
    await v.page.waitForSelector('.fi h2');
    expect(await v.page.textContent('.fi h2')).toBe(name);
    await v.page.click('.lang a[hreflang=en]');
    await v.page.waitForFunction(() => document.documentElement.lang === 'en');
    expect(await v.page.textContent('.fi h2')).toBe(name);
    expect(v.page.url()).toContain('lg=en');
    await v.close();
  });
});

describe('comparing', () => {
  it('counts four groups, filters map and list, shows both records and the verdict of the licence', async () => {
    const v = await visit(browser, `/carte?c=points-eau&comparer=1${town}`);
    await v.page.waitForSelector('.wl a');
    const counts = await v.page.$$eval('.fk b', (list) =>
      list.map((b) => Number(b.textContent!.replace(/\D/g, ''))),
    );
    expect(counts).toHaveLength(4);
    const rows = () => v.page.$$eval('.wl a', (list) => list.length);
    expect(await rows()).toBe(counts[0] + counts[1] + counts[2]);
    await v.page.click('.fk:has(.sy-osm)');
    await v.page.waitForFunction(
      (n) => document.querySelectorAll('.wl a').length === n,
      counts[0] + counts[1],
    );
    await v.page.click('.wl li:has(.sy-differs) a');
    await v.page.waitForSelector('.cmp tbody tr');
    expect(await v.page.textContent('.lic')).toContain('Peut être recopié dans OSM');
    expect((await v.page.textContent('.why'))!.length).toBeGreaterThan(20);
    await v.page.click('.act .btn');
    expect(v.faults).toEqual([]);
    await v.close();
  });
});

describe('without', () => {
  it('JavaScript: the list, the card, the comparison, the index and the picture', async () => {
    const v = await visit(browser, '/carte?c=points-eau', { javaScriptEnabled: false });
    expect(await v.page.$$eval('.lst a', (l) => l.length)).toBe(60);
    const image = await v.page.getAttribute('.picture', 'src');
    expect((await v.page.request.get(base + image)).headers()['content-type']).toContain('svg');
    await v.page.click('.lst li:nth-child(2) a');
    expect(await v.page.$$eval('#fiche dt', (l) => l.length)).toBeGreaterThan(3);
    await v.page.goto(base + '/carte?c=points-eau');
    await v.page.click('.pages a');
    expect(await v.page.textContent('.lst .num')).toBe('61');
    await v.page.goto(base + '/carte?c=points-eau&comparer=1');
    expect(await v.page.$$eval('.fk b', (l) => l.length)).toBe(4);
    expect(await v.page.$$eval('.wl a', (l) => l.length)).toBeGreaterThan(5);
    await v.page.goto(base + '/carte?c=indice-air');
    expect(await v.page.$$eval('.airt tbody tr', (l) => l.length)).toBeGreaterThan(50);
    await v.page.fill('#q', 'herbes');
    await v.page.press('#q', 'Enter');
    expect(await v.page.$$eval('.fnd a', (l) => l.length)).toBeGreaterThan(0);
    expect(v.faults.filter((f) => !f.includes('script'))).toEqual([]);
    await v.close();
  });

  it('WebGL: the same map', async () => {
    const plain = await launch('--disable-software-rasterizer', '--disable-webgl', '--disable-webgl2');
    const v = await visit(plain, `/carte${town}`);
    expect(await v.page.evaluate(() => document.createElement('canvas').getContext('webgl'))).toBeNull();
    expect((await drawn(v.page, 'points-eau')).length).toBeGreaterThan(5);
    expect(v.faults).toEqual([]);
    await v.close();
    await plain.close();
  });

  it('a canvas: the list and the picture', async () => {
    const context = await browser.newContext({ locale: 'fr-FR' });
    const page = await context.newPage();
    await page.addInitScript(() => {
      HTMLCanvasElement.prototype.getContext = () => null;
    });
    await page.goto(base + '/carte?c=points-eau');
    await page.waitForSelector('.lst a');
    expect(await page.getAttribute('.picture', 'src')).toContain('/image/points-eau.svg');
    await context.close();
  });

  it('a layer that answers: it says so, the others go on', async () => {
    const context = await browser.newContext({ locale: 'fr-FR', viewport: { width: 1366, height: 768 } });
    const page = await context.newPage();
    await page.route('**/collections/points-eau/items*', (r) => r.fulfill({ status: 503, body: 'down' }));
    await page.goto(base + `/carte${town}`);
    await page.waitForSelector('.note.err');
    expect(await page.textContent('.note.err')).toContain('Ne répond pas depuis');
    await page.unroute('**/collections/points-eau/items*');
    await page.click('.note.err .btn');
    await page.waitForSelector('.note.err', { state: 'detached' });
    await context.close();
  });
});

describe('the frame of another site', () => {
  it('shows the map without header', async () => {
    const v = await visit(browser, `/carte?cadre=1${town}`);
    expect(await v.page.$('header')).toBeNull();
    expect(await v.page.getAttribute('.tools a', 'href')).not.toContain('cadre=1');
    expect(await violations(v.page)).toEqual([]);
    await v.close();
  });
});

describe('weight', () => {
  it('of the first map is at most 260 KB, scripts at most 150', async () => {
    const context = await browser.newContext({ viewport: { width: 1366, height: 768 } });
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send('Network.enable');
    const kinds = new Map<string, string>();
    const bytes: Record<string, number> = {};
    session.on('Network.responseReceived', (e) => kinds.set(e.requestId, e.type));
    session.on('Network.loadingFinished', (e) => {
      const kind = kinds.get(e.requestId) ?? 'Other';
      bytes[kind] = (bytes[kind] ?? 0) + e.encodedDataLength;
    });
    await page.goto(base + '/carte');
    await settled(page);
    const all = Object.values(bytes).reduce((a, b) => a + b, 0);
    console.log('bytes of the first map', bytes, all);
    expect(bytes.Script).toBeLessThan(150 * 1024);
    expect(all).toBeLessThan(260 * 1024);
    await context.close();
  });
});
