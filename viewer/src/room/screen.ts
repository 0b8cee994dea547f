import { waiting, words } from './words';

/** The parts of a page that show one question. */
export interface Shown {
  map: Element;
  main: Element;
}

export const main = () => document.querySelector<HTMLElement>('[data-part=main]');
export const mapBox = () => document.querySelector<HTMLElement>('[data-part=map]');
export const question = () => document.querySelector<HTMLFormElement>('form[data-question]');

/** The parts of a page, or of something like one. */
export function partsOf(from: ParentNode): Shown | null {
  const [map, asked] = ['map', 'main'].map((part) => from.querySelector(`[data-part=${part}]`));
  return map && asked ? { map, main: asked } : null;
}

/** A copy of what is shown now, as the server had drawn it. */
export function copyOf(s: Shown): Shown {
  const map = s.map.cloneNode(true) as Element;
  map.querySelector('.moving')?.remove();
  map.classList.remove('moves', 'points');
  return { map, main: s.main.cloneNode(true) as Element };
}

/** Puts parts in the place of those that are shown. */
export function show(s: Shown): void {
  mapBox()?.replaceWith(document.adoptNode(s.map));
  main()?.replaceWith(document.adoptNode(s.main));
}

/** Puts another page of the room in the place of this one; false when it is none. */
export function swap(now: Document): boolean {
  const parts = partsOf(now);
  if (now.body.dataset.state === undefined || !parts) return false;
  show(parts);
  for (const place of ['[data-part=cell]', '.seat']) {
    const [a, b] = [document, now].map((d) => d.querySelector(place));
    if (a && b) a.replaceWith(document.adoptNode(b));
  }
  document.title = now.title;
  Object.assign(document.body.dataset, now.body.dataset);
  return true;
}

/** In the place of the question: the hub is away, and the page holds no other. */
export function nothingHeld(): void {
  const note = document.createElement('div');
  const title = document.createElement('h1');
  title.textContent = words().awayTitle ?? '';
  const text = document.createElement('p');
  text.textContent = words().awayText ?? '';
  note.append(title, text);
  for (const part of main()?.querySelectorAll('.cn, .pgr, h1, .qn, .ex, .note, .sites') ?? []) part.remove();
  question()?.replaceWith(note);
}

/** Reads the question out to who does not see it, and shows its beginning to who does. */
export function focusTitle(): void {
  const title = main()?.querySelector<HTMLElement>('h1');
  if (!title) return;
  title.tabIndex = -1;
  title.focus({ preventScroll: true });
  scrollTo(0, 0);
}

/** Says something at the top of the question. */
export function say(sentence = '', wrong = false): void {
  const into = main() ?? document.querySelector('main');
  if (!into || !sentence) return;
  into.querySelector('.said')?.remove();
  const note = document.createElement('p');
  note.className = `note said ${wrong ? 'err' : 'ok'}`;
  note.setAttribute('role', wrong ? 'alert' : 'status');
  into.prepend(note);
  note.textContent = sentence;
}

/** Shows how many answers wait. */
export function count(n: number): void {
  const wait = document.querySelector<HTMLElement>('.wait');
  if (!wait) return;
  wait.hidden = n === 0;
  wait.querySelector('span')!.textContent = n === 0 ? '' : waiting(n);
}
