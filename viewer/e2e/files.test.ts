import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { violations } from './axe';
import { base, launch, visit } from './browser';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

/** The least time that a form must lie open, and a little more. */
const written = 3500;

describe('pages of what visitors send', () => {
  for (const lang of ['fr', 'en', 'it'])
    it(`have no axe violation and do not scroll sideways: ${lang}`, async () => {
      for (const [width, height] of [
        [1366, 768],
        [390, 844],
      ])
        for (const path of [
          `/signaler?jeu=points-eau&lg=${lang}`,
          `/reutilisations?lg=${lang}`,
          `/reutilisations/proposer?jeu=points-eau&lg=${lang}`,
          `/donnees/points-eau/reutilisations?lg=${lang}`,
        ]) {
          const v = await visit(browser, path, { viewport: { width, height }, settle: false });
          expect(await violations(v.page), `${path} ${width}`).toEqual([]);
          expect(
            await v.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
            `${path} ${width}`,
          ).toBe(true);
          expect(v.faults).toEqual([]);
          await v.close();
        }
    }, 180000);
});

describe('a report, without a script', () => {
  it('is refused kindly with a telephone number, sent without, and answered on its own page', async () => {
    const v = await visit(browser, '/signaler?jeu=points-eau&lg=fr', { javaScriptEnabled: false });
    const text = 'La fontaine du port est à sec. Appelez le 04 91 00 00 00.';
    await v.page.fill('#texte', text);
    await v.page.waitForTimeout(written);
    await v.page.click('main button[type=submit]');
    expect(await v.page.textContent('[role=alert]')).toContain('numéro de téléphone');
    expect(await v.page.inputValue('#texte')).toBe(text);
    await v.page.fill('#texte', 'La fontaine du port est à sec.');
    await v.page.waitForTimeout(written);
    await v.page.click('main button[type=submit]');
    expect(new URL(v.page.url()).pathname).toMatch(/^\/signalements\/[\w-]{22}$/);
    expect(await v.page.textContent('[role=status]')).toContain('Votre message est arrivé');
    expect(await v.page.textContent('main')).toContain('La fontaine du port est à sec.');
    await v.close();
  }, 60000);
});

describe('a reuse, without a script', () => {
  it('names each field that is wrong and loses nothing', async () => {
    const v = await visit(browser, '/reutilisations/proposer?jeu=points-eau&lg=fr', {
      javaScriptEnabled: false,
    });
    const drawing = join(mkdtempSync(join(tmpdir(), 'calanque-')), 'dessin.png');
    writeFileSync(drawing, '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
    await v.page.fill('#title', 'Carte des fontaines');
    await v.page.fill('#url', 'http://192.168.1.1/carte');
    await v.page.fill('#description', 'Une *carte*.');
    await v.page.setInputFiles('#picture', drawing);
    await v.page.waitForTimeout(written);
    await v.page.click('main button[type=submit]');
    expect(await v.page.textContent('#url-faux')).toContain('réseau intérieur');
    expect(await v.page.textContent('#picture-faux')).toContain('SVG');
    expect(await v.page.inputValue('#title')).toBe('Carte des fontaines');
    expect(await v.page.inputValue('#datasets')).toBe(`${base}/donnees/points-eau`);
    await v.page.fill('#url', 'https://fontaines.example.org/');
    await v.page.waitForTimeout(written);
    await v.page.click('main button[type=submit]');
    expect(new URL(v.page.url()).pathname).toMatch(/^\/reutilisations\/suivi\//);
    expect(await v.page.textContent('main')).toContain('Attend une lecture');
    await v.close();
  }, 60000);
});

describe('a sheet on the map', () => {
  it('leads to the form about its object', async () => {
    const answer = await fetch(`${base}/api/collections/points-eau/items?limit=1&skipGeometry=true&f=json`);
    const id = ((await answer.json()) as { features: { id: string }[] }).features[0].id;
    for (const javaScriptEnabled of [true, false]) {
      const v = await visit(browser, `/carte?c=points-eau&sel=${id}&lg=fr`, {
        javaScriptEnabled,
        settle: javaScriptEnabled,
      });
      const link = v.page.locator('a[href^="/signaler"]').first();
      await link.waitFor();
      const to = new URL((await link.getAttribute('href'))!, base);
      expect(to.searchParams.get('objet')).toBe(`points-eau/${id}`);
      await v.close();
    }
  }, 60000);
});
