import { groups, type Group } from './types';

/** Everything a view shows; it lives in the address, so that back and sharing work. */
export interface View {
  zoom: number;
  lat: number;
  lon: number;
}

export interface Place {
  view: View | null;
  /** Layers that are on, the listed one first; null: as at a first visit. */
  on: string[] | null;
  sel: string | null;
  tab: 'data' | 'list';
  compare: boolean;
  shown: Group[] | null;
  time: string | null;
  lang: string | null;
  embed: boolean;
  theme: string | null;
}

/** Reads a place from the query and the hash of an address. */
export function readPlace(search: string, hash: string): Place {
  const q = new URLSearchParams(search);
  const on = q.get('c');
  const shown = q.getAll('groupes').flatMap((g) => g.split(','));
  return {
    view: readView(hash),
    on: on === null ? null : on.split(',').filter((id) => id !== '' && id !== '-'),
    sel: q.get('sel') || null,
    tab: q.get('vue') === 'liste' ? 'list' : 'data',
    compare: q.get('comparer') === '1',
    shown: q.has('groupes') ? groups.filter((g) => shown.includes(g)) : null,
    time: q.get('t') || null,
    lang: q.get('lg') || null,
    embed: q.get('cadre') === '1',
    theme: q.get('theme') || null,
  };
}

/** #zoom/lat/lon, as OpenStreetMap writes it; null when it is none. */
export function readView(hash: string): View | null {
  const m = /^#(\d+(?:\.\d+)?)\/(-?\d+(?:\.\d+)?)\/(-?\d+(?:\.\d+)?)$/.exec(hash);
  if (!m) return null;
  const [zoom, lat, lon] = m.slice(1).map(Number);
  if (zoom > 24 || Math.abs(lat) > 85.06 || Math.abs(lon) > 180) return null;
  return { zoom, lat, lon };
}

export function writeView(v: View): string {
  return `#${round(v.zoom, 2)}/${v.lat.toFixed(5)}/${v.lon.toFixed(5)}`;
}

function round(n: number, digits: number): number {
  return Number(n.toFixed(digits));
}

/** Writes a place as query and hash; what is as at a first visit is left out. */
export function writePlace(p: Place): string {
  const q: string[] = [];
  const put = (name: string, value: string) =>
    q.push(`${name}=${encodeURIComponent(value).replace(/%2C/g, ',')}`);
  if (p.on) put('c', p.on.length ? p.on.join(',') : '-');
  if (p.tab === 'list') put('vue', 'liste');
  if (p.sel) put('sel', p.sel);
  if (p.compare) put('comparer', '1');
  if (p.shown) put('groupes', p.shown.join(','));
  if (p.time) put('t', p.time);
  if (p.lang) put('lg', p.lang);
  if (p.theme) put('theme', p.theme);
  if (p.embed) put('cadre', '1');
  return (q.length ? '?' + q.join('&') : '') + (p.view ? writeView(p.view) : '');
}
