import './atelier.css';
import './paper.css';
import './report.css';
import { enterByKeys } from './entry';
import { offerPrinting } from './print';

/**
 * What scripts add to the pages of mapping sessions, which are whole without:
 * they follow the log of changes, and answers are given by the keys 1 to 4.
 */

/** Puts the live parts of this page in the place of the older ones. */
async function refresh(): Promise<void> {
  const address = new URL(location.href);
  address.searchParams.set('vif', '1'); // without what does not change
  const answer = await fetch(address, { headers: { Accept: 'text/html' }, cache: 'no-store' });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
  for (const part of document.querySelectorAll<HTMLElement>('[data-live]')) {
    const by = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
    // Whoever is typing or has the focus there is not interrupted.
    if (!by || part.contains(document.activeElement) || part.outerHTML === by.outerHTML) continue;
    part.replaceWith(document.adoptNode(by));
  }
}

/** Follows the session's changes; where events cannot pass, asks every few seconds. */
function follow(address: string): void {
  let busy = false;
  let again = false;
  const due = async (): Promise<void> => {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    try {
      await refresh();
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
  const source = new EventSource(address);
  source.onmessage = () => {
    heard = Date.now();
    void due();
  };
  source.addEventListener('alive', () => {
    heard = Date.now();
  });
  setInterval(() => {
    if (Date.now() - heard > 12000) void due();
  }, 4000);
}

/** The keys 1 to 4 press the answer that carries them. */
function keys(form: HTMLFormElement): void {
  document.addEventListener('keydown', (e) => {
    if (e.altKey || e.ctrlKey || e.metaKey || (e.target as HTMLElement).closest('input, textarea, select'))
      return;
    const button = form.querySelector<HTMLButtonElement>(`button[data-key="${CSS.escape(e.key)}"]`);
    if (button) {
      e.preventDefault();
      button.click();
    }
  });
}

const live = document.body.dataset.events;
if (live) follow(live);
const question = document.querySelector<HTMLFormElement>('form[data-question]');
if (question) keys(question);
const sheet = document.querySelector<HTMLFormElement>('form[data-sheet]');
if (sheet) enterByKeys(sheet);
offerPrinting();
