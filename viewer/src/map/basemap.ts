import type { FeatureLike } from 'ol/Feature';
import Fill from 'ol/style/Fill';
import Stroke from 'ol/style/Stroke';
import Style from 'ol/style/Style';
import Text from 'ol/style/Text';
import type { Palette } from './palette';

/** What one kind of a Shortbread layer is painted with. */
interface Area {
  colour: string;
  z: number;
  edge?: string;
  from?: number;
}

const land: Record<string, Area> = {};
const paint = (colour: string, z: number, kinds: string, from = 0) => {
  for (const kind of kinds.split(' ')) land[kind] = { colour, z, from };
};
paint(
  '--map-urban',
  1,
  'residential commercial industrial retail railway garages farmyard brownfield landfill quarry',
);
paint('--map-field', 2, 'farmland greenfield greenhouse_horticulture plant_nursery allotments', 10);
paint('--map-vine', 2, 'vineyard', 10);
paint('--map-olive', 2, 'orchard', 10);
paint(
  '--map-scrub',
  2,
  'scrub heath grassland grass meadow wet_meadow marsh swamp bog string_bog bare_rock scree shingle',
  9,
);
paint('--map-wood', 3, 'forest wood');
paint('--map-sand', 4, 'sand beach', 9);
paint(
  '--map-park',
  5,
  'park garden village_green recreation_ground golf_course miniature_golf cemetery grave_yard playground',
  10,
);
paint('--map-pitch', 6, 'pitch', 13);

const sites: Record<string, Area> = {};
for (const kind of ['school', 'university', 'college', 'kindergarten', 'hospital'])
  sites[kind] = { colour: '--map-school', z: 7, from: 13 };
sites.sports_center = { colour: '--map-park', z: 7, from: 13 };
sites.sports_centre = sites.sports_center;
sites.parking = { colour: '--map-plaza', z: 7, from: 14 };
sites.bicycle_parking = sites.parking;

/** Streets by class: pixels wide at zoom 16, where the class begins, and whether it is a main road. */
interface Street {
  wide: number;
  z: number;
  from: number;
  main?: boolean;
}
const street: Record<string, Street> = {};
const road = (wide: number, z: number, from: number, kinds: string, main = false) => {
  for (const kind of kinds.split(' ')) street[kind] = { wide, z, from, main };
};
road(7.2, 9, 5, 'motorway trunk', true);
road(6.3, 8, 8, 'primary', true);
road(6.3, 7, 9, 'secondary', true);
road(5.3, 6, 11, 'tertiary');
road(4.1, 5, 12, 'unclassified residential living_street busway');
road(3.6, 4, 13, 'pedestrian');
road(2.6, 3, 14, 'service taxiway runway');
const paths = new Set(['track', 'footway', 'path', 'steps', 'cycleway', 'bridleway']);
const rails = new Set(['rail', 'light_rail', 'narrow_gauge', 'tram', 'subway', 'funicular', 'monorail']);

const font = (weight: number, px: number, italic = false) =>
  `${italic ? 'italic ' : ''}${weight} ${px}px "Noto Sans"`;

const capitals: Record<string, [px: number, weight: number, rank: number]> = {
  state_capital: [20, 700, 9],
  capital: [22, 700, 9],
  city: [20, 700, 9],
  town: [18, 700, 8],
  village: [18, 700, 7],
  hamlet: [15, 600, 5],
  suburb: [15, 600, 4],
  quarter: [15, 600, 4],
  neighbourhood: [14, 600, 3],
  isolated_dwelling: [14, 400, 2],
  farm: [14, 400, 2],
  island: [15, 400, 5],
  locality: [14, 400, 2],
};
const quarters = new Set(['suburb', 'quarter', 'neighbourhood']);
const placeFrom: Record<string, number> = {
  city: 5,
  town: 9,
  village: 11,
  hamlet: 13,
  suburb: 13,
  quarter: 14,
  neighbourhood: 14,
  isolated_dwelling: 15,
  farm: 15,
  locality: 15,
};

type Painted = Style[] | undefined;

/** Makes the style function of the basemap's vector tiles (Shortbread's layers), in the theme's colours. */
export function basemapStyle(
  palette: Palette,
  language: string,
): (f: FeatureLike, resolution: number) => Painted {
  const brush = new Brush(palette, language);
  return (f, resolution) => {
    const zoom = Math.log2(156543.03392804097 / resolution);
    return layers[String(f.get('layer'))]?.(brush, f, String(f.get('kind')), zoom);
  };
}

/** How each layer of the tiles is painted; layers that are not here are not. */
const layers: Record<string, (b: Brush, f: FeatureLike, kind: string, zoom: number) => Painted> = {
  ocean: (b) => b.fill('--map-sea', 8),
  water_polygons: (b, f, _, zoom) =>
    zoom >= 8 || f.get('way_area') > 1e6 ? b.fill('--map-sea', 8) : undefined,
  water_lines: (b, _, kind, zoom) => waterLine(b, kind, zoom),
  dam_lines: (b, _, kind, zoom) => waterLine(b, kind, zoom),
  pier_lines: (b, _f, _k, zoom) => (zoom >= 13 ? b.line('--map-plaza', scaled(5.6, zoom, 1), 10) : undefined),
  pier_polygons: (b, _f, _k, zoom) => (zoom >= 13 ? b.fill('--map-plaza', 10) : undefined),
  dam_polygons: (b, _f, _k, zoom) => (zoom >= 13 ? b.fill('--map-plaza', 10) : undefined),
  land: (b, _, kind, zoom) => b.area(land[kind], zoom),
  sites: (b, _, kind, zoom) => b.area(sites[kind], zoom),
  street_polygons: (b, _, kind, zoom) =>
    zoom >= 13
      ? b.fill(kind === 'pedestrian' || kind === 'footway' ? '--map-plaza' : '--map-road', 24)
      : undefined,
  buildings: (b, _f, _k, zoom) =>
    zoom >= 13.5 ? b.fill('--map-building', 45, zoom >= 15 ? '--map-building-line' : undefined) : undefined,
  streets: (b, f, kind, zoom) => streetStyle(b, f, kind, zoom),
  bridges: (b, f, kind, zoom) => streetStyle(b, f, kind, zoom),
  ferries: (b, _f, _k, zoom) => (zoom >= 9 ? b.line('--map-label-sea', 1, 12, [6, 5]) : undefined),
  aerialways: (b, _f, _k, zoom) => (zoom >= 13 ? b.line('--map-rail', 1, 50, [8, 3]) : undefined),
  boundaries: (b, f, _, zoom) => boundary(b, Number(f.get('admin_level')), zoom),
  street_labels: (b, f, kind, zoom) => streetLabel(b, f, kind, zoom),
  streets_polygons_labels: (b, f, kind, zoom) => streetLabel(b, f, kind, zoom),
  place_labels: (b, f, kind, zoom) => placeLabel(b, f, kind, zoom),
  water_polygons_labels: (b, f, _, zoom) => (zoom >= 12 ? b.water(f, false) : undefined),
  water_lines_labels: (b, f, _, zoom) => (zoom >= 14 ? b.water(f, true) : undefined),
  pois: (b, f, _, zoom) => poiLabel(b, f, zoom),
};

/** Widths follow the zoom in steps of a half, so that few styles are made. */
function scaled(at16: number, zoom: number, least: number): number {
  return Math.round(Math.max(least, at16 * Math.pow(1.42, Math.round(zoom * 2) / 2 - 16)) * 4) / 4;
}

/** Makes styles in the theme's colours, each only once. */
class Brush {
  readonly #palette: Palette;
  readonly #language: string;
  readonly #made = new Map<string, Style[]>();

  constructor(palette: Palette, language: string) {
    this.#palette = palette;
    this.#language = language;
  }

  once(key: string, make: (palette: Palette) => Style[]): Style[] {
    let styles = this.#made.get(key);
    if (!styles) {
      styles = make(this.#palette);
      this.#made.set(key, styles);
    }
    return styles;
  }

  name(f: FeatureLike): string {
    return String(f.get(`name_${this.#language}`) || f.get('name') || '');
  }

  fill(colour: string, z: number, edge?: string): Style[] {
    return this.once(`f${colour}${z}${edge}`, (p) => [
      new Style({
        zIndex: z,
        fill: new Fill({ color: p(colour) }),
        stroke: edge ? new Stroke({ color: p(edge), width: 0.7 }) : undefined,
      }),
    ]);
  }

  area(area: Area | undefined, zoom: number): Painted {
    return area && zoom >= (area.from ?? 0) ? this.fill(area.colour, area.z) : undefined;
  }

  line(colour: string, width: number, z: number, dash?: number[]): Style[] {
    return this.once(`l${colour}${width}${z}${dash}`, (p) => [
      new Style({
        zIndex: z,
        stroke: new Stroke({
          color: p(colour),
          width,
          lineDash: dash,
          lineCap: dash ? 'butt' : 'round',
          lineJoin: 'round',
        }),
      }),
    ]);
  }

  label(
    words: string,
    o: { colour: string; font: string; rank: number; along?: boolean; halo?: string },
  ): Style[] {
    return this.once(`t${words}${o.font}${o.colour}${o.along}`, (p) => [
      new Style({
        zIndex: 100 + o.rank,
        text: new Text({
          text: words,
          font: o.font,
          fill: new Fill({ color: p(o.colour) }),
          stroke: new Stroke({ color: p(o.halo ?? '--map-halo'), width: o.halo ? 2 : 3.2 }),
          placement: o.along ? 'line' : 'point',
          maxAngle: 0.6,
          overflow: false,
          repeat: o.along ? 420 : undefined,
          padding: o.along ? [2, 4, 2, 4] : [3, 6, 3, 6],
        }),
      }),
    ]);
  }

  water(f: FeatureLike, along: boolean): Painted {
    const words = this.name(f);
    if (!words) return undefined;
    return this.label(words, {
      colour: '--map-label-sea',
      font: font(400, 15, true),
      rank: 4,
      along,
      halo: '--map-sea',
    });
  }
}

function waterLine(b: Brush, kind: string, zoom: number): Painted {
  if (zoom < (kind === 'river' ? 9 : 13)) return undefined;
  const width = { river: 6, stream: 3.4, canal: 3.4 }[kind] ?? 2;
  return b.line('--map-sea', scaled(width, zoom, 0.8), 9);
}

function streetStyle(b: Brush, f: FeatureLike, kind: string, zoom: number): Painted {
  if (rails.has(kind)) return zoom >= (kind === 'rail' ? 10 : 14) ? railway(b, zoom) : undefined;
  if (paths.has(kind)) {
    if (zoom < (kind === 'track' || kind === 'path' ? 13 : 15)) return undefined;
    return b.line('--map-path', scaled(1.5, zoom, 0.8), 21, kind === 'cycleway' ? [6, 3] : [5, 3.5]);
  }
  const s = street[kind];
  if (!s || zoom < s.from) return undefined;
  const width = scaled(s.wide, zoom, s.main ? 1.2 : 0.7);
  const [road, casing] = s.main ? ['--map-main', '--map-main-casing'] : ['--map-road', '--map-casing'];
  // From afar a road is one line.
  if (zoom < (s.main ? 9 : 12.5))
    return b.line(s.main ? road : casing, Math.max(width, s.main ? 1.6 : 0.8), 20 + s.z);
  const tunnel = f.get('tunnel') === true;
  return b.once(`s${kind}${width}${tunnel}`, (p) => [
    new Style({
      zIndex: 22 + (s.main ? 1 : 0),
      stroke: new Stroke({
        color: p(casing),
        width: width + 1.6,
        lineCap: tunnel ? 'butt' : 'round',
        lineJoin: 'round',
        lineDash: tunnel ? [4, 4] : undefined,
      }),
    }),
    new Style({
      zIndex: 25 + s.z,
      stroke: new Stroke({ color: p(road), width, lineCap: 'round', lineJoin: 'round' }),
    }),
  ]);
}

function railway(b: Brush, zoom: number): Style[] {
  return b.once(`rail${Math.round(zoom * 2)}`, (p) => {
    const line = new Style({
      zIndex: 34,
      stroke: new Stroke({ color: p('--map-rail'), width: scaled(2.6, zoom, 0.9) }),
    });
    if (zoom <= 13.5) return [line];
    const sleepers = new Stroke({ color: p('--map-land'), width: scaled(1.2, zoom, 0.4), lineDash: [7, 7] });
    return [line, new Style({ zIndex: 35, stroke: sleepers })];
  });
}

function boundary(b: Brush, level: number, zoom: number): Painted {
  if (level === 2) return b.line('--map-label-soft', 1.2, 60, [8, 3, 2, 3]);
  if (level === 4) return b.line('--map-label-soft', 1, 59, [6, 4]);
  if (level === 6) return zoom >= 8 ? b.line('--map-rail', 0.8, 58, [5, 4]) : undefined;
  return level >= 8 && zoom >= 11 ? b.line('--map-rail', 0.6, 57, [3, 4]) : undefined;
}

function streetLabel(b: Brush, f: FeatureLike, kind: string, zoom: number): Painted {
  const s = street[kind];
  const ref = String(f.get('ref') || '');
  const words = b.name(f);
  if (s?.main && ref && zoom >= 10 && (zoom < 15.5 || !words)) return shield(b, ref);
  if (!words) return undefined;
  const from = s ? (s.main ? 13.5 : s.wide > 5 ? 14 : s.wide > 3 ? 15.2 : 16.5) : 16.5;
  if (zoom < from) return undefined;
  return b.label(words, {
    colour: '--map-label',
    font: font(s?.main ? 600 : 400, 14),
    rank: s?.main ? 3 : 1,
    along: true,
  });
}

/** The number of a road on its plate. */
function shield(b: Brush, ref: string): Style[] {
  return b.once(`sh${ref}`, (p) => [
    new Style({
      zIndex: 104,
      text: new Text({
        text: ref.replace(/^([A-Z]+)\s*(\d)/, '$1\u00a0$2'),
        font: font(700, 13),
        fill: new Fill({ color: p('--map-shield-text') }),
        backgroundFill: new Fill({ color: p('--map-shield') }),
        backgroundStroke: new Stroke({ color: p('--map-shield-line'), width: 1 }),
        padding: [2, 7, 1, 8],
        textBaseline: 'middle',
      }),
    }),
  ]);
}

function placeLabel(b: Brush, f: FeatureLike, kind: string, zoom: number): Painted {
  const words = b.name(f);
  const [px, weight, rank] = capitals[kind] ?? [14, 400, 2];
  if (!words || zoom < (placeFrom[kind] ?? 12)) return undefined;
  if ((kind === 'city' || kind === 'town') && zoom > 17) return undefined;
  if (quarters.has(kind))
    return b.label(spaced(words), { colour: '--map-label-soft', font: font(600, 15), rank });
  return b.label(words, { colour: '--map-label', font: font(weight, px - (zoom < 12 ? 2 : 0)), rank });
}

function poiLabel(b: Brush, f: FeatureLike, zoom: number): Painted {
  const words = b.name(f);
  if (!words || zoom < 15.7) return undefined;
  const green =
    Boolean(f.get('leisure')) || f.get('amenity') === 'grave_yard' || f.get('landuse') === 'cemetery';
  return b.label(words, {
    colour: green ? '--map-label-green' : '--map-label',
    font: font(400, green ? 15 : 14, green),
    rank: 1,
  });
}

/** Quarters are written in spaced capitals; canvas text has no letter spacing, so hair spaces make it. */
function spaced(words: string): string {
  return words.toLocaleUpperCase('fr').split('').join('\u200a');
}
