import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { violations } from './axe';
import { base, launch } from './browser';

const demo = process.env.DEMO_JSON;

const has = (tool: string): boolean => {
  try {
    execFileSync('which', [tool], { stdio: 'ignore' });
    return true;
  } catch {
    console.warn(`files are not read by ${tool}: it is not installed`);
    return false;
  }
};

/** What leaves a session, read by the programs that it is for. */
describe.skipIf(!demo)('exports', () => {
  let browser: Browser;
  let page: Page;
  let code = '';
  let questions = 0;
  const folder = mkdtempSync(join(tmpdir(), 'calanque-exports-'));
  const sheets: number[] = [];

  async function press(selector: string): Promise<void> {
    await Promise.all([page.waitForNavigation(), page.click(selector)]);
  }

  beforeAll(async () => {
    browser = await launch();
    page = await (await browser.newContext({ locale: 'fr-FR' })).newPage();
    const { login, password } = JSON.parse(readFileSync(demo!, 'utf8'));
    await page.goto(base + '/connexion');
    await page.fill('[name=login]', login);
    await page.fill('[name=password]', password);
    await Promise.all([page.waitForNavigation(), page.press('[name=password]', 'Enter')]);
    await page.goto(base + '/atelier/nouveau?lg=fr');
    await page.fill('[name=titre]', 'Les équipements publics');
    await page.check('[name=theme] >> nth=1');
    await press('button[value=voir]');
    await press('button[value=creer]');
    code = /atelier\/(\w{6})/.exec(page.url())![1]!;
    await press('form[action$="/ouvrir?lg=fr"] button');
    // Every line of every sheet is answered on site: the first answer, the third, the second, …
    await page.goto(`${base}/atelier/${code}/conduite/saisie?lg=fr`);
    for (const a of await page.locator('.sheets a').all())
      sheets.push(Number(/feuille=(\d+)/.exec((await a.getAttribute('href'))!)![1]));
    for (const n of sheets) {
      await page.goto(`${base}/atelier/${code}/conduite/saisie?feuille=${n}&lg=fr`);
      for (const line of await page.locator('input.k').all())
        await line.fill(String([1, 3, 2, 1][questions++ % 4]));
      await press('form[data-sheet] button.big');
    }
  }, 120000);
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  async function file(name: string): Promise<string> {
    const answer = await page.request.get(`${base}/atelier/${code}/exports/${name}?lg=fr`);
    expect(answer.status(), name).toBe(200);
    const text = await answer.text();
    writeFileSync(join(folder, name), text);
    return text;
  }

  it('shows what leaves, without violations, at any width', async () => {
    await page.goto(`${base}/atelier/${code}/conduite?lg=fr`);
    await press('a[href*="/exports"]');
    expect(await page.textContent('main')).toMatch(/Propositions dans le fichier/);
    for (const lang of ['fr', 'en', 'it'])
      for (const width of [390, 1366]) {
        await page.setViewportSize({ width, height: 800 });
        await page.goto(`${base}/atelier/${code}/exports?lg=${lang}`);
        expect(await violations(page)).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      }
  });

  it('gives files that their programs read', async () => {
    const osm = await file('josm.osm');
    const osc = await file('changements.osc');
    const gpx = await file('points.gpx');
    const geojson = JSON.parse(await file('taches.geojson')) as { features: unknown[] };
    const lines = (await file('maproulette.geojsonl')).trimEnd().split('\n');
    const csv = await file('corrections.csv');
    const corrections = JSON.parse(await file('corrections.geojson')) as { features: unknown[] };
    expect(osm + osc).not.toMatch(/delete/);
    expect(osm).toMatch(/<way id="\d+" version="\d+" action="modify" visible="true">\n {4}<nd ref=/);
    expect(geojson.features.length).toBe(questions);
    expect(gpx.match(/<wpt /g)!.length).toBe(questions);
    for (const l of lines) {
      expect(l.charCodeAt(0)).toBe(0x1e);
      expect(JSON.parse(l.slice(1)).type).toBe('FeatureCollection');
    }
    expect(csv.charCodeAt(0)).toBe(0xfeff);
    expect(csv.trimEnd().split('\r\n').length).toBe(corrections.features.length + 1);
    const at = (name: string): string => join(folder, name);
    if (has('xmllint'))
      execFileSync('xmllint', ['--noout', at('josm.osm'), at('changements.osc'), at('points.gpx')]);
    if (has('osmium')) {
      for (const name of ['josm.osm', 'changements.osc'])
        expect(
          execFileSync('osmium', ['fileinfo', '-e', '-g', 'data.count.ways', at(name)])
            .toString()
            .trim(),
        ).toBe(String(osm.match(/<way /g)!.length));
    }
    if (has('ogrinfo'))
      for (const [name, layer] of [
        ['points.gpx', 'waypoints'],
        ['taches.geojson', 'taches'],
      ])
        expect(execFileSync('ogrinfo', ['-so', at(name!), layer!]).toString()).toContain(
          `Feature Count: ${questions}`,
        );
  });

  it('gives links that editors read without an account, until they are ended', async () => {
    await page.goto(`${base}/atelier/${code}/exports?lg=fr`);
    const josm = new URL((await page.getAttribute('a[target=josm]', 'href'))!);
    expect(josm.host).toBe('127.0.0.1:8111');
    const address = josm.searchParams.get('url')!;
    const anybody = await browser.newContext();
    const read = async (): Promise<number> => (await anybody.request.get(address)).status();
    expect(await read()).toBe(200);
    const id = new URL((await page.getAttribute('a[href*="openstreetmap.org/edit"]', 'href'))!);
    const told = new URLSearchParams(id.hash.slice(1));
    expect(told.get('hashtags')).toMatch(/#calanque/);
    expect(told.get('comment')).toBeTruthy();
    expect(told.get('source')).toMatch(/survey/);
    await press('form[action*="/exports/revoquer"] button');
    expect(await page.textContent('[role=status]')).toMatch(/liens/);
    expect(await read()).toBe(403);
    await anybody.close();
  });
});
