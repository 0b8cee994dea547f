/** Follows a session's changes; where events cannot pass, asks every few seconds. It gives the way to stop. */
export function follow(address: string, changed: () => Promise<void>, reached?: () => void): () => void {
  let busy = false;
  let again = false;
  const due = async (): Promise<void> => {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    try {
      await changed();
    } catch {
      // The hub is away; the next event or turn asks again.
    }
    busy = false;
    if (again) {
      again = false;
      void due();
    }
  };
  let heard = 0;
  const hear = () => {
    heard = Date.now();
    reached?.();
  };
  const source = new EventSource(address);
  source.onmessage = () => {
    hear();
    void due();
  };
  source.addEventListener('alive', hear);
  const timer = setInterval(() => {
    if (Date.now() - heard > 12000) void due();
  }, 4000);
  return () => {
    source.close();
    clearInterval(timer);
  };
}

/** The same page as it is now; light leaves out what does not change. */
export async function fresh(light: boolean): Promise<Document | null> {
  const address = new URL(location.href);
  if (light) address.searchParams.set('vif', '1');
  address.searchParams.delete('fait'); // what it says has been said
  const answer = await fetch(address, { headers: { Accept: 'text/html' }, cache: 'no-store' });
  return answer.ok ? parse(await answer.text()) : null;
}

export const parse = (html: string): Document => new DOMParser().parseFromString(html, 'text/html');

/** Puts the live parts of a page in the place of the older ones. */
export function replaceLive(from: Document): void {
  for (const part of document.querySelectorAll<HTMLElement>('[data-live]')) {
    const by = from.querySelector(`[data-live="${part.dataset.live}"]`);
    // Whoever is typing or has the focus there is not interrupted.
    if (!by || part.contains(document.activeElement) || part.outerHTML === by.outerHTML) continue;
    part.replaceWith(document.adoptNode(by));
  }
  callsEnd();
}

let ending: ReturnType<typeof setTimeout> | undefined;

/** A call for attention ends by itself on the page too. */
export function callsEnd(): void {
  clearTimeout(ending);
  const call = document.querySelector<HTMLElement>('.called [data-left]');
  if (call) ending = setTimeout(() => call.remove(), Number(call.dataset.left) * 1000);
}
