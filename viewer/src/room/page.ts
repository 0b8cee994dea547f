import { ask, send } from './hub';
import { callsEnd, follow, fresh, parse, replaceLive } from './live';
import type { PlaceMap } from './place';
import { Pointing } from './pointing';
import { Queue, type Waiting } from './queue';
import { uuid } from './uuid';
import { waiting, words } from './words';

const main = () => document.querySelector<HTMLElement>('[data-part=main]');
const question = () => document.querySelector<HTMLFormElement>('form[data-question]');

/** The parts of a page that show one question. */
interface Shown {
  map: Element;
  main: Element;
}

/**
 * A participant's page that stays open: answers go to the queue first and to the hub when it is there, the next
 * question takes the place of the last, and while the hub is out of reach the page goes on with the few it holds.
 */
export class Room {
  readonly #path: string;
  readonly #queue: Queue;
  readonly #pointing: Pointing;
  #ahead: Shown[] = []; // questions to go on with, leased to nobody
  #aheadAt = 0;
  #answered = new Map<string, Shown>(); // by key, so that an answer that still waits can be taken back
  #away = false;
  #busy = false;
  #flushing: Promise<string | null> | null = null;
  #pause = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #followed = '';
  #unfollow = () => {};
  #map: PlaceMap | null = null;

  /** Takes over the page of a room; without a place to keep answers it leaves it as it is. */
  static async begin(code: string): Promise<void> {
    const queue = await Queue.open(code);
    if (queue) await new Room(code, queue).#start();
    else if (document.body.dataset.events)
      follow(document.body.dataset.events, () => Promise.resolve(location.reload()));
  }

  private constructor(code: string, queue: Queue) {
    this.#path = `/atelier/${code}`;
    this.#queue = queue;
    this.#pointing = new Pointing(() => (this.#away ? null : this.#map));
  }

  async #start(): Promise<void> {
    await this.#count();
    if (!document.body.dataset.state) {
      if ((await this.#queue.list()).length > 0) this.#say(words().noSeat);
      return;
    }
    document.addEventListener('submit', (e) => this.#submitted(e));
    document.addEventListener('click', (e) => this.#clicked(e));
    addEventListener('popstate', () => void this.#go(location.href, false));
    addEventListener('online', () => this.#soon(0));
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible' && this.#away) this.#soon(0);
    });
    setInterval(() => void this.#beat(), 4 * 60 * 1000);
    this.#arm();
    if ((await this.#queue.list()).length > 0) void this.#deliver();
    // What follows can wait until the first question can be answered.
    if (document.readyState === 'complete') this.#later();
    else addEventListener('load', () => this.#later());
  }

  #later(): void {
    const idle = window.requestIdleCallback ?? ((f: () => void) => setTimeout(f, 300));
    setTimeout(() => idle(() => void this.#moving().then(() => this.#stock())), 400);
  }

  /** Brings the map that moves; the drawn one stays where it can't be had. */
  async #moving(): Promise<void> {
    try {
      const { PlaceMap } = await import('./place');
      this.#map = new PlaceMap(document.documentElement.lang);
      this.#place();
    } catch {
      this.#map = null;
    }
  }

  #place(): void {
    const box = document.querySelector<HTMLElement>('[data-part=map]');
    if (box) this.#map?.show(this.#away ? null : box);
  }

  /** After each change of what is shown. */
  #arm(): void {
    this.#pointing.end();
    this.#place();
    callsEnd();
    void this.#count();
    const { events } = document.body.dataset;
    if (events && events !== this.#followed) {
      this.#unfollow();
      this.#followed = events;
      this.#unfollow = follow(
        events,
        () => this.#changed(),
        () => {
          if (this.#away) this.#soon(0);
        },
      );
    }
  }

  /** The room has moved: a freeze, a call, a phase, or something to do again. */
  async #changed(): Promise<void> {
    if (this.#busy || this.#away) return;
    const now = await fresh(false);
    if (!now || this.#busy || this.#away) return;
    const { state } = document.body.dataset;
    if (state === 'ask' && now.body.dataset.state === 'ask') replaceLive(now);
    else if (now.body.dataset.state !== state || state !== 'ask') this.#swap(now, false);
  }

  #submitted(e: SubmitEvent): void {
    const form = e.target as HTMLFormElement;
    const button = e.submitter as HTMLButtonElement | null;
    if (form.method !== 'post' || !new URL(form.action).pathname.startsWith(this.#path + '/')) return;
    e.preventDefault();
    if (this.#busy) return;
    const body = new URLSearchParams();
    new FormData(form).forEach((v, k) => body.append(k, String(v)));
    if (button?.name) body.append(button.name, button.value);
    if (form.dataset.question) {
      if (button?.dataset.place !== undefined && this.#pointing.wants(form, button)) return;
      void this.#answer(form, body);
    } else if ('undo' in form.dataset) void this.#undo(form, body);
    else void this.#post(form, body);
  }

  #clicked(e: MouseEvent): void {
    const link = (e.target as Element).closest<HTMLAnchorElement>('a[href]');
    if (!link || e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey)
      return;
    const to = new URL(link.href);
    if (to.origin !== location.origin || link.target || link.getAttribute('href')!.startsWith('#')) return;
    if (this.#away) {
      e.preventDefault(); // a page that is left now can't be come back to
      this.#say(words().away);
    } else if (to.pathname === this.#path && !link.hreflang) {
      e.preventDefault();
      void this.#go(link.href, true);
    }
  }

  /** Keeps an answer, then sends it and shows the next question. */
  async #answer(form: HTMLFormElement, body: URLSearchParams): Promise<void> {
    this.#busy = true;
    const item = { key: uuid(), action: form.action, body: '', task: form.dataset.question!, at: Date.now() };
    body.set('cle', item.key);
    item.body = body.toString();
    try {
      await this.#queue.add(item);
    } catch {
      this.#busy = false;
      form.submit(); // the disk is full, or worse
      return;
    }
    this.#remember(item.key);
    await this.#count();
    if (this.#away) {
      this.#next();
      this.#busy = false;
      return;
    }
    const how = await this.#flush();
    if (how !== null) await this.#go(`${this.#path}?fait=${how}${this.#lang()}`, false);
    this.#busy = false;
  }

  #lang(): string {
    return `&lg=${document.documentElement.lang}`;
  }

  #remember(key: string): void {
    const box = document.querySelector('[data-part=map]');
    const asked = main();
    if (!box || !asked) return;
    const map = box.cloneNode(true) as Element;
    map.querySelector('.moving')?.remove();
    map.classList.remove('moves');
    this.#answered.set(key, { map, main: asked.cloneNode(true) as Element });
    if (this.#answered.size > 12) this.#answered.delete(this.#answered.keys().next().value!);
  }

  /**
   * Sends what waits, in the order it was given. It gives what became of the last, null when the hub is away or has
   * refused something. Two calls at once are one.
   */
  #flush(): Promise<string | null> {
    this.#flushing ??= this.#sendAll().finally(() => (this.#flushing = null));
    return this.#flushing;
  }

  async #sendAll(): Promise<string | null> {
    let how: string | null = null;
    let refused = '';
    for (const w of await this.#queue.list()) {
      const sent = await send(w.action, w.body);
      if (sent.is === 'away') {
        this.#lost();
        return null;
      }
      if (sent.is === 'no-seat') {
        location.assign(this.#path); // the door, which tells what waits
        return null;
      }
      await this.#queue.remove(w.key);
      await this.#count();
      if (sent.is === 'refused') refused = this.#refuse(w, sent.why);
      else how = sent.how;
    }
    this.#away = false;
    return refused ? null : (how ?? '');
  }

  /** Says why an answer was not taken, beside its question if that is shown. */
  #refuse(w: Waiting, why: string): string {
    const was = this.#answered.get(w.key);
    if (question()?.dataset.question !== w.task && was) this.#show(was);
    this.#say(why, true);
    return why;
  }

  /** The hub is out of reach: go on with what the page holds. */
  #lost(): void {
    const first = !this.#away;
    this.#away = true;
    this.#place();
    if (first && this.#busy) this.#next();
    this.#soon(Math.min(15000, (this.#pause = this.#pause ? this.#pause * 2 : 2000)));
  }

  #soon(ms: number): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.#deliver(), ms);
  }

  /** Tries the hub again, with what waits or to see whether it is there. */
  async #deliver(): Promise<void> {
    if (this.#busy) return this.#soon(500);
    const waited = (await this.#queue.list()).length;
    const was = this.#away;
    if (waited === 0) {
      try {
        await ask(`${this.#path}?liste=1`);
      } catch {
        return this.#lost();
      }
      this.#away = false;
    } else if ((await this.#flush()) === null) return;
    this.#pause = 0;
    const form = question();
    const number = (form?.elements.namedItem('numero') as HTMLInputElement | null)?.value;
    // What is half typed stays; else the question is asked for again, and leased.
    const typed = [...(form?.querySelectorAll<HTMLInputElement>('input.inp') ?? [])].some((i) => i.value);
    if (was && !typed)
      await this.#go(`${this.#path}?${number ? `question=${number}` : ''}${this.#lang()}`, false);
    if (was || waited > 0) this.#say(words().back);
    this.#place();
    void this.#stock();
  }

  /** Shows one of the questions that the page holds, or that there is none. */
  #next(): void {
    const next = this.#ahead.shift();
    if (next) this.#show(next);
    else {
      const note = document.createElement('div');
      const title = document.createElement('h1');
      title.tabIndex = -1;
      title.textContent = words().awayTitle ?? '';
      const text = document.createElement('p');
      text.textContent = words().awayText ?? '';
      note.append(title, text);
      const form = question();
      for (const part of main()?.querySelectorAll<HTMLElement>('.cn, .pgr, h1, .qn, .ex, .note, .sites') ??
        [])
        part.remove();
      form?.replaceWith(note);
    }
    document.body.dataset.state = 'ask';
    this.#say(words().keptHere);
    this.#arm();
    this.#focus();
  }

  #show(s: Shown): void {
    const copy = { map: s.map.cloneNode(true) as Element, main: s.main.cloneNode(true) as Element };
    document.querySelector('[data-part=map]')?.replaceWith(document.adoptNode(copy.map));
    main()?.replaceWith(document.adoptNode(copy.main));
    this.#arm();
  }

  /** Puts another page of the room in the place of this one; one that is none is gone to. */
  #swap(now: Document, focus: boolean): void {
    if (now.body.dataset.room === undefined || now.body.dataset.state === undefined) {
      location.assign(this.#path);
      return;
    }
    for (const part of ['cell', 'map', 'main']) {
      const [a, b] = [document, now].map((d) => d.querySelector(`[data-part=${part}]`));
      if (a && b) a.replaceWith(document.adoptNode(b));
    }
    document.querySelector('.seat')?.replaceWith(document.adoptNode(now.querySelector('.seat')!));
    document.title = now.title;
    Object.assign(document.body.dataset, now.body.dataset);
    this.#arm();
    if (focus) this.#focus();
  }

  /** Reads the question out to who does not see it, and shows its beginning to who does. */
  #focus(): void {
    const title = main()?.querySelector<HTMLElement>('h1');
    if (!title) return;
    title.tabIndex = -1;
    title.focus({ preventScroll: true });
    scrollTo(0, 0);
  }

  async #go(address: string, remember: boolean): Promise<void> {
    try {
      const answer = await ask(address, { headers: { Accept: 'text/html' } });
      const now = parse(await answer.text());
      const seen = new URL(answer.url || address, location.href);
      seen.searchParams.delete('fait');
      if (remember) history.pushState(null, '', seen);
      else history.replaceState(null, '', seen);
      this.#swap(now, true);
      void this.#stock();
    } catch {
      this.#lost();
      this.#say(words().away);
    }
  }

  /** Sends another form of the page, and shows what it leads to. */
  async #post(form: HTMLFormElement, body: URLSearchParams): Promise<void> {
    if (this.#away) return this.#say(words().away);
    try {
      const answer = await ask(form.action, { method: 'POST', body, headers: { Accept: 'text/html' } });
      this.#swap(parse(await answer.text()), true);
    } catch {
      this.#lost();
      this.#say(words().away);
    }
  }

  /** Takes back the last answer: one that still waits never leaves. */
  async #undo(form: HTMLFormElement, body: URLSearchParams): Promise<void> {
    const last = (await this.#queue.list()).at(-1);
    if (!last) return this.#post(form, body);
    if (this.#flushing) return;
    await this.#queue.remove(last.key);
    const was = this.#answered.get(last.key);
    if (was) this.#show(was);
    this.#say(words().undone);
    await this.#count();
    this.#focus();
  }

  /** Fetches a few questions to go on with, now and then. */
  async #stock(): Promise<void> {
    const asked = question()?.dataset.question;
    this.#ahead = this.#ahead.filter((s) => !s.main.querySelector(`form[data-question="${asked}"]`));
    if (
      this.#away ||
      document.body.dataset.state !== 'ask' ||
      (this.#ahead.length > 1 && Date.now() - this.#aheadAt < 300000)
    )
      return;
    if (Date.now() - this.#aheadAt < 20000) return;
    this.#aheadAt = Date.now();
    try {
      const answer = await ask(`${this.#path}/avance?lg=${document.documentElement.lang}`);
      if (!answer.ok) return;
      this.#ahead = [...parse(await answer.text()).querySelectorAll('[data-ahead]')]
        .filter((a) => a.getAttribute('data-ahead') !== asked)
        .map((a) => ({
          map: a.querySelector('[data-part=map]')!,
          main: a.querySelector('[data-part=main]')!,
        }));
    } catch {
      // The next question asks again.
    }
  }

  /** While the page is open and seen, its question stays with who reads it. */
  async #beat(): Promise<void> {
    if (this.#away || document.visibilityState !== 'visible' || document.body.dataset.state !== 'ask') return;
    try {
      await ask(`${this.#path}/garder`, { method: 'POST' });
    } catch {
      // A lease that ends loses nothing.
    }
  }

  /** Says something at the top of the question. */
  #say(sentence = '', wrong = false): void {
    const into = main() ?? document.querySelector('main');
    if (!into || !sentence) return;
    into.querySelector('.said')?.remove();
    const note = document.createElement('p');
    note.className = `note said ${wrong ? 'err' : 'ok'}`;
    note.setAttribute('role', wrong ? 'alert' : 'status');
    into.prepend(note);
    note.textContent = sentence;
  }

  async #count(): Promise<void> {
    const n = (await this.#queue.list()).length;
    const wait = document.querySelector<HTMLElement>('.wait');
    if (!wait) return;
    wait.hidden = n === 0;
    wait.querySelector('span')!.textContent = n === 0 ? '' : waiting(n);
  }
}
