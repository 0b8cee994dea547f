import type { Lang } from './i18n.svelte';

/** No-break spaces: narrow, before French signs and in numbers; wide, before units. */
const wide = '\u00a0';

export function number(lang: Lang, n: number): string {
  return new Intl.NumberFormat(lang, { maximumFractionDigits: 3, useGrouping: true })
    .format(n)
    .replace(/\u00a0/g, '\u202f');
}

/** Metres: to 10 m from 100 m on, in kilometres from 1 000 m on. */
export function distance(lang: Lang, metres: number): string {
  if (metres >= 10000) return number(lang, Math.round(metres / 1000)) + wide + 'km';
  if (metres >= 1000) return number(lang, Math.round(metres / 100) / 10) + wide + 'km';
  if (metres >= 100) return number(lang, Math.round(metres / 10) * 10) + wide + 'm';
  return number(lang, Math.round(metres)) + wide + 'm';
}

export function percent(lang: Lang, share: number): string {
  return number(lang, Math.round(share * 1000) / 10) + (lang === 'fr' ? '\u202f%' : '%');
}

/** Times of data are said in UTC when they are days, else in the visitor's time. */
function zone(at: Date): string | undefined {
  return at.getTime() % 86400000 === 0 ? 'UTC' : undefined;
}

function parts(lang: Lang, at: Date, options: Intl.DateTimeFormatOptions): string {
  const locale = lang === 'en' ? 'en-GB' : lang;
  return new Intl.DateTimeFormat(locale, { ...options, timeZone: zone(at) }).format(at);
}

export function date(lang: Lang, at: Date): string {
  return parts(lang, at, { day: 'numeric', month: 'long', year: 'numeric' });
}

export function day(lang: Lang, at: Date): string {
  return parts(lang, at, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
}

export function shortDay(lang: Lang, at: Date): string {
  return parts(lang, at, { weekday: 'long', day: 'numeric', month: 'long' });
}

export function weekday(lang: Lang, at: Date): string {
  return parts(lang, at, { weekday: 'short' });
}

export function dayMonth(lang: Lang, at: Date): string {
  return parts(lang, at, { day: 'numeric', month: 'short' });
}

/** 14 h 05 in French, 14:05 else. */
export function clock(lang: Lang, at: Date): string {
  const h = String(at.getHours());
  const m = String(at.getMinutes()).padStart(2, '0');
  if (lang !== 'fr') return `${h}:${m}`;
  return m === '00' ? `${h}${wide}h` : `${h}${wide}h${wide}${m}`;
}

/** The unit and count that say how long ago: ["days", 2]; null when just now. */
export function ago(ms: number): ['minutes' | 'hours' | 'days' | 'months' | 'years', number] | null {
  const minute = 60000;
  const units = [
    ['years', 365 * 24 * 60 * minute],
    ['months', 30 * 24 * 60 * minute],
    ['days', 24 * 60 * minute],
    ['hours', 60 * minute],
    ['minutes', minute],
  ] as const;
  for (const [unit, length] of units) if (ms >= length) return [unit, Math.floor(ms / length)];
  return null;
}

export function upperFirst(s: string): string {
  return s.charAt(0).toUpperCase() + s.slice(1);
}
