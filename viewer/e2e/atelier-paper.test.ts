import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { violations } from './axe';
import { base, launch } from './browser';

const demo = process.env.DEMO_JSON;

/** Tools that read what a printer would get; without them there is nothing to measure. */
function missing(...tools: string[]): string[] {
  return tools.filter((t) => {
    try {
      execFileSync('which', [t], { stdio: 'ignore' });
      return false;
    } catch {
      return true;
    }
  });
}
const lacking = missing('pdfinfo', 'pdftotext', 'pdftoppm', 'zbarimg');
if (demo && lacking.length)
  console.warn(`sheets are not measured: ${lacking.join(', ')} missing (packages poppler-utils, zbar-tools)`);

interface Prepared {
  code: string;
  recovery: string;
}

async function press(page: Page, selector: string): Promise<void> {
  await Promise.all([page.waitForNavigation(), page.click(selector)]);
}

async function prepare(page: Page, title: string, theme: number, people: number): Promise<Prepared> {
  await page.goto(base + '/atelier/nouveau?lg=fr');
  await page.fill('[name=titre]', title);
  await page.check(`[name=theme] >> nth=${theme}`);
  await page.fill('[name=personnes]', String(people));
  await press(page, 'button[value=voir]');
  await press(page, 'button[value=creer]');
  const code = /atelier\/(\w{6})/.exec(page.url())![1]!;
  await page.goto(`${base}/atelier/${code}/conduite?lg=fr`);
  await press(page, 'form[action$="/ouvrir?lg=fr"] button');
  await page.goto(`${base}/atelier/${code}/feuilles?lg=fr`);
  const recovery = (await page.textContent('.recov b'))!.replace(/\s/g, '');
  return { code, recovery };
}

/** A grey picture of a part of a page of a PDF, at 600 dots an inch; CSS pixels in. */
function dots(pdf: string, page: number, x: number, y: number, w: number, h: number): number[][] {
  const at = (v: number): string => String(Math.round((v / 96) * 600));
  const ppm = execFileSync(
    'pdftoppm',
    [
      ...['-r', '600', '-gray', '-f', String(page), '-l', String(page)],
      ...['-x', at(x), '-y', at(y), '-W', at(w), '-H', at(h), pdf],
    ],
    { maxBuffer: 1 << 28 },
  );
  const head = /^P5\s+(\d+)\s+(\d+)\s+255\s/.exec(ppm.subarray(0, 40).toString('latin1'))!;
  const [width, height] = [Number(head[1]), Number(head[2])];
  const rows: number[][] = [];
  for (let r = 0; r < height; r++)
    rows.push([...ppm.subarray(head[0].length + r * width, head[0].length + (r + 1) * width)]);
  return rows;
}

/** The longest run of dark dots in a row. */
function run(row: number[]): number {
  let best = 0;
  let n = 0;
  for (const v of row) {
    n = v < 128 ? n + 1 : 0;
    best = Math.max(best, n);
  }
  return best;
}

/** How many metres a degree is to the north and to the east on the ellipsoid of WGS 84. */
function metresPerDegree(lat: number): { north: number; east: number } {
  const e2 = 0.00669437999014;
  const s = 1 - e2 * Math.sin((lat * Math.PI) / 180) ** 2;
  const rad = (Math.PI / 180) * 6378137;
  return {
    north: (rad * (1 - e2)) / s ** 1.5,
    east: (rad * Math.cos((lat * Math.PI) / 180)) / Math.sqrt(s),
  };
}

describe.skipIf(!demo)('paper', () => {
  let browser: Browser;
  let page: Page;
  const folder = mkdtempSync(join(tmpdir(), 'calanque-paper-'));
  const sessions: Prepared[] = [];

  beforeAll(async () => {
    browser = await launch();
    page = await (await browser.newContext({ locale: 'fr-FR' })).newPage();
    const { login, password } = JSON.parse(readFileSync(demo!, 'utf8'));
    await page.goto(base + '/connexion');
    await page.fill('[name=login]', login);
    await page.fill('[name=password]', password);
    await Promise.all([page.waitForNavigation(), page.press('[name=password]', 'Enter')]);
    const long =
      'Les fontaines, points d’eau et équipements publics du centre ancien et des quartiers du port de Roquebelle-les-Pins';
    sessions.push(
      await prepare(page, 'Les fontaines du centre ancien', 0, 12),
      await prepare(page, long, 1, 30),
      await prepare(page, long, 0, 3),
    );
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  async function print(code: string, lang: string): Promise<{ file: string; sheets: number }> {
    await page.goto(`${base}/atelier/${code}/feuilles?lg=${lang}`, { waitUntil: 'networkidle' });
    const file = join(folder, `${code}-${lang}.pdf`);
    writeFileSync(file, await page.pdf({ preferCSSPageSize: true, printBackground: false }));
    return { file, sheets: await page.locator('section.a4:not(.index)').count() };
  }

  it.skipIf(lacking.length)(
    'gives each sheet one page of A4, in any language',
    async () => {
      for (const { code, recovery } of sessions)
        for (const lang of ['fr', 'en', 'it']) {
          const { file, sheets } = await print(code, lang);
          const info = execFileSync('pdfinfo', [file]).toString();
          expect(info).toMatch(/Page size:\s+59\d\.\d+ x 84\d\.\d+ pts \(A4\)/);
          expect(Number(/Pages:\s+(\d+)/.exec(info)![1]), `${code} ${lang}`).toBe(sheets + 1);
          const pages = execFileSync('pdftotext', ['-raw', file, '-']).toString().split('\f');
          expect(pages[0]!.replace(/\s/g, '')).toContain(recovery);
          const numbers = await page.$$eval('section.a4:not(.index)', (list) =>
            list.map((s) => [...s.querySelectorAll('tr:not(.blank) td.nn')].map((n) => n.textContent)),
          );
          numbers.forEach((list, i) => {
            expect(list.length).toBeLessThanOrEqual(12);
            for (const n of list) expect(pages[i + 1]).toMatch(new RegExp(`\\b${n}\\b`));
          });
        }
    },
    120000,
  );

  it.skipIf(lacking.length)(
    'is true to scale within half a percent, bar and map',
    async () => {
      for (const { code } of sessions) {
        const { file, sheets } = await print(code, 'fr');
        await page.emulateMedia({ media: 'print' });
        for (let i = 0; i < sheets; i++) {
          const found = await page
            .locator('section.a4:not(.index)')
            .nth(i)
            .evaluate((s) => {
              const own = s.getBoundingClientRect();
              const bar = s.querySelector<SVGElement>('svg.bar3')!;
              const box = bar.getBoundingClientRect();
              const map = s.querySelector('svg.m')!.getBoundingClientRect();
              return {
                metres: Number(bar.dataset.metres),
                scale: Number(bar.nextElementSibling!.textContent!.replace(/.*1:/, '').replace(/\D/g, '')),
                x: box.x - own.x,
                y: box.y - own.y,
                w: box.width,
                map: [map.width, map.height],
              };
            });
          const rows = dots(file, i + 2, found.x - 3, found.y + 4, found.w + 6, 14);
          const millimetres = (Math.max(...rows.map(run)) / 600) * 25.4;
          const metres = (millimetres / 1000) * found.scale;
          expect(Math.abs(metres / found.metres - 1), `bar of sheet ${i + 1} of ${code}`).toBeLessThan(0.005);
          const png = join(folder, `qr-${code}-${i}`);
          execFileSync('pdftoppm', [
            '-r',
            '200',
            '-png',
            '-singlefile',
            '-f',
            String(i + 2),
            '-l',
            String(i + 2),
            file,
            png,
          ]);
          const text = execFileSync('zbarimg', ['-q', '--raw', png + '.png'])
            .toString()
            .trim();
          const address = new URL(text);
          expect(address.pathname).toBe(`/atelier/${code}/conduite/saisie`);
          expect(address.searchParams.get('feuille')).toBe(String(i + 1));
          const [west, south, east, north] = address.hash.slice(1).split(',').map(Number);
          const per = metresPerDegree((south! + north!) / 2);
          const onPaper = (pixels: number): number => ((pixels / 96) * 25.4 * found.scale) / 1000;
          expect(Math.abs(onPaper(found.map[0]!) / ((east! - west!) * per.east) - 1)).toBeLessThan(0.005);
          expect(Math.abs(onPaper(found.map[1]!) / ((north! - south!) * per.north) - 1)).toBeLessThan(0.005);
        }
        await page.emulateMedia({ media: null });
      }
    },
    240000,
  );

  it('has sheets without violations, that no colour is needed for', async () => {
    for (const lang of ['fr', 'en', 'it']) {
      await page.goto(`${base}/atelier/${sessions[0]!.code}/feuilles?lg=${lang}`);
      expect(await violations(page)).toEqual([]);
    }
    const coloured = await page.$$eval('section.a4 *', (list) =>
      list.flatMap((e) =>
        [getComputedStyle(e).color, getComputedStyle(e).fill, getComputedStyle(e).stroke].filter((c) => {
          const m = /^rgba?\((\d+), (\d+), (\d+)/.exec(c);
          return m && (m[1] !== m[2] || m[2] !== m[3]);
        }),
      ),
    );
    expect(coloured).toEqual([]);
  });

  /** How many lines of the sheet that is shown are told to be answered. */
  const answered = (): Promise<number> => page.locator('.keyed .tag.ok').count();

  async function send(): Promise<void> {
    await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  }

  it('is entered by the keyboard alone, one key a line, once however often it is sent', async () => {
    const { code } = sessions[0]!;
    const entry = `${base}/atelier/${code}/conduite/saisie?feuille=2&lg=fr`;
    await page.goto(entry);
    const total = await page.locator('.keyed li').count();
    expect(total).toBeGreaterThanOrEqual(6);
    expect(await page.evaluate(() => document.activeElement?.matches('input.k'))).toBe(true);
    await page.keyboard.type('13');
    await page.keyboard.type('7'); // no answer has that key
    await page.keyboard.type('0'); // nobody can read the third
    await page.keyboard.press('ArrowDown');
    await page.keyboard.type('4');
    await page.keyboard.press('Backspace');
    await page.keyboard.type('4');
    const body = await page.$eval('form[data-sheet]', (f) =>
      new URLSearchParams(new FormData(f as HTMLFormElement) as unknown as Record<string, string>).toString(),
    );
    await send();
    const said = (await page.textContent('[role=status]'))!;
    expect(said).toMatch(/3 réponses gardées/);
    expect(said).toMatch(/1 ligne illisible/);
    expect(said).toContain(`${total - 4} ligne`);
    expect(await answered()).toBe(2); // « Je ne sais pas » tells nothing
    expect(await page.evaluate(() => document.activeElement?.getAttribute('href'))).toMatch(/feuille=/);
    // The same form once more, and once more mended: what is mended replaces, nothing counts twice.
    for (const again of [body, body.replace(/(ligne-\d+)=3/, '$1=2')]) {
      const status = await page.evaluate(
        async ([to, form]) =>
          (await fetch(to!, { method: 'POST', body: new URLSearchParams(form), redirect: 'follow' })).status,
        [entry, again],
      );
      expect(status).toBe(200);
      await page.reload({ waitUntil: 'networkidle' });
      expect(await answered()).toBe(2);
    }
    // Undone from where the focus is.
    await page.keyboard.press('Tab');
    await send();
    expect(await answered()).toBe(0);
    expect(await page.locator('[role=status]').count()).toBe(0);
  });

  it('numbers each question alike on screen, wall, board and paper, 6 to 12 in a cell', async () => {
    for (const { code } of sessions) {
      await page.goto(`${base}/atelier/${code}/feuilles?lg=fr`);
      const sheets = await page.$$eval('section.a4:not(.index)', (list) =>
        list.map((s) =>
          [...s.querySelectorAll('tbody tr:not(.blank)')].map((r) => ({
            number: r.querySelector('.nn')!.textContent,
            name: r.querySelector('b')?.textContent ?? '',
          })),
        ),
      );
      const all = sheets.flat().map((q) => q.number);
      expect(new Set(all).size).toBe(all.length);
      const sizes = sheets.map((s) => s.length);
      expect(Math.min(...sizes), code).toBeGreaterThanOrEqual(6);
      expect(Math.max(...sizes), code).toBeLessThanOrEqual(12);
      const cells = sheets.map((_s, i) => String(i + 1));
      for (const where of ['conduite', 'projecteur']) {
        await page.goto(`${base}/atelier/${code}/${where}?lg=fr`);
        expect(await page.$$eval('.planbox .sqn', (l) => l.map((n) => n.textContent))).toEqual(cells);
        expect(
          await page.$$eval('.planbox .sqt', (l) => l.map((n) => Number(/\d+$/.exec(n.textContent)?.[0]))),
          `${where} of ${code}`,
        ).toEqual(sizes);
      }
    }
    // Question by question: the entry form and the screens of one session.
    const { code } = sessions[2]!;
    await page.goto(`${base}/atelier/${code}/feuilles?lg=fr`);
    const guest = await (await browser.newContext({ locale: 'fr-FR' })).newPage();
    await guest.goto(`${base}/atelier/${code}?lg=fr`);
    await press(guest, '.door .btn.big');
    await press(guest, '.an button >> nth=3'); // the trial
    const sheets = await page.locator('section.a4:not(.index)').count();
    for (let cell = 1; cell <= sheets; cell++) {
      await page.goto(`${base}/atelier/${code}/feuilles?lg=fr`);
      const paper = await page
        .locator('section.a4:not(.index)')
        .nth(cell - 1)
        .locator('tbody tr:not(.blank)')
        .evaluateAll((l) =>
          l.map((r) => [r.querySelector('.nn')!.textContent, r.querySelector('b')?.textContent ?? '']),
        );
      await page.goto(`${base}/atelier/${code}/conduite/saisie?feuille=${cell}&lg=fr`);
      expect(
        await page.$$eval('.keyed li', (l) =>
          l.map((r) => [r.querySelector('.n')!.textContent, r.querySelector('b')?.textContent ?? '']),
        ),
      ).toEqual(paper);
      for (const [number, name] of paper) {
        await guest.goto(`${base}/atelier/${code}?question=${number}&lg=fr`);
        const asked = (await guest.textContent('main h1'))!;
        expect(asked).toContain(`Question ${number}.`);
        expect(asked.toLowerCase()).toContain(name!.replace(/…$/, '').toLowerCase());
      }
    }
    await guest.context().close();
  }, 120000);

  it('keeps its questions from the screens until it comes back', async () => {
    const { code } = sessions[0]!;
    await page.goto(`${base}/atelier/${code}/conduite/saisie?feuille=1&lg=fr`);
    await press(page, 'button[value=donner]');
    expect(await page.textContent('.sheets [aria-current]')).toMatch(/sur papier/);
    const guest = await (await browser.newContext({ locale: 'fr-FR' })).newPage();
    await guest.goto(`${base}/atelier/${code}?lg=fr`);
    await press(guest, 'main form[method=post] button'); // sits down in cell 1
    await press(guest, '.an button >> nth=3'); // the trial
    const shown = await page.$$eval('.keyed .n', (list) => list.map((n) => n.textContent));
    const asked = await guest.textContent('.qa');
    for (const n of shown) expect(asked).not.toMatch(new RegExp(`Question ${n}\\.`));
    // One line is answered; the others keep no lease.
    await page.locator('input.k').first().focus();
    await page.keyboard.type('1');
    await send();
    expect(await page.textContent('.sheets')).not.toMatch(/sur papier/);
  });

  it('takes where "elsewhere" is by the square of the sheet’s map, by keyboard and without a script', async () => {
    const { code } = sessions[0]!;
    await page.goto(`${base}/atelier/${code}/feuilles?lg=fr`);
    // Each sheet names its squares along two sides, and the letter of a column is the same place on all its prints.
    const named = await page.$$eval('section.a4:not(.index)', (list) =>
      list.map((s) => [...s.querySelectorAll('.m-gn')].map((n) => n.textContent)),
    );
    for (const names of named) {
      expect(names.filter((n) => /^[A-Z]$/.test(n)).length).toBeGreaterThanOrEqual(4);
      expect(names.filter((n) => /^\d+$/.test(n)).length).toBeGreaterThanOrEqual(3);
    }
    const plain = await (
      await browser.newContext({
        locale: 'fr-FR',
        javaScriptEnabled: false,
        storageState: await page.context().storageState(),
      })
    ).newPage();
    const [column, row] = [
      named[1]!.find((n) => /^[A-Z]$/.test(n))!,
      named[1]!.filter((n) => /^\d+$/.test(n)).at(-1)!,
    ];
    for (const [who, sheet, square] of [
      [page, 2, `${column}${row}-5`],
      [plain, 4, 'N21'],
    ] as const) {
      await who.goto(`${base}/atelier/${code}/conduite/saisie?feuille=${sheet}&lg=fr`);
      const line = who.locator('.keyed li:has(input.sq)').first();
      const key = (await line.locator('input.sq').getAttribute('data-after'))!;
      await line.locator('input.k').fill('');
      if (who === page) {
        await line.locator('input.k').focus();
        await page.keyboard.type(key + 'ailleurs');
        expect(await line.locator('input.sq').inputValue()).toBe('ailleurs');
        await page.keyboard.press('Enter'); // leads on, sends nothing
        expect(await page.evaluate(() => document.activeElement?.matches('input.k'))).toBe(true);
        await send();
        expect(await page.textContent('[role=alert]')).toContain('J12');
        expect(await page.inputValue('[aria-invalid] ~ .also input.sq')).toBe('ailleurs');
        expect(await violations(page)).toEqual([]);
        await page.locator('[aria-invalid] ~ .also input.sq').fill(square);
        await page.locator('input.k').first().focus();
        await send();
      } else {
        await line.locator('input.k').fill(key);
        await line.locator('input.sq').fill(square);
        await press(who, 'form[data-sheet] button');
      }
      expect(await who.textContent('[role=status]')).toMatch(/1 réponse gardée/);
    }
    await plain.context().close();
    const file = await page.evaluate(
      async (to) => (await fetch(to)).json(),
      `${base}/atelier/${code}/exports/corrections.geojson`,
    );
    const moved = (
      file as { features: { properties: Record<string, unknown>; geometry: { coordinates: number[] } }[] }
    ).features.filter((f) => JSON.stringify(f).includes('_geom'));
    expect(moved.length).toBeGreaterThanOrEqual(2);
  });

  it('names the line that is refused, and keeps what was typed', async () => {
    const { code } = sessions[0]!;
    await page.goto(`${base}/atelier/${code}/conduite/saisie?feuille=3&lg=fr`);
    await page.locator('input.k').nth(0).fill('1');
    await page.locator('input.k').nth(2).fill('1');
    await page.locator('[name^=mot-]').nth(2).fill('voir 06 12 34 56 78');
    const number = (await page.locator('.keyed .n').nth(2).textContent())!;
    await press(page, 'form[data-sheet] button');
    expect(await page.textContent('[role=alert]')).toContain(number);
    expect(await page.locator('input.k').nth(0).inputValue()).toBe('1');
    expect(await page.getAttribute('[aria-invalid]', 'name')).toBe(`ligne-${number}`);
    expect(await answered()).toBe(0);
    for (const lang of ['fr', 'en', 'it']) {
      await page.goto(`${base}/atelier/${code}/conduite/saisie?feuille=1&lg=${lang}`);
      expect(await violations(page)).toEqual([]);
    }
  });
});
