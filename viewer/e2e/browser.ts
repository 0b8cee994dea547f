import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

/** The hub under test; it holds the sample (`calanque demo`). */
export const base = process.env.HUB_URL!;

/** The sample's mediator, when the tests were told (`calanque demo --json`). */
export const mediator = JSON.parse(process.env.HUB_SIGN_IN || 'null') as {
  login: string;
  password: string;
} | null;

/** Signs the mediator in by the form, which leads to a path. */
export async function signIn(page: Page, path: string): Promise<void> {
  await page.goto(`${base}/connexion?vers=${encodeURIComponent(path)}`);
  await page.fill('#login', mediator!.login);
  await page.fill('#password', mediator!.password);
  await page.click('.signin button');
}

const quiet = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export async function launch(...args: string[]): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [...quiet, ...args],
  });
}

export interface Visit {
  page: Page;
  /** Addresses of other hosts, policy violations, script errors, refused answers: all must stay empty. */
  faults: string[];
  close(): Promise<void>;
}

/** Opens a page of the hub and notes whatever goes wrong on it. */
export async function visit(
  browser: Browser,
  path: string,
  options: BrowserContextOptions & { settle?: boolean } = {},
): Promise<Visit> {
  const context = await browser.newContext({
    viewport: { width: 1366, height: 768 },
    locale: 'fr-FR',
    reducedMotion: 'reduce',
    ...options,
  });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('request', (r) => {
    const u = new URL(r.url());
    if (u.origin !== new URL(base).origin && u.protocol !== 'data:' && u.protocol !== 'blob:')
      faults.push(`other host: ${r.url()}`);
  });
  page.on('response', (r) => {
    if (r.status() >= 400) faults.push(`${r.status()}: ${r.url()}`);
  });
  page.on('pageerror', (e) => faults.push(`script: ${e.message}`));
  page.on('console', (m) => {
    if (m.type() === 'error') faults.push(`console: ${m.text()}`);
  });
  if (options.javaScriptEnabled !== false)
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (e) =>
        console.error(`policy: ${e.violatedDirective} ${e.blockedURI}`),
      );
    });
  await page.goto(base + path);
  if (options.javaScriptEnabled !== false && options.settle !== false) await settled(page);
  return { page, faults, close: () => context.close() };
}

/** Waits until the map is drawn and the count is there. */
export async function settled(page: Page): Promise<void> {
  await page.waitForSelector('.map canvas', { timeout: 30000 });
  await page.waitForFunction(
    () =>
      !document.querySelector('.outline') &&
      /\d/.test(document.querySelector('.stat [role=status]')?.textContent ?? ''),
    undefined,
    { timeout: 30000 },
  );
  await page.waitForLoadState('networkidle');
}

/** The middle of the sample's old town. */
export const town = '#16.1/43.1037/6.2453';
