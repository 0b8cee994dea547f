import { array, inLang, labelOfName, missing, object, valueText } from './feature';
import { told, t, type Args } from './i18n.svelte';
import type { Feature, Group, Layer } from './types';
import { compareWords, type Stretch } from './words';

export interface CompareRow {
  label: string;
  ours: string;
  theirs: string;
  differs: boolean;
  words: [Stretch[], Stretch[]] | null;
}

/** One outcome of the comparison with OpenStreetMap, said in words. */
export interface Outcome {
  id: string;
  group: Group;
  kind: string;
  name: string;
  title: string;
  note: string;
  reason: string;
  distance: number | null;
  record: string | null;
  osm: string | null;
  osmPlace: [number, number] | null;
  rows: CompareRow[];
}

const known = new Set<string>(['same', 'partner', 'osm', 'differs']);

/** Reads an outcome feature; l is the compared layer. */
export function outcomeOf(l: Layer, f: Feature): Outcome {
  const p = f.properties;
  const group = (known.has(String(p.group)) ? p.group : 'other') as Group;
  const kind = String(p.kind ?? '');
  const reason = object(p.reason) as { code?: string; args?: Args } | null;
  const args: Args = { ...reason?.args };
  const fields = array(args.fields).map((name) => labelOfName(l, String(name)));
  const about: Args = {
    ...args,
    fields: fields.join(', ').toLowerCase(),
    producer: inLang(l.producer.title),
  };
  const distance = typeof p.distance === 'number' ? p.distance : null;
  const twoSided = group === 'same' || group === 'differs';
  const rows = array(p.comparison) as Record<string, unknown>[];
  // The name alone is the case that people meet most: it has its own words.
  const nameField = rows.find((r) => r.tag === 'name')?.field;
  const named =
    kind === 'attributes_differ' &&
    nameField !== undefined &&
    array(args.fields).every((f) => f === nameField);
  const said = named ? 'name' : kind;
  const note = told(`outcome.${said}`, about);
  const lon = p.osm_lon;
  const lat = p.osm_lat;
  return {
    id: f.id,
    group,
    kind,
    name: missing(p.name) ? t('list.unnamed') : String(p.name),
    title: told(`outcome.title-${said}`, about) || t(`compare.title-${group}`),
    note: twoSided && distance !== null ? `${note} · ${t('compare.gap', { distance })}` : note,
    reason: reason?.code ? reasonText(reason.code, args) : '',
    distance,
    record: missing(p.record_key ?? p.record) ? null : String(p.record_key ?? p.record),
    osm: missing(p.osm) ? null : String(p.osm),
    osmPlace: typeof lon === 'number' && typeof lat === 'number' ? [lon, lat] : null,
    rows: rows.map((row) => compareRow(l, row)),
  };
}

function compareRow(l: Layer, row: Record<string, unknown>): CompareRow {
  const field = String(row.field ?? '');
  const side = (v: unknown) => (missing(v) ? '' : valueText(l, field, v));
  const ours = side(row.ours);
  // A value that says the same in OSM's words is said in the layer's.
  const same = row.is === 'equal' || row.is === 'equivalent';
  const theirs = same && l.style.values?.[field]?.[String(row.ours)] ? ours : side(row.theirs);
  const differs = row.is === 'conflict';
  return {
    label: l.fields.some((f) => f.name === field) ? labelOfName(l, field) : String(row.tag ?? field),
    ours,
    theirs,
    differs,
    words: differs && ours && theirs ? compareWords(ours, theirs) : null,
  };
}

/** The sentence of a reason, then one for each further evidence (Reason in Go). */
export function reasonText(code: string, args: Args): string {
  const parts = [told(code, args)];
  if (typeof args.name === 'string') parts.push(told(`match.name-${args.name}`, args));
  const evidence: [string, string, string][] = [
    ['reference', 'match.reference', ''],
    ['runner_up', 'match.runner-up', 'runner_up_name'],
    ['none_within', 'match.none-within', ''],
    ['nearest', 'match.nearest', 'nearest_name'],
  ];
  for (const [arg, c, named] of evidence)
    if (arg in args) parts.push(told(named && args[named] ? `${c}-named` : c, args));
  return parts.filter(Boolean).join(' ');
}
