import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { violations } from './axe';
import { base, launch, mediator, settled, signIn, town, visit } from './browser';

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const compare = '/carte?c=points-eau&comparer=1';

/** The work list's first outcome of a kind. */
async function first(page: Page, kind: string): Promise<string> {
  const answer = await page.request.get(
    `${base}/api/collections/points-eau-osm/items?kind=${kind}&limit=1&skipGeometry=true&f=json`,
  );
  return String(((await answer.json()) as { features: { id: string }[] }).features[0].id);
}

/** Waits until the script's card has taken the place of the server's, with its row of answers. */
async function answerable(page: Page, row = '.verdict .aq'): Promise<void> {
  await settled(page);
  await page.waitForSelector(row);
}

describe('the page that signs in', () => {
  for (const lang of ['fr', 'en', 'it'])
    it(`has no axe violation and does not scroll sideways: ${lang}`, async () => {
      for (const [width, height] of [
        [1366, 768],
        [390, 844],
        [320, 640],
      ])
        for (const path of [`/connexion?lg=${lang}`, `/connexion?lg=${lang}&sorti=1`]) {
          const v = await visit(browser, path, { viewport: { width, height }, settle: false });
          expect(await violations(v.page), `${path} ${width}`).toEqual([]);
          expect(
            await v.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
            `${path} ${width}`,
          ).toBe(true);
          expect(await v.page.getAttribute('html', 'lang')).toBe(lang);
          expect(v.faults).toEqual([]);
          await v.close();
        }
    }, 180000);

  it('refuses kindly, keeps the login and says it to screen readers, without a script', async () => {
    const v = await visit(browser, '/connexion?lg=fr', { javaScriptEnabled: false });
    await v.page.fill('#login', 'personne');
    await v.page.fill('#password', 'pas le bon mot');
    await v.page.keyboard.press('Enter');
    expect(await v.page.textContent('[role=alert]')).toContain('ne vont pas ensemble');
    expect(await v.page.inputValue('#login')).toBe('personne');
    expect(await v.page.inputValue('#password')).toBe('');
    await v.close();
  });

  it('is not in the way of citizens', async () => {
    const v = await visit(browser, `/carte?lg=fr${town}`);
    expect(await v.page.textContent('header')).not.toMatch(/connect|connexion/i);
    await v.page.keyboard.press('?');
    await v.page.waitForSelector('dialog a[href^="/connexion"]');
    await v.close();
  });
});

describe.skipIf(!mediator)('a mediator', () => {
  it('signs in, judges a pair, takes it back and signs out, without a script', async () => {
    const v = await visit(browser, '/connexion?lg=fr', { javaScriptEnabled: false });
    const id = await first(v.page, 'moved');
    await signIn(v.page, `${compare}&lg=fr&sel=${id}`);
    expect(new URL(v.page.url()).pathname).toBe('/carte');
    expect(await v.page.textContent('header .who')).toContain(mediator!.login);
    await v.page.click('button[value=same_place]');
    expect(await v.page.textContent('.verdict [role=status]')).toContain('Oui, c’est le même lieu.');
    expect(await v.page.locator('button[value=same_place]').count()).toBe(0);
    await v.page.click('button[value=undo]');
    expect(await v.page.locator('button[value=same_place]').count()).toBe(1);
    await v.page.click('header .who button');
    expect(await v.page.textContent('[role=status]')).toContain('terminée');
    await v.page.goto(base + `${compare}&lg=fr&sel=${id}`);
    expect(await v.page.locator('.verdict').count()).toBe(0);
    expect(v.faults).toEqual([]);
    await v.close();
  });

  for (const [width, height] of [
    [1366, 768],
    [390, 844],
  ])
    it(`judges in the card at ${width}: by mouse and by keyboard, kept through a reload, no axe violation`, async () => {
      const v = await visit(browser, '/connexion?lg=fr', { viewport: { width, height }, settle: false });
      const page = v.page;
      const [pair, alone] = [await first(page, 'moved'), await first(page, 'only_open_data')];
      await signIn(page, `${compare}&lg=fr&sel=${pair}${town}`);
      await answerable(page);
      expect(await page.locator('.verdict button').allTextContents()).toEqual([
        'Oui',
        'Non',
        'À vérifier sur place',
      ]);
      for (const lang of ['fr', 'en', 'it']) {
        await page.goto(`${base}${compare}&lg=${lang}&sel=${pair}${town}`);
        await answerable(page);
        expect(await violations(page), lang).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
      }
      await page.goto(`${base}${compare}&lg=fr&sel=${pair}${town}`);
      await answerable(page);
      await page.keyboard.press('2');
      await page.waitForSelector('text=Non, ce sont deux lieux différents.');
      expect(await violations(page)).toEqual([]);
      await page.reload();
      await settled(page);
      await page.waitForSelector('text=Non, ce sont deux lieux différents.');
      await page.click('text=Annuler cette réponse');
      await page.waitForSelector('.verdict .aq');
      await page.goto(`${base}${compare}&lg=fr&sel=${alone}${town}`);
      await answerable(page, '.verdict button');
      expect(await page.locator('.verdict button').allTextContents()).toEqual(['À vérifier sur place']);
      await page.click('.verdict button');
      await page.waitForSelector('.verdict [role=status]');
      await page.click('text=Annuler cette réponse');
      await page.waitForSelector('text=À vérifier sur place');
      expect(v.faults).toEqual([]);
      await v.close();
    }, 120000);

  it('is told when the login has ended, and comes back to the same card', async () => {
    const v = await visit(browser, '/connexion?lg=fr', { settle: false });
    const pair = await first(v.page, 'moved');
    await signIn(v.page, `${compare}&lg=fr&sel=${pair}${town}`);
    await answerable(v.page);
    await v.page.context().clearCookies();
    await v.page.click('.verdict .btn');
    await v.page.click('.verdict [role=alert] a');
    expect(await v.page.inputValue('input[name=vers]')).toContain(`sel=${pair}`);
    await v.close();
  });
});
