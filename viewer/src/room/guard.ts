/**
 * Keeps a page for the moment a room is opened while the hub is away (see away.ts). Browsers allow it over https and
 * on the machine itself; elsewhere only a warning can keep somebody from losing the page.
 */

const kept = 'calanque-away';
const page = '/atelier/hors-ligne';

/** Guards a room; false where the browser cannot. */
export async function guard(room: string, script: string | undefined, lang: string): Promise<boolean> {
  if (!script || !isSecureContext || !('serviceWorker' in navigator) || !('caches' in globalThis))
    return false;
  try {
    await keep(script, lang);
    await navigator.serviceWorker.register(script, { scope: `/atelier/${room}`, updateViaCache: 'all' });
    return true;
  } catch {
    return false;
  }
}

/** Keeps the page of that language with what it needs; of other releases nothing stays. */
async function keep(script: string, lang: string): Promise<void> {
  const answer = await fetch(`${page}?lg=${lang}`, { credentials: 'omit' });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const copy = answer.clone();
  const parts = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const styles = [...parts.querySelectorAll('link[rel=stylesheet], link[rel=icon]')];
  await caches.delete(kept);
  const cache = await caches.open(kept);
  await cache.addAll([script, ...styles.map((s) => s.getAttribute('href')!)]);
  await cache.put(page, copy);
}

/** Guards nothing any more: the room was left, or is over. */
export async function unguard(): Promise<void> {
  if (!isSecureContext || !('serviceWorker' in navigator) || !('caches' in globalThis)) return;
  for (const r of await navigator.serviceWorker.getRegistrations())
    if (new URL(r.scope).pathname.startsWith('/atelier/')) await r.unregister();
  await caches.delete(kept);
}
