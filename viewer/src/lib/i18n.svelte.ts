import type { Dictionary } from '../i18n/fr';
import { clock, date, day, distance, number, percent } from './format';

export type Lang = 'fr' | 'en' | 'it';
export const languages: Lang[] = ['fr', 'en', 'it'];

/** A sentence of the dictionaries; of "x.one" and "x.other", "x" will do. */
export type Code = keyof Dictionary | Counted<keyof Dictionary>;
type Counted<K> = K extends `${infer Base}.other` ? Base : never;
export type Args = Record<string, unknown>;

const current = $state<{ lang: Lang; words: Record<string, string> }>({ lang: 'fr', words: {} });

/** The language of the page. */
export function lang(): Lang {
  return current.lang;
}

/** Loads the dictionary of one language, and only that one. */
export async function speak(wanted: Lang): Promise<void> {
  const load = {
    fr: () => import('../i18n/fr'),
    en: () => import('../i18n/en'),
    it: () => import('../i18n/it'),
  };
  const dictionary = await load[wanted]();
  current.words = dictionary.default;
  current.lang = wanted;
  document.documentElement.lang = wanted;
}

/** Says a code with its arguments, in the language of the page. */
export function t(code: Code, args: Args = {}): string {
  return say(current.lang, current.words, code, args);
}

/** Says a code that comes from data; "" when no sentence has it. */
export function told(code: string, args: Args = {}): string {
  return code in current.words || code + plural(current.lang, args.n) in current.words
    ? say(current.lang, current.words, code, args)
    : '';
}

const placeholder = /\{([a-z_0-9]+)(?::([a-z]+))?\}/g;

export function say(lang: Lang, words: Record<string, string>, code: string, args: Args): string {
  const sentence = words[code] ?? words[code + plural(lang, args.n)];
  if (sentence === undefined) return code;
  return sentence.replace(placeholder, (found, name: string, how: string) =>
    name in args ? format(lang, how, args[name]) : found,
  );
}

/** French counts 0 and 1 as one; English and Italian 1 alone. */
export function plural(lang: Lang, n: unknown): '.one' | '.other' {
  return n === 1 || (lang === 'fr' && typeof n === 'number' && n >= 0 && n < 2) ? '.one' : '.other';
}

function format(lang: Lang, how: string, v: unknown): string {
  if (how === 'raw') return String(v);
  if (typeof v === 'number') {
    if (how === 'distance') return distance(lang, v);
    if (how === 'percent') return percent(lang, v);
    return number(lang, v);
  }
  if (how === 'date' || how === 'day' || how === 'time') {
    const at = v instanceof Date ? v : new Date(String(v));
    if (!Number.isNaN(at.getTime())) return { date, day, time: clock }[how](lang, at);
  }
  if (Array.isArray(v)) return v.map((e) => format(lang, '', e)).join(', ');
  return v === null || v === undefined ? '' : String(v);
}
