import { date } from './format';
import { lang, plural, t, told } from './i18n.svelte';
import type { Feature, Field, Layer, Text } from './types';

/** A text in the page's language, else in French, English, Italian. */
export function inLang(text: Text | undefined): string {
  if (!text) return '';
  return text[lang()] || text.fr || text.en || text.it || '';
}

/** Columns that name a feature when the style says nothing, best first (nameFields in Go). */
const nameFields =
  'name nom libelle nom_usuel nom_station lib_zone nom_com nom_commune appellation designation intitule titre title label'.split(
    ' ',
  );

export function nameOf(l: Layer, f: Feature): string {
  for (const field of l.style.name ?? nameFields) {
    const v = f.properties[field];
    if (typeof v === 'string' && v.trim()) return v;
  }
  const tags = object(f.properties.tags);
  if (tags && typeof tags.name === 'string') return tags.name;
  return t('list.unnamed');
}

/** The second line of a row. */
export function noteOf(l: Layer, f: Feature): string {
  return (l.style.note ?? [])
    .filter((field) => !missing(f.properties[field]))
    .map((field) => valueText(l, field, f.properties[field]))
    .join(' · ');
}

export interface Fact {
  label: string;
  value: string;
}

/** The lines of a card; what is not known has the value "". */
export function facts(l: Layer, f: Feature): Fact[] {
  const out: Fact[] = [];
  for (const field of factFields(l)) {
    const v = f.properties[field.name];
    const tags = object(v);
    if (tags) for (const k of Object.keys(tags).sort()) out.push({ label: k, value: String(tags[k]) });
    else out.push({ label: labelOf(field), value: missing(v) ? '' : valueText(l, field.name, v) });
  }
  return out;
}

function factFields(l: Layer): Field[] {
  if (l.style.facts?.length) return l.style.facts.flatMap((name) => l.fields.filter((f) => f.name === name));
  const skip = new Set(l.style.name ?? nameFields.slice(0, 2));
  return l.fields.filter((f) => !skip.has(f.name) && !f.name.startsWith('_'));
}

export function labelOf(f: Field): string {
  return inLang(f.label) || f.title || f.name;
}

export function labelOfName(l: Layer, name: string): string {
  const f = l.fields.find((e) => e.name === name);
  return f ? labelOf(f) : name;
}

/** A value in words where the style has them, else by its type. */
export function valueText(l: Layer, field: string, v: unknown): string {
  const words = l.style.values?.[field]?.[String(v)];
  if (words) return inLang(words);
  if (typeof v === 'boolean') return v ? t('ui.yes') : t('ui.no');
  if (typeof v === 'number') {
    // A whole number under 10 000 is not grouped: it may be a year.
    if (Number.isInteger(v) && Math.abs(v) < 10000) return String(v);
    return new Intl.NumberFormat(lang(), { maximumFractionDigits: 3 }).format(v);
  }
  if (typeof v === 'string' && /^\d{4}-\d\d-\d\d(T|$)/.test(v)) {
    const type = l.fields.find((f) => f.name === field)?.type;
    const at = new Date(v);
    if ((type === 'date' || type === 'timestamp') && !Number.isNaN(at.getTime())) {
      const said = date(lang(), at);
      return type === 'date' || at.getTime() % 86400000 === 0 ? said : `${said}, ${t('ui.at', { time: at })}`;
    }
  }
  if (v !== null && typeof v === 'object') return JSON.stringify(v);
  return String(v);
}

export function missing(v: unknown): boolean {
  return v === null || v === undefined || v === '';
}

export function object(v: unknown): Record<string, unknown> | null {
  if (typeof v === 'string' && v.startsWith('{')) {
    try {
      return object(JSON.parse(v));
    } catch {
      return null;
    }
  }
  return v !== null && typeof v === 'object' && !Array.isArray(v) ? (v as Record<string, unknown>) : null;
}

export function array(v: unknown): unknown[] {
  if (typeof v === 'string' && v.startsWith('[')) {
    try {
      return array(JSON.parse(v));
    } catch {
      return [];
    }
  }
  return Array.isArray(v) ? v : [];
}

function nounForms(l: Layer): string[] {
  const forms = l.style.noun?.[lang()] ?? told(`noun.${l.geometryType}`) ?? '';
  return (forms || t('noun.feature')).split('|');
}

/** The word for n features of a layer. */
export function noun(l: Layer, n: number): string {
  const [one, many] = nounForms(l);
  return plural(lang(), n) === '.one' ? one : (many ?? one);
}

/** Whether the layer's noun is feminine: "commune|communes|f". */
export function feminine(l: Layer): boolean {
  return nounForms(l)[2] === 'f';
}

/** How old a layer may be before its freshness turns ochre, in milliseconds. */
export function staleAfter(frequency?: string): number {
  const day = 86400000;
  const limits: Record<string, number> = {
    hourly: day / 4,
    daily: 2 * day,
    weekly: 10 * day,
    monthly: 45 * day,
    quarterly: 120 * day,
  };
  return limits[frequency ?? ''] ?? 400 * day;
}
