/* eslint svelte/prefer-svelte-reactivity: off -- the plain Map, Set and Date here are replaced, never changed */
import { SvelteMap, SvelteSet } from 'svelte/reactivity';
import { item, items, Unanswered } from './api';
import { atmoClass } from './atmo';
import { feminine, inLang, nameOf, noun } from './feature';
import { center, metres, placeOf, type Box, type LonLat } from './geo';
import { lang, speak, t, type Lang, languages } from './i18n.svelte';
import { outcomeOf, type Outcome } from './outcome';
import {
  groups as allGroups,
  type Feature,
  type Group,
  type Layer,
  type SignedIn,
  type Start,
} from './types';
import { readPlace, writePlace, type Place, type View } from './url';

/** Rows on one page of the list; numbers go on through the pages. */
export const pageSize = 60;
/** Up to so many features are fetched whole and sorted; beyond, they come in the file's order, page by page. */
const sortable = 1000;

export type Sort = 'near' | 'name' | 'file';

/** A row of the list. */
export interface Row {
  feature: Feature;
  place: LonLat | null;
  metres: number;
}

/** What a layer is asked for, each by its own address. */
type Asked = 'items' | 'tiles' | 'day';

interface Silence {
  layer: string;
  asked: Asked;
  since: Date;
}

/** Everything the viewer shows, and the only place that changes it. */
export class Hub {
  readonly layers: Layer[];
  readonly home: Box | null;
  readonly fictional: boolean;
  readonly signedIn: SignedIn | null;
  readonly embed: boolean;

  on = $state<string[]>([]);
  tab = $state<'data' | 'list'>('data');
  sel = $state<string | null>(null);
  compare = $state(false);
  shown = $state<Group[]>(['differs', 'partner', 'osm']);
  time = $state<string | null>(null);
  theme = $state<string | null>(null);
  patterns = $state(true);
  sheet = $state<'small' | 'half' | 'full'>('half');
  sort = $state<Sort>('near');
  page = $state(1);

  view = $state<View | null>(null);
  box = $state<Box | null>(null);

  /** What the list holds of the active layer, in the view. */
  list = $state.raw<Feature[]>([]);
  matched = $state<number | null>(null);
  next = $state<string | null>(null);
  counting = $state(false);
  /** Counts in view of the other layers that are on. */
  readonly counts = new SvelteMap<string, number>();
  /** What has not been answered, each since when: tiles that arrive do not say that the items do. */
  readonly #silences = new SvelteMap<string, Silence>();
  /** Since when a layer has not answered something. */
  readonly down = $derived.by(() => {
    const down = new Map<string, Date>();
    for (const { layer, since } of this.#silences.values())
      if (!down.has(layer) || since < down.get(layer)!) down.set(layer, since);
    return down;
  });
  /** Layers whose tiles the last retry has to ask for again. */
  again: string[] = [];
  readonly loading = new SvelteSet<string>();
  online = $state(true);
  lastAnswer = $state(new Date());

  card = $state.raw<Feature | null>(null);
  cardState = $state<'none' | 'loading' | 'shown' | 'gone' | 'failed'>('none');
  cardOutcome = $state.raw<Feature | null>(null);
  /** Bumped to ask for everything again. */
  attempt = $state(0);
  message = $state('');

  /** ATMO values of the shown day by commune. */
  day = $state.raw<Map<string, Feature> | null>(null);
  readonly #days = new Map<string, Map<string, Feature>>();

  readonly listed = $derived(this.layer(this.on[0]));
  readonly outcomes = $derived(this.listed?.outcomes ? this.layer(this.listed.outcomes) : undefined);
  /** The layer whose features are in the list. */
  readonly active = $derived(this.compare && this.outcomes ? this.outcomes : this.listed);
  readonly air = $derived(!this.compare && this.listed?.style.as === 'air-index');
  readonly times = $derived(timesOf(this.listed));
  readonly shownTime = $derived(
    this.times.length ? (this.time && this.times.includes(this.time) ? this.time : latest(this.times)) : null,
  );
  /** The list is needed whole: it is seen, numbers the map, or the way from card to card. */
  readonly listing = $derived(this.tab === 'list' || this.sel !== null || this.compare);
  readonly complete = $derived(this.matched !== null && this.list.length >= this.matched);
  readonly middle = $derived<LonLat | null>(this.box && center(this.box));
  readonly rows = $derived.by(() => this.#rows());
  /** Numbers of the rows on the page of the list: those that the map shows. */
  readonly numbers = $derived.by(() => {
    const first = (this.page - 1) * pageSize;
    return new Map(this.rows.slice(first, first + pageSize).map((r, i) => [r.feature.id, first + i + 1]));
  });
  readonly work = $derived.by(() => this.#work());
  readonly groupCounts = $derived.by(() => this.#groupCounts());
  readonly rank = $derived(
    this.sel === null
      ? -1
      : this.rows.findIndex((r) => r.feature.id === this.sel || r.feature.id.startsWith(this.sel + '@')),
  );
  readonly outcome = $derived(
    this.compare && this.listed && this.card && this.cardState === 'shown'
      ? outcomeOf(this.listed, this.card)
      : null,
  );

  constructor(start: Start) {
    this.layers = start.layers;
    this.home = start.home;
    this.fictional = start.fictional;
    this.signedIn = start.signedIn ?? null;
    const place = readPlace(location.search, location.hash);
    this.embed = place.embed;
    this.#take(place);
  }

  layer(id: string | undefined): Layer | undefined {
    return id === undefined ? undefined : this.layers.find((l) => l.id === id);
  }

  /** The layers that the panel offers. */
  get offered(): Layer[] {
    const outcomes = new Set(this.layers.map((l) => l.outcomes));
    return this.layers.filter((l) => !l.style.hidden && !outcomes.has(l.id));
  }

  #take(p: Place): void {
    const lit = this.offered.filter((l) => l.style.on).map((l) => l.id);
    const first = lit.length ? lit : this.offered.slice(0, 1).map((l) => l.id);
    const known = p.on?.filter((id) => this.layer(id));
    // An address that names only layers that are gone shows what a first visit does.
    this.on = known && (known.length || !p.on?.length) ? known : first;
    this.sel = p.sel;
    this.tab = p.tab;
    this.compare = p.compare && this.outcomes !== undefined;
    this.shown = p.shown ?? ['differs', 'partner', 'osm'];
    this.time = p.time;
    this.theme = p.theme;
    this.view = p.view;
    this.page = 1;
    this.#given = p;
  }
  #given: Place | null = null;

  /** The place as the address says it. */
  place(): Place {
    return {
      view: this.view,
      on: this.#changedLayers || this.#given?.on || this.sel !== null || this.compare ? this.on : null,
      sel: this.sel,
      tab: this.tab,
      compare: this.compare,
      shown: this.#given?.shown || this.#changedGroups ? this.shown : null,
      time: this.time,
      lang: this.#given?.lang || this.#changedLang ? lang() : null,
      embed: this.embed,
      theme: this.theme,
    };
  }
  #changedLayers = false;
  #changedGroups = false;
  #changedLang = false;

  /** Writes the address: a step that back undoes, or in place of the last one. */
  remember(step: boolean): void {
    const address = location.pathname + writePlace(this.place());
    if (address === location.pathname + location.search + location.hash) return;
    if (step) history.pushState(null, '', address);
    else history.replaceState(null, '', address);
  }

  /** Back or forward was pressed; gives the view to go to. */
  recall(): View | null {
    const p = readPlace(location.search, location.hash);
    this.#take(p);
    if (p.lang && p.lang !== lang() && (languages as string[]).includes(p.lang)) void speak(p.lang as Lang);
    return p.view;
  }

  toggle(id: string): void {
    this.#changedLayers = true;
    if (this.on.includes(id)) this.on = this.on.filter((e) => e !== id);
    else this.on = [id, ...this.on];
    this.sel = null;
    this.compare = false;
    this.page = 1;
    this.remember(true);
  }

  /** Puts a layer first, so that the list is its list. */
  listIt(id: string, tab: 'data' | 'list' = 'list'): void {
    this.#changedLayers = this.#changedLayers || this.on[0] !== id;
    this.on = [id, ...this.on.filter((e) => e !== id)];
    this.tab = tab;
    this.sel = null;
    this.compare = false;
    this.page = 1;
    this.remember(true);
  }

  openTab(tab: 'data' | 'list'): void {
    if (this.tab === tab && this.sel === null) return;
    this.tab = tab;
    this.sel = null;
    if (this.sheet === 'small') this.sheet = 'half';
    this.remember(true);
  }

  select(id: string | null): void {
    if (!this.compare && this.listed?.life === 'series' && id) id = commune(id);
    if (this.sel === id) return;
    this.sel = id;
    if (id !== null && this.sheet === 'small') this.sheet = 'half';
    this.remember(true);
  }

  /** The map was asked about a feature of any layer that is on. */
  pick(layer: string, id: string): void {
    if (this.compare) {
      if (layer === this.outcomes?.id) this.select(id);
      return;
    }
    if (layer !== this.on[0]) {
      this.#changedLayers = true;
      this.on = [layer, ...this.on.filter((e) => e !== layer)];
      this.page = 1;
    }
    this.select(id);
  }

  step(by: number): void {
    const list = this.compare ? this.work.map((w) => w.id) : this.rows.map((r) => r.feature.id);
    const at = this.compare ? list.indexOf(this.sel ?? '') : this.rank;
    const to = list[at + by];
    if (to !== undefined) this.select(to);
  }

  startCompare(sel: string | null = null): void {
    if (!this.outcomes) return;
    this.compare = true;
    this.sel = sel;
    this.page = 1;
    this.remember(true);
  }

  leaveCompare(): void {
    this.compare = false;
    this.sel = null;
    this.tab = 'data';
    this.remember(true);
  }

  /** From an outcome to the record it is about. */
  openRecord(record: string): void {
    this.compare = false;
    this.sel = record;
    this.remember(true);
  }

  toggleGroup(g: Group): void {
    this.#changedGroups = true;
    this.shown = allGroups.filter((e) => (e === g ? !this.shown.includes(e) : this.shown.includes(e)));
    this.remember(false);
  }

  setTime(time: string): void {
    this.time = time;
    this.remember(false);
  }

  async setLang(l: Lang): Promise<void> {
    this.#changedLang = true;
    await speak(l);
    this.remember(true);
  }

  moved(view: View, box: Box): void {
    this.view = view;
    this.box = box;
    this.page = 1;
    this.remember(false);
  }

  say(message: string): void {
    this.message = '';
    setTimeout(() => (this.message = message), 50);
  }

  #listOf: string | null = null;

  #empty(matched: number | null): void {
    this.#listOf = null;
    this.list = [];
    this.next = null;
    this.matched = matched;
  }

  /** The count and the list of the active layer in the view; what the effect in App calls. */
  async refresh(signal: AbortSignal): Promise<void> {
    const active = this.active;
    const box = this.box;
    if (!active || !box) {
      this.#empty(active ? null : 0);
      this.counting = false;
      return;
    }
    // What another layer answered is not this one's, however long it takes or whether it fails.
    if (this.#listOf !== active.id) this.#empty(null);
    this.#listOf = active.id;
    this.counting = true;
    const whole = this.listing;
    const points = active.geometryType === 'point';
    const limit = this.compare ? 2000 : whole ? sortable : 1;
    try {
      const got = await items(active.id, {
        box: active.geometryType === 'none' ? null : box,
        limit: active.style.as === 'air-index' && whole ? 10000 : limit,
        time: this.shownTime,
        geometry: points && whole,
        signal,
      });
      this.list = whole ? got.features : [];
      this.matched = got.numberMatched;
      this.next = whole ? got.next : null;
      this.#answered(active.id, 'items');
    } catch (e) {
      this.#unanswered(active.id, 'items', e);
    } finally {
      if (!signal.aborted) this.counting = false;
    }
  }

  /** Counts of the other layers that are on. */
  async countOthers(signal: AbortSignal): Promise<void> {
    const box = this.box;
    if (!box) return;
    await Promise.all(
      this.on.slice(1).map(async (id) => {
        try {
          const l = this.layer(id)!;
          const got = await items(id, {
            box: l.geometryType === 'none' ? null : box,
            limit: 1,
            geometry: false,
            time: latest(timesOf(l)),
            signal,
          });
          this.counts.set(id, got.numberMatched);
          this.#answered(id, 'items');
        } catch (e) {
          this.#unanswered(id, 'items', e);
        }
      }),
    );
  }

  /** Fetches the rows after those that are there, of the same version. */
  async more(): Promise<void> {
    const active = this.active;
    if (!active || !this.next) return;
    this.counting = true;
    try {
      const got = await items(active.id, { next: this.next });
      this.list = [...this.list, ...got.features];
      this.next = got.next;
      this.#answered(active.id, 'items');
    } catch (e) {
      this.#unanswered(active.id, 'items', e);
    } finally {
      this.counting = false;
    }
  }

  /** Fetches the chosen feature, and its outcome. */
  async fetchCard(signal: AbortSignal): Promise<void> {
    const active = this.active;
    const sel = this.sel;
    this.cardOutcome = null;
    if (!active || sel === null) {
      this.card = null;
      this.cardState = 'none';
      return;
    }
    const id = !this.compare && active.life === 'series' && this.shownTime ? `${sel}@${this.shownTime}` : sel;
    if (this.card?.id !== id) this.cardState = 'loading';
    try {
      const f = await item(active.id, id, signal);
      this.card = f;
      this.cardState = f ? 'shown' : 'gone';
      if (f && !this.compare && this.outcomes) {
        const got = await items(this.outcomes.id, {
          equals: { [recordField(this.outcomes)]: f.id },
          limit: 1,
          signal,
        });
        this.cardOutcome = got.features[0] ?? null;
      }
    } catch (e) {
      if (!aborted(e)) this.cardState = this.card ? 'shown' : 'failed';
    }
  }

  /** Values of one day of the index, once each. */
  async fetchDay(layer: Layer, day: string, signal?: AbortSignal): Promise<void> {
    const known = this.#days.get(day);
    if (known) {
      if (this.shownTime === day) this.day = known;
      return;
    }
    try {
      const got = await items(layer.id, { time: day, geometry: false, limit: 10000, signal });
      const values = new Map(got.features.map((f) => [commune(f.id), f]));
      this.#days.set(day, values);
      if (this.shownTime === day) this.day = values;
      this.#answered(layer.id, 'day');
    } catch (e) {
      this.#unanswered(layer.id, 'day', e);
    }
  }

  /** Classes by commune of the shown day. */
  readonly classes = $derived.by(() => {
    if (!this.air || !this.day) return null;
    return new Map([...this.day].map(([k, f]) => [k, atmoClass(f.properties.code_qual)]));
  });

  /** A tile of the layer did not come. */
  failed(layer: string): void {
    this.#silent(layer, 'tiles');
  }

  /** A tile of the layer came. */
  received(layer: string): void {
    this.#silences.delete(`tiles ${layer}`);
  }

  #silent(layer: string, asked: Asked): void {
    const key = `${asked} ${layer}`;
    if (!this.#silences.has(key)) this.#silences.set(key, { layer, asked, since: new Date() });
  }

  #answered(layer: string, asked: Asked): void {
    this.#silences.delete(`${asked} ${layer}`);
    this.lastAnswer = new Date();
    this.online = true;
  }

  #unanswered(layer: string, asked: Asked, e: unknown): void {
    if (aborted(e)) return;
    if (!(e instanceof Unanswered) && !navigator.onLine) this.online = false;
    this.#silent(layer, asked);
  }

  retry(): void {
    this.again = [...this.#silences.values()].filter((s) => s.asked === 'tiles').map((s) => s.layer);
    this.#silences.clear();
    this.online = true;
    this.attempt++;
  }

  #rows(): Row[] {
    if (this.compare) return [];
    const l = this.active;
    const middle = this.middle;
    if (!l) return [];
    const rows = this.list.map((feature) => {
      const place = placeOf(feature.geometry);
      return { feature, place, metres: place && middle ? metres(middle, place) : Infinity };
    });
    if (!this.complete || this.sort === 'file') return rows;
    const byName = (a: Row, b: Row) =>
      nameOf(l, a.feature).localeCompare(nameOf(l, b.feature), lang()) || compareIds(a, b);
    if (this.sort === 'name' || l.geometryType !== 'point') return rows.sort(byName);
    return rows.sort((a, b) => a.metres - b.metres || compareIds(a, b));
  }

  #work(): Outcome[] {
    const l = this.listed;
    const middle = this.middle;
    if (!this.compare || !l) return [];
    const far = (f: Feature) => {
      const place = placeOf(f.geometry);
      return place && middle ? metres(middle, place) : Infinity;
    };
    return this.list
      .filter((f) => (this.shown as string[]).includes(String(f.properties.group)))
      .map((f) => ({ f, d: far(f) }))
      .sort((a, b) => a.d - b.d || (a.f.id < b.f.id ? -1 : 1))
      .map(({ f }) => outcomeOf(l, f));
  }

  #groupCounts(): Record<Group, number> {
    const n: Record<Group, number> = { differs: 0, partner: 0, osm: 0, same: 0, other: 0 };
    for (const f of this.list) {
      const g = String(f.properties.group) as Group;
      n[g in n ? g : 'other']++;
    }
    return n;
  }

  /** Who made what the map shows, in plain text. */
  readonly credits = $derived.by(() => {
    const shown = this.compare ? [this.listed!] : this.on.map((id) => this.layer(id)!);
    const made = shown.filter((l) => l.producer.id !== 'openstreetmap').map((l) => inLang(l.producer.title));
    return [t('map.osm-credit'), ...new Set(made)].join(' · ');
  });

  /** The status line. */
  readonly status = $derived.by(() => {
    const l = this.listed;
    if (!l) return t('status.none');
    if (this.matched === null)
      return t(this.down.has(this.active!.id) ? 'status.unknown' : 'status.counting');
    const n = this.compare ? this.work.length : this.matched;
    const code = this.sel === null ? 'status.count' : feminine(l) ? 'status.selected-f' : 'status.selected';
    return t(code, { n, noun: noun(l, n) });
  });
}

/** The field of an outcome layer that names the record. */
function recordField(outcomes: Layer): string {
  return outcomes.fields.some((f) => f.name === 'record_key') ? 'record_key' : 'record';
}

function compareIds(a: Row, b: Row): number {
  return a.feature.id < b.feature.id ? -1 : 1;
}

function aborted(e: unknown): boolean {
  return e instanceof DOMException && e.name === 'AbortError';
}

/** The commune of an item of a series. */
export function commune(id: string): string {
  return id.split('@', 1)[0];
}

/** The moments of a series: those it lists, else the hours of its last two days. */
export function timesOf(l: Layer | undefined): string[] {
  if (!l?.times) return [];
  if (l.times.values?.length) {
    // All at midnight: days, and written as such in the ids of items.
    const daily = l.times.values.every((v) => v.length === 10 || v.endsWith('T00:00:00Z'));
    return daily ? l.times.values.map((v) => v.slice(0, 10)) : l.times.values;
  }
  const hour = 3600000;
  const last = Math.floor(new Date(l.times.last).getTime() / hour) * hour;
  const first = Math.max(new Date(l.times.first).getTime(), last - 47 * hour);
  const out: string[] = [];
  for (let at = last; at >= first; at -= hour) out.unshift(new Date(at).toISOString().replace('.000Z', 'Z'));
  return out;
}

/** Today when there is a value for it, else the last day that is not a forecast, else the first. */
export function latest(times: string[]): string | null {
  if (!times.length) return null;
  const now = new Date().toISOString();
  const past = times.filter((v) => v <= (v.length === 10 ? now.slice(0, 10) : now));
  return past.at(-1) ?? times[0];
}
