import { ask } from './hub';
import { parse } from './live';
import { partsOf, question, type Shown } from './screen';

const full = 2; // with fewer, more are asked for
const often = 20_000; // milliseconds between two requests at least
const old = 300_000; // after which what is held is asked for again

/** Questions to go on with while the hub is out of reach. They are leased to nobody. */
export class Stock {
  readonly #path: string;
  #held: Shown[] = [];
  #at = 0;

  constructor(path: string) {
    this.#path = path;
  }

  /** Takes the first out; undefined when none is left. */
  take(): Shown | undefined {
    return this.#held.shift();
  }

  /** Fetches some, now and then, and leaves out what is asked already. */
  async fill(): Promise<void> {
    const asked = question()?.dataset.question;
    this.#held = this.#held.filter((s) => !s.main.querySelector(`form[data-question="${asked}"]`));
    const age = Date.now() - this.#at;
    if (document.body.dataset.state !== 'ask' || age < often || (this.#held.length >= full && age < old))
      return;
    this.#at = Date.now();
    try {
      const answer = await ask(`${this.#path}/avance?lg=${document.documentElement.lang}`);
      if (!answer.ok) return;
      const list = [
        ...parse(await answer.text()).querySelectorAll(`[data-ahead]:not([data-ahead="${asked}"])`),
      ];
      this.#held = list.map(partsOf).filter((s) => s !== null);
      document.body.dataset.held = String(this.#held.length);
    } catch {
      // The next question asks again.
    }
  }
}
