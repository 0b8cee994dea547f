import Feature, { type FeatureLike } from 'ol/Feature';
import Map from 'ol/Map';
import View from 'ol/View';
import { containsXY } from 'ol/extent';
import MVT from 'ol/format/MVT';
import type OLGeometry from 'ol/geom/Geometry';
import { intersectsLinearRingArray, intersectsLineStringArray } from 'ol/geom/flat/intersectsextent';
import LineString from 'ol/geom/LineString';
import MultiLineString from 'ol/geom/MultiLineString';
import Point from 'ol/geom/Point';
import { defaults } from 'ol/interaction/defaults';
import VectorLayer from 'ol/layer/Vector';
import VectorTileLayer from 'ol/layer/VectorTile';
import { fromLonLat, toLonLat, transformExtent } from 'ol/proj';
import type RenderFeature from 'ol/render/Feature';
import VectorSource from 'ol/source/Vector';
import VectorTileSource from 'ol/source/VectorTile';
import { createXYZ } from 'ol/tilegrid';
import { boxOf, placeOf, type Box, type Geometry, type LonLat } from '../lib/geo';
import type { Group, Layer } from '../lib/types';
import type { View as Seen } from '../lib/url';
import { basemapStyle } from './basemap';
import { dataStyle, selectionStyle, type DataState } from './data';
import { AirLabels } from './airlabels';
import { readPalette, type Palette } from './palette';

/** What is on the map besides the basemap, the lowest first. */
export interface Shown {
  layer: Layer;
  time: string | null;
}

/** The feature that is chosen, and OSM's side of it when comparing. */
export interface Chosen {
  layer: Layer;
  id: string;
  geometry: Geometry | null;
  label: string;
  number?: number;
  group?: Group;
  other?: { place: LonLat; label: string; group: Group };
}

export interface Events {
  moved(view: Seen, box: Box): void;
  picked(layer: string | null, id: string): void;
  drawn(): void;
  failed(layer: string): void;
  received(layer: string): void;
}

interface Held {
  tiles: VectorTileLayer;
  state: DataState;
  key: string;
}

const padding = [60, 70, 70, 40];

/** The map: our basemap, the data's tiles over it, and what is chosen on top. */
export class Engine {
  readonly #map: Map;
  readonly #base: VectorTileLayer;
  readonly #chosen = new VectorLayer({
    source: new VectorSource(),
    zIndex: 900,
    updateWhileAnimating: true,
    updateWhileInteracting: true,
  });
  readonly #air: AirLabels;
  readonly #held: Record<string, Held> = {};
  readonly #events: Events;
  #palette: Palette = readPalette();
  #language: string;

  constructor(target: HTMLElement, language: string, events: Events) {
    this.#events = events;
    this.#language = language;
    this.#base = new VectorTileLayer({
      source: new VectorTileSource({
        format: new MVT(),
        url: '/tiles/basemap/{z}/{x}/{y}.mvt',
        tileGrid: createXYZ({ tileSize: 512, maxZoom: 14 }),
        cacheSize: 64,
        transition: 0,
      }),
      declutter: 'base',
      renderBuffer: 96,
      zIndex: 0,
      style: basemapStyle(this.#palette, language),
    });
    this.#air = new AirLabels();
    this.#map = new Map({
      target,
      controls: [],
      interactions: defaults({ altShiftDragRotate: false, pinchRotate: false, shiftDragZoom: false }),
      layers: [this.#base, this.#air.layer, this.#chosen],
      view: new View({ maxZoom: 20, minZoom: 5, enableRotation: false, constrainResolution: false }),
      keyboardEventTarget: target,
    });
    this.#map.on('moveend', () => this.#moved());
    this.#map.on('rendercomplete', () => {
      events.drawn();
    });
    this.#map.on('click', (e) => this.#clicked(e.pixel as [number, number]));
    this.#map.on('pointermove', (e) => {
      if (!e.dragging) target.style.cursor = this.#hit(e.pixel as [number, number]) ? 'pointer' : '';
    });
    document.fonts?.addEventListener?.('loadingdone', () => this.retheme());
  }

  destroy(): void {
    this.#map.setTarget(undefined);
  }

  /** Reads the theme's colours again. */
  retheme(): void {
    this.#palette = readPalette();
    this.#base.setStyle(basemapStyle(this.#palette, this.#language));
    for (const held of Object.values(this.#held)) held.tiles.setStyle(dataStyle(held.state, this.#palette));
    this.#air.restyle();
    this.#chosen.setStyle((f) => selectionStyle(f, this.#palette));
  }

  speak(language: string): void {
    if (language === this.#language) return;
    this.#language = language;
    this.retheme();
  }

  #moved(): void {
    const view = this.#map.getView();
    const center = view.getCenter();
    if (!center) return;
    const [lon, lat] = toLonLat(center);
    this.#events.moved({ zoom: view.getZoom() ?? 0, lat, lon }, this.box());
  }

  /** What is seen, in degrees. */
  box(): Box {
    const size = this.#map.getSize() ?? [1, 1];
    return transformExtent(this.#map.getView().calculateExtent(size), 'EPSG:3857', 'EPSG:4326') as Box;
  }

  /** Metres on the ground that one pixel is wide, at the middle. */
  metresPerPixel(): number {
    const view = this.#map.getView();
    const center = view.getCenter();
    if (!center) return 1;
    return (view.getResolution() ?? 1) * Math.cos((toLonLat(center)[1] * Math.PI) / 180);
  }

  go(view: Seen, animate = false): void {
    const v = this.#map.getView();
    const center = fromLonLat([view.lon, view.lat]);
    if (animate && !still() && v.getCenter()) v.animate({ center, zoom: view.zoom, duration: 250 });
    else {
      v.setCenter(center);
      v.setZoom(view.zoom);
    }
  }

  fit(box: Box, most = 17, animate = false): void {
    const extent = transformExtent(box, 'EPSG:4326', 'EPSG:3857');
    this.#map.updateSize();
    const [w, h] = this.#map.getSize() ?? [0, 0];
    const room = w > 400 && h > 300 ? padding : [10, 10, 10, 10];
    this.#map
      .getView()
      .fit(extent, { padding: room, maxZoom: most, duration: animate && !still() ? 250 : 0 });
  }

  zoomBy(steps: number): void {
    const v = this.#map.getView();
    const zoom = Math.round(((v.getZoom() ?? 0) + steps) * 100) / 100;
    if (still()) v.setZoom(zoom);
    else v.animate({ zoom, duration: 160 });
  }

  /** Moves so that a place is seen, and never zooms. */
  reveal(place: LonLat): void {
    const v = this.#map.getView();
    const at = fromLonLat(place);
    const pixel = this.#map.getPixelFromCoordinate(at);
    const [w, h] = this.#map.getSize() ?? [0, 0];
    if (pixel && pixel[0] > 70 && pixel[0] < w - 70 && pixel[1] > 80 && pixel[1] < h - 70) return;
    if (still()) v.setCenter(at);
    else v.animate({ center: at, duration: 250 });
  }

  /** Puts these layers on the map, in this order, and takes others off. */
  async show(list: Shown[], settings: (layer: Layer) => DataState): Promise<void> {
    const wanted = new Set(list.map((s) => s.layer.id));
    for (const id of Object.keys(this.#held)) {
      if (wanted.has(id)) continue;
      this.#map.removeLayer(this.#held[id].tiles);
      if (this.#held[id].state.layer.style.as === 'air-index') this.#air.follow(null);
      delete this.#held[id];
    }
    list.forEach((s, i) => {
      if (!s.layer.tiles) return;
      const held = (this.#held[s.layer.id] ??= this.#hold(s, settings(s.layer)));
      held.tiles.setZIndex(
        s.layer.geometryType === 'polygon' || s.layer.geometryType === 'mixed' ? 10 + i : 50 + i,
      );
      this.restyle(s.layer.id, settings(s.layer));
      const key = tileKey(s);
      if (held.key !== key) {
        held.key = key;
        (held.tiles.getSource() as VectorTileSource).setTileUrlFunction(address(s), key);
      }
    });
  }

  #hold(s: Shown, state: DataState): Held {
    const source = this.#source(s, 14);
    const tiles = new VectorTileLayer({
      source,
      renderBuffer: 32,
      renderMode: s.layer.geometryType === 'point' || s.layer.style.as === 'air-index' ? 'vector' : 'hybrid',
    });
    this.#map.addLayer(tiles);
    if (s.layer.style.as === 'air-index') this.#air.follow(tiles);
    void deepest(s.layer).then((zoom) => {
      if (zoom !== 14 && this.#held[s.layer.id]?.tiles === tiles) {
        tiles.setSource(this.#source(s, zoom));
        if (s.layer.style.as === 'air-index') this.#air.follow(tiles);
      }
    });
    return { tiles, state, key: tileKey(s) };
  }

  #source(s: Shown, maxZoom: number): VectorTileSource {
    const source = new VectorTileSource({
      format: new MVT({ idProperty: 'id' }),
      tileGrid: createXYZ({ tileSize: 512, maxZoom }),
      cacheSize: 64,
      transition: 0,
    });
    source.setTileUrlFunction(address(s), tileKey(s));
    // Braces: a listener that returns false would keep the others from hearing.
    source.on('tileloaderror', () => {
      this.#events.failed(s.layer.id);
    });
    source.on('tileloadend', () => {
      this.#events.received(s.layer.id);
    });
    return source;
  }

  /** Draws a layer again with other numbers, filters or values. */
  restyle(id: string, state: DataState): void {
    const held = this.#held[id];
    if (!held) return;
    held.state = state;
    held.tiles.setStyle(dataStyle(state, this.#palette));
    if (state.layer.style.as === 'air-index') this.#air.value(state);
  }

  /** Asks again for the tiles of a layer that failed. */
  retry(id: string): void {
    this.#held[id]?.tiles.getSource()?.refresh();
  }

  choose(chosen: Chosen | null): void {
    const source = this.#chosen.getSource()!;
    source.clear();
    this.#chosen.setStyle((f) => selectionStyle(f, this.#palette));
    if (!chosen) return;
    const place = placeOf(chosen.geometry);
    if (!place) return;
    const add = (geometry: OLGeometry, values: Record<string, unknown>) => {
      const f = new Feature({ ...values, chosen });
      f.setGeometry(geometry);
      source.addFeature(f);
    };
    const at = fromLonLat(place);
    if (chosen.geometry && chosen.geometry.type !== 'Point' && chosen.layer.geometryType !== 'point')
      add(shapeOf(chosen.geometry), { part: 'shape' });
    if (chosen.other) {
      const there = fromLonLat(chosen.other.place);
      add(new LineString([at, there]), { part: 'line' });
      add(new Point(there), { part: 'other' });
    }
    // The name stands above what is chosen, so that it never covers it.
    const box = chosen.layer.geometryType === 'point' ? null : boxOf(chosen.geometry);
    add(new Point(box ? fromLonLat([(box[0] + box[2]) / 2, box[3]]) : at), { part: 'place' });
  }

  #hit(pixel: [number, number]): { layer: string; id: string } | null {
    let best: { layer: string; id: string } | null = null;
    let nearest = Infinity;
    this.#map.forEachFeatureAtPixel(
      pixel,
      (f, tiles) => {
        const id = Object.keys(this.#held).find((k) => this.#held[k].tiles === tiles);
        const key = keyOf(f);
        if (!id || key === null) return;
        const at = f.getGeometry()?.getType() === 'Point' ? this.#distance(f, pixel) : 1e6;
        if (at < nearest) {
          nearest = at;
          best = { layer: id, id: key };
        }
      },
      { hitTolerance: 10, layerFilter: (l) => Object.values(this.#held).some((h) => h.tiles === l) },
    );
    return best;
  }

  #distance(f: FeatureLike, pixel: [number, number]): number {
    const extent = f.getGeometry()!.getExtent();
    const [x, y] = this.#map.getPixelFromCoordinate([extent[0], extent[1]]) ?? [0, 0];
    return Math.hypot(x - pixel[0], y - pixel[1]);
  }

  #clicked(pixel: [number, number]): void {
    const hit = this.#hit(pixel);
    if (hit) this.#events.picked(hit.layer, hit.id);
  }

  /** The ids of a layer's features that lie in what is seen: what the map draws, for the list to equal. */
  seen(id: string): string[] {
    const held = this.#held[id];
    if (!held) return [];
    const view = this.#map.getView();
    const extent = view.calculateExtent(this.#map.getSize() ?? [1, 1]);
    const keys = new Set<string>();
    for (const f of held.tiles.getFeaturesInExtent(extent)) {
      const key = keyOf(f);
      if (key !== null && meets(f as unknown as RenderFeature, extent)) keys.add(key);
    }
    return [...keys];
  }
}

/** Whether a tile's feature shares a point with an extent. */
function meets(f: RenderFeature, extent: number[]): boolean {
  const flat = f.getFlatCoordinates();
  const type = f.getType();
  if (type.includes('Point')) {
    for (let i = 0; i < flat.length; i += 2) if (containsXY(extent, flat[i], flat[i + 1])) return true;
    return false;
  }
  const ends = (f.getEnds() as number[] | null) ?? [flat.length];
  if (type.includes('Polygon')) return intersectsLinearRingArray(flat, 0, ends, 2, extent);
  return intersectsLineStringArray(flat, 0, ends, 2, extent);
}

/** The lines of a GeoJSON geometry, rings included: what a highlight follows. */
function shapeOf(g: Geometry): OLGeometry {
  const lines: number[][][] = [];
  const walk = (c: unknown): void => {
    if (!Array.isArray(c) || !Array.isArray(c[0])) return;
    if (typeof c[0][0] === 'number') lines.push((c as number[][]).map((xy) => fromLonLat(xy.slice(0, 2))));
    else c.forEach(walk);
  };
  for (const part of g.geometries ?? [g]) walk(part.coordinates);
  return new MultiLineString(lines);
}

/** The item id of a tile's feature. */
function keyOf(f: FeatureLike): string | null {
  const id = f.getId() ?? f.get('id');
  return id === undefined || id === null ? null : String(id);
}

function tileKey(s: Shown): string {
  return `${s.layer.revision} ${s.time ?? ''}`;
}

/** The address of a layer's tiles; none outside the box of the layer, where there is nothing to ask for. */
function address(s: Shown): (tile: number[]) => string | undefined {
  const q = s.time ? `?${new URLSearchParams({ datetime: s.time })}` : '';
  const box = s.layer.bbox;
  const path = `/tiles/${encodeURIComponent(s.layer.id)}`;
  return ([z, x, y]) => {
    if (box) {
      const [[west, north], [east, south]] = [tileOf(box[0], box[3], z), tileOf(box[2], box[1], z)];
      if (x < west || x > east || y < north || y > south) return undefined;
    }
    return `${path}/${z}/${x}/${y}.mvt${q}`;
  };
}

/** The tile of a zoom that a place lies in. */
function tileOf(lon: number, lat: number, z: number): [number, number] {
  const n = 2 ** z;
  const phi = (Math.min(85.05, Math.max(-85.05, lat)) * Math.PI) / 180;
  return [
    Math.floor(((lon + 180) / 360) * n),
    Math.floor(((1 - Math.asinh(Math.tan(phi)) / Math.PI) / 2) * n),
  ];
}

/** The deepest zoom that a layer has tiles for, as its TileJSON says; 14 when it does not answer. */
async function deepest(l: Layer): Promise<number> {
  try {
    const answer = await fetch(l.tiles!);
    const described = (await answer.json()) as { maxzoom?: number };
    return described.maxzoom ?? 14;
  } catch {
    return 14;
  }
}

/** Whether the visitor asked for no motion. */
function still(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}
