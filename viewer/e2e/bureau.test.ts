import { mkdirSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { violations } from './axe';
import { base, launch, visit } from './browser';

interface Account {
  login: string;
  password: string;
}

/** How the sample's people sign in (`calanque demo --json`). */
const accounts = (
  JSON.parse(process.env.HUB_SIGN_IN || 'null') as {
    accounts?: { producer?: Account; coordinator?: Account };
  } | null
)?.accounts;
const producer = accounts?.producer;
const coordinator = accounts?.coordinator;

const shots = process.env.SHOTS; // a folder for pictures of the pages

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

async function enter(page: Page, path = '/bureau?lg=fr', who = producer!): Promise<void> {
  await page.goto(`${base}/connexion?vers=${encodeURIComponent(path)}`);
  await page.fill('#login', who.login);
  await page.fill('#password', who.password);
  await page.click('.signin button');
}

async function picture(page: Page, name: string): Promise<void> {
  if (!shots) return;
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: `${shots}/${name}.png`, fullPage: true });
}

/** The sample's water points as they are served, as CSV without the API's own first column. */
async function current(page: Page): Promise<string[]> {
  const text = await (await page.request.get(`${base}/telecharger/points-eau.csv`)).text();
  return text
    .replace(/^\ufeff/, '')
    .trim()
    .split(/\r?\n/)
    .map((line) => line.slice(line.indexOf(',') + 1));
}

/** The same with one point called otherwise, one gone and one new; which are which. */
function edition(lines: string[], name: string): string {
  const next = [...lines];
  const cells = next[1].split(',');
  cells[1] = name;
  next[1] = cells.join(',');
  next.splice(2, 1);
  next.push(['NEUF-1', ...next[3].split(',').slice(1)].join(','));
  return next.join('\n') + '\n';
}

async function send(page: Page, name: string, content: string): Promise<void> {
  await page.goto(`${base}/bureau/jeux/points-eau?lg=fr`);
  await page.setInputFiles('#fichier', { name, mimeType: 'text/csv', buffer: Buffer.from(content) });
  await page.click('button:has-text("Envoyer")');
  await page.waitForURL(/\/bureau\/envois\/\d+/);
}

/** The name of a point, as the public API gives it. */
async function served(page: Page, id: string): Promise<string> {
  const answer = await page.request.get(`${base}/api/collections/points-eau/items/${id}?f=json`);
  const f = (await answer.json()) as { properties: { nom: string | null } };
  return f.properties.nom ?? '';
}

async function until(check: () => Promise<boolean>): Promise<void> {
  for (let n = 0; n < 200; n++) {
    if (await check()) return;
    await new Promise((r) => setTimeout(r, 100));
  }
  throw new Error('it did not come about in twenty seconds');
}

describe.skipIf(!producer)('the desk of a producer', () => {
  it('describes, sends, compares, publishes and goes back', async () => {
    const v = await visit(browser, '/connexion?lg=fr', { settle: false });
    const { page } = v;
    await enter(page);
    expect(await page.textContent('h1')).toContain('Votre bureau');
    await picture(page, 'bureau-desktop');

    await page.goto(`${base}/bureau/jeux/points-eau/decrire?lg=fr`);
    await page.fill('#mots', 'eau potable | drinking water | acqua potabile\nfontaine');
    await page.fill('#territoire', '13055, D13');
    await picture(page, 'bureau-decrire-desktop');
    await page.click('button:has-text("Enregistrer")');
    expect(await page.textContent('[role=status]')).toContain('enregistrée');

    const lines = await current(page);
    const [id, was] = lines[1].split(',');
    await send(page, 'points-eau.csv', edition(lines, 'Fontaine du bureau'));
    await page.waitForSelector('button:has-text("Publier")', { timeout: 60000 });
    await picture(page, 'bureau-envoi-desktop');
    expect(await page.textContent('.c-add b')).toBe('+1');
    expect(await page.textContent('.c-rem b')).toBe('−1');
    expect(await page.textContent('.c-chg b')).toBe('1');
    expect(await served(page, id)).toBe(was); // nothing is published at once
    await page.click('button:has-text("Publier")');
    await page.waitForSelector('text=C’est publié', { timeout: 60000 });
    await until(async () => (await served(page, id)) === 'Fontaine du bureau');
    expect(await page.textContent('main')).toContain('Publié');
    await page.goto(`${base}/donnees/points-eau?lg=fr`);
    expect(await page.textContent('main')).toContain('eau potable');

    await page.goto(`${base}/bureau/jeux/points-eau?lg=fr`);
    await picture(page, 'bureau-jeu-desktop');
    await page.click('button:has-text("Revenir à cette version")');
    await page.waitForSelector('button:has-text("Publier")', { timeout: 60000 });
    await page.click('button:has-text("Publier")');
    await page.waitForSelector('text=C’est publié', { timeout: 60000 });
    await until(async () => (await served(page, id)) === was);
    expect(v.faults).toEqual([]);
    await v.close();
  }, 240000);

  it('does so without a script, and throws away', async () => {
    const v = await visit(browser, '/connexion?lg=fr', { javaScriptEnabled: false });
    const { page } = v;
    await enter(page);
    const lines = await current(page);
    await send(page, 'points-eau.csv', edition(lines, 'Sans script'));
    await page.waitForSelector('button:has-text("Jeter")', { timeout: 60000 }); // the page reloads by itself
    await page.click('button:has-text("Jeter")');
    expect(await page.textContent('[role=status]')).toContain('jeté');
    await page.goto(`${base}/bureau/jeux/points-eau?lg=fr`);
    await page.setInputFiles('#fichier', {
      name: 'notice.pdf',
      mimeType: 'application/pdf',
      buffer: Buffer.from('%PDF-1.4'),
    });
    await page.click('button:has-text("Envoyer")');
    expect(await page.textContent('[role=alert]')).toContain('notice.pdf');
    await v.close();
  }, 180000);

  it('loses nothing of what two people type', async () => {
    const v = await visit(browser, '/connexion?lg=fr', { settle: false });
    const { page } = v;
    await enter(page, '/bureau/jeux/equipements-publics/decrire?lg=fr');
    const other = await page.context().newPage();
    await other.goto(`${base}/bureau/jeux/equipements-publics/decrire?lg=fr`);
    await page.fill('#limites-fr', `Premier ${Date.now()}`);
    await page.click('button:has-text("Enregistrer")');
    expect(await page.textContent('[role=status]')).toContain('enregistrée');
    await other.fill('#limites-fr', 'Second');
    await other.fill('#page', 'pas une adresse');
    await other.click('button:has-text("Enregistrer")');
    expect(await other.textContent('[role=alert]')).toContain('producteur');
    expect(await other.textContent('table')).toContain('Premier');
    expect(await other.inputValue('#limites-fr')).toBe('Second');
    await other.click('button:has-text("Enregistrer mes valeurs")');
    expect(await other.textContent('[role=alert]')).toContain('Page chez le producteur');
    expect(await other.inputValue('#limites-fr')).toBe('Second');
    await other.fill('#page', '');
    await other.click('button:has-text("Enregistrer")');
    expect(await other.textContent('[role=status]')).toContain('enregistrée');
    await v.close();
  }, 120000);

  it('links a document, moves it, takes it away and brings it back', async () => {
    const v = await visit(browser, '/connexion?lg=fr', { settle: false });
    const { page } = v;
    await enter(page, '/bureau/jeux/communes/documents?lg=fr');
    const title = `Délibération ${Date.now()}`;
    await page.fill('#titre-fr', title);
    await page.fill('#adresse', 'http://127.0.0.1/secret');
    await page.click('button:has-text("Lier")');
    expect(await page.textContent('[role=alert]')).toContain('machine intérieure');
    expect(await page.inputValue('#titre-fr')).toBe(title);
    await page.fill('#adresse', '');
    await page.fill('#numero', '26-118');
    await page.setInputFiles('#fichier', {
      name: 'deliberation.pdf',
      mimeType: 'application/pdf',
      buffer: Buffer.from('%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n'),
    });
    await page.click('button:has-text("Lier")');
    const row = page.locator('.bl li', { hasText: title });
    expect(await row.textContent()).toContain('26-118');
    await picture(page, 'bureau-documents-desktop');
    await row.locator('button:has-text("Retirer")').click();
    expect(await page.locator('.bl li', { hasText: title }).count()).toBe(0);
    await page.click('button:has-text("Annuler")');
    expect(await page.locator('.bl li', { hasText: title }).count()).toBe(1);
    await v.close();
  }, 120000);

  for (const lang of ['fr', 'en', 'it'])
    it(`has no axe violation and does not scroll sideways: ${lang}`, async () => {
      for (const [width, height] of [
        [1366, 768],
        [390, 844],
      ]) {
        const v = await visit(browser, '/connexion?lg=fr', { settle: false, viewport: { width, height } });
        const { page } = v;
        await enter(page, `/bureau?lg=${lang}`);
        await page.goto(`${base}/bureau/jeux/points-eau?lg=${lang}`);
        const sent = await page.getAttribute('a[href*="/bureau/envois/"]', 'href');
        for (const path of [
          '/bureau',
          '/bureau/nouveau',
          '/bureau/jeux/points-eau',
          '/bureau/jeux/points-eau/decrire',
          '/bureau/jeux/points-eau/documents',
          '/bureau/corrections',
          '/bureau/signalements',
          ...(sent ? [sent.replace(/\?.*/, '')] : []),
        ]) {
          await page.goto(`${base}${path}?lg=${lang}`);
          expect(await violations(page), `${path} ${width}`).toEqual([]);
          expect(
            await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
            `${path} ${width} scrolls sideways`,
          ).toBe(true);
          expect(await page.textContent('body'), path).not.toMatch(/bureau\.[a-z]|%!|map\[/);
          if (lang === 'fr' && width === 390)
            await picture(page, `${path.slice(1).replaceAll('/', '-')}-phone`);
        }
        expect(v.faults).toEqual([]);
        await v.close();
      }
    }, 240000);
});

/** A spreadsheet as a service keeps it, in Windows-1252: a title above, a blank line, lines that are broken. */
function inventory(name: string, producer: string): Buffer {
  const lines = [
    'Pôle culture – inventaire;;;;',
    ';;;;',
    'N°;Ce qu’on a;Organisme;Droits;Rythme de mise à jour',
    `1;${name};${producer};Licence Ouverte;annuelle`,
    ';;;;',
    `2;Écoles d’été ${name};${producer};LO;parfois`,
  ];
  const odd: Record<string, number> = { '’': 0x92, '–': 0x96 };
  return Buffer.from([...lines.join('\r\n')].map((c) => odd[c] ?? c.charCodeAt(0)));
}

describe.skipIf(!coordinator)('the coordinator’s board and census', () => {
  for (const javaScriptEnabled of [true, false])
    it(`takes a spreadsheet ${javaScriptEnabled ? 'with' : 'without'} a script`, async () => {
      const v = await visit(browser, '/connexion?lg=fr', { settle: false, javaScriptEnabled });
      const { page } = v;
      await enter(page, '/bureau/recensement?lg=fr', coordinator);
      const known = (await page.textContent('#producteur option:nth-child(2)'))!;
      const name = `Théâtres ${Date.now()}`;
      const file = { name: 'Inventaire culture.csv', mimeType: 'text/csv', buffer: inventory(name, known) };
      await page.setInputFiles('#fichier', file);
      await page.click('button:has-text("Voir comment")');
      expect(await page.textContent('[role=alert]')).toContain('Titre'); // no title tells it
      await page.fill('#entete', '3');
      await page.click('button:has-text("Relire")');
      await page.selectOption('#c-2', 'title');
      await page.click('button:has-text("Relire")');
      expect(await page.inputValue('#c-2')).toBe('title');
      expect(await page.textContent('.c-add b')).toBe('1');
      expect(await page.textContent('#corriger ~ ul')).toContain('parfois');
      if (javaScriptEnabled) await picture(page, 'bureau-recensement-essai-desktop');
      await page.click('button:has-text("Écrire la ligne bonne")');
      expect(await page.textContent('[role=status]')).toContain('écrit');
      expect(await page.textContent('main')).toContain('parfois');
      const refused = await page.request.get(base + (await page.getAttribute('a[download]', 'href')));
      expect(await refused.text()).toContain('calanque : à corriger');
      await page.goto(`${base}/bureau/parcours?lg=fr`);
      expect(await page.textContent('main')).toContain(name);
      await v.close();
    }, 120000);

  for (const lang of ['fr', 'en', 'it'])
    it(`has no axe violation and does not scroll sideways: ${lang}`, async () => {
      for (const [width, height] of [
        [1366, 768],
        [390, 844],
      ]) {
        const v = await visit(browser, '/connexion?lg=fr', { settle: false, viewport: { width, height } });
        const { page } = v;
        await enter(page, `/bureau/recensement?lg=${lang}`, coordinator);
        const file = { name: 'axe.csv', mimeType: 'text/csv', buffer: inventory('Axe', 'Personne') };
        await page.setInputFiles('#fichier', file);
        await page.click('form[enctype] button');
        const draft = new URL(page.url()).pathname;
        await page.fill('#entete', '3');
        await page.selectOption('#c-2', 'title');
        await page.click('button[value=relire]');
        await page.goto(`${base}/bureau/recensement?lg=${lang}`);
        const report = await page.getAttribute('a[href*="/bureau/recensement/"]:not([href*=essais])', 'href');
        await page.goto(`${base}/bureau/parcours?lg=${lang}`);
        const chain = await page.getAttribute('main .bl a[href*="/bureau/parcours/"]', 'href');
        for (const path of ['/bureau', '/bureau/parcours', '/bureau/recensement', draft, report, chain]) {
          const at = path!.replace(/\?.*/, '');
          await page.goto(`${base}${at}?lg=${lang}`);
          expect(await violations(page), `${at} ${width}`).toEqual([]);
          expect(
            await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
            `${at} ${width} scrolls sideways`,
          ).toBe(true);
          expect(await page.textContent('body'), at).not.toMatch(/(census|board|bureau)\.[a-z]|%!|map\[/);
          if (lang === 'fr' && width === 390)
            await picture(page, `${at.slice(1).replaceAll('/', '-')}-phone`);
        }
        await page.goto(`${base}${draft}?lg=${lang}`);
        await page.click('button[value=jeter]');
        expect(v.faults).toEqual([]);
        await v.close();
      }
    }, 240000);
});
