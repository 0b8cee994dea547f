import type { FeatureLike } from 'ol/Feature';
import Fill from 'ol/style/Fill';
import Stroke from 'ol/style/Stroke';
import Style from 'ol/style/Style';
import Text from 'ol/style/Text';
import type { Group, Layer } from '../lib/types';
import { atmoClass, atmoFill } from '../lib/atmo';
import type { Chosen } from './engine';
import type { Palette } from './palette';
import { colourOf, colourToken } from '../lib/signs';
import { dotIcon, markerIcon, outcomeIcon, ringIcon } from './symbols';

/** What decides how a layer's features are drawn at this moment. */
export interface DataState {
  layer: Layer;
  /** The list's number of a feature, while the list is open. */
  numbers: Map<string, number> | null;
  /** Many points: dots instead of symbols. */
  crowded: boolean;
  /** Groups of outcomes that are shown; null for layers that are not outcomes. */
  groups: Set<Group> | null;
  /** ATMO class by commune, for the shown day. */
  classes: Map<string, number> | null;
  patterns: boolean;
  /** The chosen feature, which is drawn above. */
  hidden: string | null;
}

type StyleFunction = (f: FeatureLike) => Style | Style[] | void;

/** Makes the style function of a layer's tiles. */
export function dataStyle(state: DataState, p: Palette): StyleFunction {
  if (state.groups) return outcomeStyle(state, p);
  if (state.layer.style.as === 'air-index') return airStyle(state);
  switch (state.layer.geometryType) {
    case 'line':
      return lineStyle(state, p);
    case 'polygon':
    case 'mixed':
      return areaStyle(state, p);
  }
  return pointStyle(state, p);
}

function pointStyle(state: DataState, p: Palette): StyleFunction {
  const plain = new Style({
    image: state.crowded ? dotIcon(state.layer, p) : markerIcon(state.layer, p),
    zIndex: 1,
  });
  const numbered = new Map<number, Style>();
  return (f) => {
    const n = state.numbers?.get(String(f.getId() ?? f.get('id')));
    if (n === undefined) return plain;
    let style = numbered.get(n);
    if (!style) {
      style = new Style({ image: markerIcon(state.layer, p, n), zIndex: 10000 - n });
      numbered.set(n, style);
    }
    return style;
  };
}

function lineStyle(state: DataState, p: Palette): StyleFunction {
  const dash = { dots: [1, 8], dashes: [9, 7], solid: undefined }[state.layer.style.line ?? 'solid'];
  const colour = p(colourToken[colourOf(state.layer)]);
  const under = new Style({ stroke: new Stroke({ color: p('--map-halo') + 'b0', width: 6 }), zIndex: 1 });
  const line = new Style({
    stroke: new Stroke({ color: colour, width: 4, lineDash: dash, lineCap: 'round', lineJoin: 'round' }),
    zIndex: 2,
  });
  return () => (dash ? [line] : [under, line]);
}

function areaStyle(state: DataState, p: Palette): StyleFunction {
  const colour = p(colourToken[colourOf(state.layer)]);
  const none = state.layer.style.fill === 'none';
  const style = new Style({
    fill: new Fill({ color: none ? 'rgba(0,0,0,0)' : colour + '2e' }),
    stroke: new Stroke({
      color: colour,
      width: 2,
      lineDash: state.layer.style.line === 'dashes' ? [8, 5] : undefined,
    }),
  });
  const line = lineStyle(state, p);
  const point = pointStyle(state, p);
  return (f) => {
    const type = f.getGeometry()?.getType() ?? '';
    return type.includes('Point') ? point(f) : type.includes('Line') ? line(f) : style;
  };
}

function outcomeStyle(state: DataState, p: Palette): StyleFunction {
  const styles: Partial<Record<Group, Style>> = {};
  const rank: Record<Group, number> = { other: 0, same: 1, osm: 2, partner: 3, differs: 4 };
  return (f) => {
    const group = (f.get('group') ?? 'other') as Group;
    if (!state.groups!.has(group)) return;
    return (styles[group] ??= new Style({ image: outcomeIcon(group, p), zIndex: rank[group] }));
  };
}

function airStyle(state: DataState): StyleFunction {
  const edge = new Stroke({ color: 'rgba(19,37,46,.62)', width: 1.2 });
  const styles = Array.from(
    { length: 8 },
    (_v, c) => new Style({ fill: new Fill({ color: atmoFill(c, state.patterns) }), stroke: edge }),
  );
  return (f) => styles[classOf(state, f)];
}

/** The class of a commune on the shown day: from the day's values, else from the tile. */
export function classOf(state: DataState, f: FeatureLike): number {
  if (!state.classes) return atmoClass(f.get('code_qual'));
  return state.classes.get(communeOf(String(f.getId() ?? f.get('id')))) ?? 0;
}

/** The commune of a series' item id: what stands before the day. */
export function communeOf(id: string): string {
  const at = id.indexOf('@');
  return at < 0 ? id : id.slice(0, at);
}

/** Draws what is chosen: a ring at a point, a double outline around an area, OSM's side hollow and dashed. */
export function selectionStyle(f: FeatureLike, p: Palette): Style[] {
  const chosen = f.get('chosen') as Chosen;
  switch (f.get('part')) {
    case 'shape':
      return [
        new Style({ stroke: new Stroke({ color: p('--focus-ink'), width: 9 }), zIndex: 1 }),
        new Style({ stroke: new Stroke({ color: p('--focus-band'), width: 5 }), zIndex: 2 }),
        new Style({ stroke: new Stroke({ color: p('--focus-ink'), width: 2 }), zIndex: 3 }),
      ];
    case 'line':
      return [
        new Style({
          stroke: new Stroke({ color: p('--text'), width: 3, lineDash: [1, 7], lineCap: 'round' }),
          zIndex: 4,
        }),
      ];
    case 'other':
      return [
        new Style({ image: outcomeIcon(chosen.other!.group, p, true), zIndex: 6 }),
        labelAt(chosen.other!.label, p, -26),
      ];
  }
  const area = chosen.layer.geometryType === 'polygon' || chosen.layer.geometryType === 'line';
  if (area) return [tip(chosen.label, p, -10)];
  const image = chosen.group ? outcomeIcon(chosen.group, p) : markerIcon(chosen.layer, p, chosen.number);
  const out = [new Style({ image: ringIcon(p), zIndex: 7 }), new Style({ image, zIndex: 8 })];
  out.push(chosen.other ? labelAt(chosen.label, p, 0, 30) : tip(chosen.label, p, -38));
  return out;
}

/** A name in a box above its place. */
function tip(words: string, p: Palette, dy: number): Style {
  const short = words.length > 44 ? words.slice(0, 43) + '…' : words;
  return new Style({
    zIndex: 20,
    text: new Text({
      text: short,
      font: '600 16px "Noto Sans"',
      fill: new Fill({ color: p('--text') }),
      backgroundFill: new Fill({ color: p('--surface') }),
      backgroundStroke: new Stroke({ color: p('--text'), width: 1.5 }),
      padding: [6, 14, 4, 15],
      offsetY: dy - 6,
      textBaseline: 'bottom',
      overflow: true,
    }),
  });
}

function labelAt(words: string, p: Palette, dy: number, dx = 0): Style {
  return new Style({
    zIndex: 21,
    text: new Text({
      text: words,
      font: '700 16px "Noto Sans"',
      fill: new Fill({ color: p('--text') }),
      stroke: new Stroke({ color: p('--map-halo'), width: 4 }),
      offsetX: dx,
      offsetY: dy,
      textAlign: dx ? 'left' : 'center',
      overflow: true,
    }),
  });
}
