import type { FeatureLike } from 'ol/Feature';
import CircleStyle from 'ol/style/Circle';
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

/** Makes the style function of the basemap's vector tiles (Shortbread's layers), in the theme's colours. */
export function basemapStyle(
  palette: Palette,
  language: string,
): (f: FeatureLike, resolution: number) => Style[] | void {
  const cache = new Map<string, Style[]>();
  const once = (key: string, make: () => Style[]): Style[] => {
    let styles = cache.get(key);
    if (!styles) {
      styles = make();
      cache.set(key, styles);
    }
    return styles;
  };
  const fill = (colour: string, z: number, edge?: string) =>
    once(`f${colour}${z}${edge}`, () => [
      new Style({
        zIndex: z,
        fill: new Fill({ color: palette(colour) }),
        stroke: edge ? new Stroke({ color: palette(edge), width: 0.7 }) : undefined,
      }),
    ]);
  const line = (colour: string, width: number, z: number, dash?: number[]) =>
    once(`l${colour}${width}${z}${dash}`, () => [
      new Style({
        zIndex: z,
        stroke: new Stroke({
          color: palette(colour),
          width,
          lineDash: dash,
          lineCap: dash ? 'butt' : 'round',
          lineJoin: 'round',
        }),
      }),
    ]);
  // Widths follow the zoom in steps of a half, so that few styles are made.
  const scaled = (at16: number, zoom: number, least: number) =>
    Math.round(Math.max(least, at16 * Math.pow(1.42, Math.round(zoom * 2) / 2 - 16)) * 4) / 4;

  const roadStyle = (f: FeatureLike, zoom: number): Style[] | void => {
    const kind = String(f.get('kind'));
    const tunnel = f.get('tunnel') === true;
    if (rails.has(kind)) {
      if (zoom < (kind === 'rail' ? 10 : 14)) return;
      return once(`rail${Math.round(zoom * 2)}`, () => [
        new Style({
          zIndex: 34,
          stroke: new Stroke({ color: palette('--map-rail'), width: scaled(2.6, zoom, 0.9) }),
        }),
        ...(zoom > 13.5
          ? [
              new Style({
                zIndex: 35,
                stroke: new Stroke({
                  color: palette('--map-land'),
                  width: scaled(1.2, zoom, 0.4),
                  lineDash: [7, 7],
                }),
              }),
            ]
          : []),
      ]);
    }
    if (paths.has(kind)) {
      if (zoom < (kind === 'track' || kind === 'path' ? 13 : 15)) return;
      return line('--map-path', scaled(1.5, zoom, 0.8), 21, kind === 'cycleway' ? [6, 3] : [5, 3.5]);
    }
    const s = street[kind];
    if (!s || zoom < s.from) return;
    const width = scaled(s.wide, zoom, s.main ? 1.2 : 0.7);
    if (zoom < (s.main ? 9 : 12.5))
      return line(s.main ? '--map-main' : '--map-casing', Math.max(width, s.main ? 1.6 : 0.8), 20 + s.z);
    return once(`s${kind}${width}${tunnel}`, () => [
      new Style({
        zIndex: 22 + (s.main ? 1 : 0),
        stroke: new Stroke({
          color: palette(s.main ? '--map-main-casing' : '--map-casing'),
          width: width + 1.6,
          lineCap: tunnel ? 'butt' : 'round',
          lineJoin: 'round',
          lineDash: tunnel ? [4, 4] : undefined,
        }),
      }),
      new Style({
        zIndex: 25 + s.z,
        stroke: new Stroke({
          color: palette(s.main ? '--map-main' : '--map-road'),
          width,
          lineCap: 'round',
          lineJoin: 'round',
        }),
      }),
    ]);
  };

  const name = (f: FeatureLike): string => String(f.get(`name_${language}`) || f.get('name') || '');
  const label = (
    words: string,
    colour: string,
    fontText: string,
    rank: number,
    along = false,
    halo = '--map-halo',
    from = 3.2,
  ): Style[] =>
    once(`t${words}${fontText}${colour}${along}`, () => [
      new Style({
        zIndex: 100 + rank,
        text: new Text({
          text: words,
          font: fontText,
          fill: new Fill({ color: palette(colour) }),
          stroke: new Stroke({ color: palette(halo), width: from }),
          placement: along ? 'line' : 'point',
          maxAngle: 0.6,
          overflow: false,
          repeat: along ? 420 : undefined,
          padding: along ? [2, 4, 2, 4] : [3, 6, 3, 6],
        }),
      }),
    ]);

  const streetLabel = (f: FeatureLike, zoom: number): Style[] | void => {
    const kind = String(f.get('kind'));
    const s = street[kind];
    const ref = String(f.get('ref') || (f.get('ref_cols') && f.get('ref')) || '');
    if (s?.main && ref && zoom < 15.5 && zoom >= 10) return shield(ref);
    const words = name(f);
    if (!words) return s?.main && ref && zoom >= 15.5 ? shield(ref) : undefined;
    const from = s ? (s.main ? 13.5 : s.wide > 5 ? 14 : s.wide > 3 ? 15.2 : 16.5) : 16.5;
    if (zoom < from) return;
    return label(words, '--map-label', font(s?.main ? 600 : 400, 14), s?.main ? 3 : 1, true);
  };
  const shield = (ref: string) =>
    once(`sh${ref}`, () => [
      new Style({
        zIndex: 104,
        text: new Text({
          text: ref.replace(/^([A-Z]+)\s*(\d)/, '$1 $2'),
          font: font(700, 13),
          fill: new Fill({ color: palette('--map-shield-text') }),
          backgroundFill: new Fill({ color: palette('--map-shield') }),
          backgroundStroke: new Stroke({ color: palette('--map-shield-line'), width: 1 }),
          padding: [2, 7, 1, 8],
          textBaseline: 'middle',
        }),
      }),
    ]);

  const placeLabel = (f: FeatureLike, zoom: number): Style[] | void => {
    const kind = String(f.get('kind'));
    const words = name(f);
    const [px, weight, rank] = capitals[kind] ?? [14, 400, 2];
    if (!words || zoom < (placeFrom[kind] ?? 12)) return;
    if ((kind === 'city' || kind === 'town') && zoom > 17) return;
    if (quarters.has(kind)) return label(spaced(words), '--map-label-soft', font(600, 15), rank);
    const smaller = zoom < 12 ? 2 : 0;
    return label(words, '--map-label', font(weight, px - smaller), rank);
  };

  const poiLabel = (f: FeatureLike, zoom: number): Style[] | void => {
    const words = name(f);
    if (!words || zoom < 15.7) return;
    const leisure = String(f.get('leisure') || '');
    const green = leisure || f.get('amenity') === 'grave_yard' || f.get('landuse') === 'cemetery';
    return label(
      words,
      green ? '--map-label-green' : '--map-label',
      font(400, green ? 15 : 14, Boolean(green)),
      1,
    );
  };

  const boundary = (f: FeatureLike, zoom: number): Style[] | void => {
    const level = Number(f.get('admin_level'));
    if (level === 2) return line('--map-label-soft', 1.2, 60, [8, 3, 2, 3]);
    if (level === 4) return line('--map-label-soft', 1, 59, [6, 4]);
    if (level === 6 && zoom >= 8) return line('--map-rail', 0.8, 58, [5, 4]);
    if (level >= 8 && zoom >= 11) return line('--map-rail', 0.6, 57, [3, 4]);
  };

  const tree = once('tree', () => [
    new Style({
      zIndex: 40,
      image: new CircleStyle({ radius: 3, fill: new Fill({ color: palette('--map-tree') }) }),
    }),
  ]);

  return (f, resolution) => {
    const zoom = Math.log2(156543.03392804097 / resolution);
    const kind = String(f.get('kind'));
    switch (f.get('layer')) {
      case 'ocean':
        return fill('--map-sea', 8);
      case 'water_polygons':
        return zoom >= 8 || f.get('way_area') > 1e6 ? fill('--map-sea', 8) : undefined;
      case 'water_lines':
      case 'dam_lines':
        return zoom >= (kind === 'river' ? 9 : 13)
          ? line(
              '--map-sea',
              scaled(kind === 'river' ? 6 : kind === 'stream' || kind === 'canal' ? 3.4 : 2, zoom, 0.8),
              9,
            )
          : undefined;
      case 'pier_lines':
        return zoom >= 13 ? line('--map-plaza', scaled(5.6, zoom, 1), 10) : undefined;
      case 'pier_polygons':
      case 'dam_polygons':
        return zoom >= 13 ? fill('--map-plaza', 10) : undefined;
      case 'land': {
        const area = land[kind];
        return area && zoom >= (area.from ?? 0) ? fill(area.colour, area.z) : undefined;
      }
      case 'sites': {
        const area = sites[kind];
        return area && zoom >= (area.from ?? 0) ? fill(area.colour, area.z) : undefined;
      }
      case 'street_polygons':
      case 'streets_polygons':
        return zoom >= 13
          ? fill(kind === 'pedestrian' || kind === 'footway' ? '--map-plaza' : '--map-road', 24)
          : undefined;
      case 'buildings':
        return zoom >= 13.5
          ? fill(
              f.get('public') ? '--map-public' : '--map-building',
              45,
              zoom >= 15 ? '--map-building-line' : undefined,
            )
          : undefined;
      case 'trees':
        return zoom >= 15 ? tree : undefined;
      case 'streets':
      case 'bridges':
        return roadStyle(f, zoom);
      case 'ferries':
        return zoom >= 9 ? line('--map-label-sea', 1, 12, [6, 5]) : undefined;
      case 'aerialways':
        return zoom >= 13 ? line('--map-rail', 1, 50, [8, 3]) : undefined;
      case 'boundaries':
        return boundary(f, zoom);
      case 'street_labels':
      case 'streets_polygons_labels':
        return streetLabel(f, zoom);
      case 'place_labels':
        return placeLabel(f, zoom);
      case 'water_polygons_labels':
      case 'water_lines_labels':
      case 'ocean_labels': {
        const words = name(f);
        const along = f.get('layer') === 'water_lines_labels';
        if (!words || zoom < (along ? 14 : 12)) return;
        return label(words, '--map-label-sea', font(400, 15, true), 4, along, '--map-sea', 2);
      }
      case 'pois':
        return poiLabel(f, zoom);
      case 'land_labels':
      case 'site_labels':
        return zoom >= 14.5 && name(f)
          ? label(name(f), '--map-label-green', font(400, 15, true), 3)
          : undefined;
    }
  };
}

/** Quarters are written in spaced capitals; canvas text has no letter spacing, so hair spaces make it. */
function spaced(words: string): string {
  return words.toLocaleUpperCase('fr').split('').join('\u200a');
}
