import { guard, unguard } from './guard';
import { ask, send } from './hub';
import { callsEnd, follow, fresh, parse, replaceLive } from './live';
import type { PlaceMap } from './place';
import { Pointing } from './pointing';
import { Queue, type Waiting } from './queue';
import {
  copyOf,
  count,
  focusTitle,
  mapBox,
  nothingHeld,
  partsOf,
  question,
  say,
  show,
  swap,
  type Shown,
} from './screen';
import { Stock } from './stock';
import { uuid } from './uuid';
import { words } from './words';

const beat = 4 * 60 * 1000; // milliseconds between two signs of life: well within a lease
const patience = { first: 2000, most: 15_000 }; // between two tries of a hub that is away
const remembered = 12; // answers whose question can be shown again

/**
 * A participant's page that stays open: answers go to the queue first and to the hub when it is there, the next
 * question takes the place of the last, and while the hub is out of reach the page goes on with the few it holds.
 */
export class Room {
  readonly #room: string;
  readonly #path: string;
  readonly #queue: Queue;
  readonly #pointing: Pointing;
  readonly #stock: Stock;
  readonly #answered = new Map<string, Shown>(); // by key
  #away = false;
  #guarded = false; // a reload while the hub is away shows a page that waits for it
  #busy = false; // an answer is on its way
  #flushing: Promise<string | null> | null = null;
  #pause = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #followed = '';
  #unfollow = () => {};
  #map: PlaceMap | null = null;

  /** Takes over the page of a room; without a place to keep answers it leaves it as it is. */
  static async begin(code: string): Promise<void> {
    const queue = await Queue.open(code);
    const { events, state } = document.body.dataset;
    if (queue) await new Room(code, queue).#start();
    else if (events && state !== 'ask') follow(events, () => Promise.resolve(location.reload()));
  }

  private constructor(code: string, queue: Queue) {
    this.#room = code;
    this.#path = `/atelier/${code}`;
    this.#queue = queue;
    this.#stock = new Stock(this.#path);
    this.#pointing = new Pointing(() => (this.#away ? null : this.#map));
  }

  async #start(): Promise<void> {
    const waits = (await this.#count()) > 0;
    if (!document.body.dataset.state) {
      if (waits) say(words().noSeat); // the door: nobody sits here yet
      return;
    }
    document.addEventListener('submit', (e) => this.#submitted(e));
    document.addEventListener('click', (e) => this.#clicked(e));
    addEventListener('popstate', () => void this.#go(location.href, false));
    addEventListener('online', () => this.#soon(0));
    addEventListener('beforeunload', (e) => {
      if (this.#away && !this.#guarded) e.preventDefault(); // a page that is left now can't be come back to
    });
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible' && this.#away) this.#soon(0);
    });
    setInterval(() => void this.#beat(), beat);
    this.#arm();
    if (waits) void this.#deliver();
    // What follows can wait until the first question can be answered.
    if (document.readyState === 'complete') this.#later();
    else addEventListener('load', () => this.#later());
  }

  #later(): void {
    const idle = window.requestIdleCallback ?? ((f: () => void) => setTimeout(f, 300));
    setTimeout(() => idle(() => void this.#moving().then(() => this.#ready())), 400);
  }

  /** Gets ready for the hub to be away. */
  async #ready(): Promise<void> {
    await this.#stock.fill();
    const { guard: script, state } = document.body.dataset;
    if (state === 'over') return unguard();
    this.#guarded = await guard(this.#room, script, document.documentElement.lang);
    document.body.toggleAttribute('data-guarded', this.#guarded);
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
    this.#map?.show(this.#away ? null : mapBox());
  }

  async #count(): Promise<number> {
    const n = (await this.#queue.list()).length;
    count(n);
    return n;
  }

  /** After each change of what is shown. */
  #arm(): void {
    this.#pointing.end();
    this.#place();
    callsEnd();
    void this.#count();
    const { events } = document.body.dataset;
    if (!events || events === this.#followed) return;
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

  #show(s: Shown): void {
    show(copyOf(s));
    this.#arm();
  }

  #swap(now: Document, focus: boolean): void {
    if (!swap(now)) return location.assign(this.#path); // a door, or the end
    if (document.body.dataset.state === 'over') void unguard();
    this.#arm();
    if (focus) focusTitle();
  }

  /** The room has moved: a freeze, a call, a phase, or something to do again. */
  async #changed(): Promise<void> {
    if (this.#busy || this.#away) return;
    const now = await fresh(false);
    if (!now || this.#busy || this.#away) return;
    // Whoever reads a question keeps it.
    if (document.body.dataset.state === 'ask' && now.body.dataset.state === 'ask') {
      replaceLive(now);
    } else this.#swap(now, false);
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
      say(words().away);
    } else if (to.pathname === this.#path && !link.hreflang) {
      e.preventDefault();
      void this.#go(link.href, true);
    }
  }

  /** Keeps an answer, then sends it and shows the next question. */
  async #answer(form: HTMLFormElement, body: URLSearchParams): Promise<void> {
    this.#busy = true;
    const key = uuid();
    body.set('cle', key);
    try {
      await this.#queue.add({
        key,
        action: form.action,
        body: body.toString(),
        task: form.dataset.question!,
        at: Date.now(),
      });
    } catch {
      form.submit(); // the disk is full, or worse: the browser sends it as it can
      return;
    }
    this.#remember(key);
    await this.#count();
    if (this.#away) this.#next();
    else {
      const how = await this.#flush();
      if (how !== null) await this.#go(`${this.#path}?fait=${how}${this.#lang()}`, false);
    }
    this.#busy = false;
  }

  #lang(): string {
    return `&lg=${document.documentElement.lang}`;
  }

  #remember(key: string): void {
    const parts = partsOf(document);
    if (parts) this.#answered.set(key, copyOf(parts));
    if (this.#answered.size > remembered) this.#answered.delete(this.#answered.keys().next().value!);
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
    let how = '';
    let refused = false;
    for (const w of await this.#queue.list()) {
      if (!w.tried) await this.#queue.add({ ...w, tried: true });
      const sent = await send(w.action, w.body);
      if (sent.is === 'away') {
        this.#lost();
        return null;
      }
      if (sent.is === 'no-seat') {
        this.#away = false;
        location.assign(this.#path); // the door, which tells what waits
        return null;
      }
      await this.#queue.remove(w.key);
      await this.#count();
      if (sent.is === 'kept') how = sent.how;
      else {
        refused = true;
        this.#refuse(w, sent.why);
      }
    }
    this.#away = false;
    return refused ? null : how;
  }

  /** Says why an answer was not taken, beside its question. */
  #refuse(w: Waiting, why: string): void {
    const was = this.#answered.get(w.key);
    if (question()?.dataset.question !== w.task && was) this.#show(was);
    say(why, true);
  }

  /** The hub is out of reach: go on with what the page holds. */
  #lost(): void {
    const first = !this.#away;
    this.#away = true;
    this.#place();
    if (first && this.#busy) this.#next();
    this.#pause = Math.min(patience.most, this.#pause * 2 || patience.first);
    this.#soon(this.#pause);
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
    } else if ((await this.#flush()) === null) return this.#place();
    this.#pause = 0;
    if (was) await this.#resume();
    if (was || waited > 0) say(words().back);
    this.#place();
    void this.#stock.fill();
  }

  /** The hub is back: the question is asked for again, and leased; what is half typed stays. */
  async #resume(): Promise<void> {
    const form = question();
    const number = (form?.elements.namedItem('numero') as HTMLInputElement | null)?.value;
    const typed = [...(form?.querySelectorAll<HTMLInputElement>('input.inp') ?? [])].some((i) => i.value);
    if (!typed) await this.#go(`${this.#path}?${number ? `question=${number}` : ''}${this.#lang()}`, false);
  }

  /** Shows one of the questions that the page holds, or that there is none. */
  #next(): void {
    const next = this.#stock.take();
    if (next) this.#show(next);
    else nothingHeld();
    say(words().keptHere);
    this.#arm();
    focusTitle();
  }

  async #go(address: string, remember: boolean): Promise<void> {
    try {
      const answer = await ask(address, { headers: { Accept: 'text/html' } });
      const now = parse(await answer.text());
      const seen = this.#seen(answer, address);
      this.#swap(now, true);
      if (remember) history.pushState(null, '', seen);
      else history.replaceState(null, '', seen);
      void this.#stock.fill();
    } catch {
      this.#lost();
      if (!this.#busy) say(words().away);
    }
  }

  /** The address of an answer, without what it has said once. */
  #seen(answer: Response, asked: string): URL {
    const seen = new URL(answer.url || asked, location.href);
    seen.searchParams.delete('fait');
    return seen;
  }

  /** Sends another form of the page, and shows what it leads to. */
  async #post(form: HTMLFormElement, body: URLSearchParams): Promise<void> {
    if (this.#away) return say(words().away);
    try {
      const answer = await ask(form.action, { method: 'POST', body, headers: { Accept: 'text/html' } });
      const seen = this.#seen(answer, location.href);
      this.#swap(parse(await answer.text()), true);
      if (seen.pathname === this.#path) history.replaceState(null, '', seen);
    } catch {
      this.#lost();
      say(words().away);
    }
  }

  /** Takes back the last answer. One that waits never leaves; one that the hub may have is for the hub to take back. */
  async #undo(form: HTMLFormElement, body: URLSearchParams): Promise<void> {
    const last = (await this.#queue.list()).at(-1);
    if (!last) return this.#post(form, body);
    if (this.#flushing || last.tried) return say(words().away);
    await this.#queue.remove(last.key);
    const was = this.#answered.get(last.key);
    if (was) this.#show(was);
    say(words().undone);
    await this.#count();
    focusTitle();
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
}
