import Map from 'ol/Map';
import View from 'ol/View';
import MVT from 'ol/format/MVT';
import { defaults } from 'ol/interaction/defaults';
import VectorTileLayer from 'ol/layer/VectorTile';
import VectorTileSource from 'ol/source/VectorTile';
import { createXYZ } from 'ol/tilegrid';
import { home, minus, plus } from '../icons.json';
import { basemapStyle } from '../map/basemap';
import { readPalette } from '../map/palette';
import { words } from './words';

const still = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

/** A map on our basemap for the pages of sessions: moved by hand or by the arrow keys, with a cross in its middle. */
export class Pad {
  readonly element = document.createElement('div');
  readonly map: Map;
  readonly view = new View({ maxZoom: 20, minZoom: 8, enableRotation: false });

  constructor(language: string, label: string, back: () => void) {
    const canvas = document.createElement('div');
    this.element.className = 'moving';
    canvas.className = 'canvas';
    canvas.tabIndex = 0;
    canvas.setAttribute('role', 'application');
    canvas.setAttribute('aria-label', label);
    const cross = document.createElement('i');
    cross.className = 'cross';
    cross.setAttribute('aria-hidden', 'true');
    this.element.append(canvas, cross, this.#buttons(back));
    const base = new VectorTileLayer({
      source: new VectorTileSource({
        format: new MVT(),
        url: '/tiles/basemap/{z}/{x}/{y}.mvt',
        tileGrid: createXYZ({ tileSize: 512, maxZoom: 14 }),
        cacheSize: 32,
        transition: 0,
      }),
      declutter: 'base',
      renderBuffer: 96,
      style: basemapStyle(readPalette(), language),
    });
    this.map = new Map({
      target: canvas,
      controls: [],
      interactions: defaults({ altShiftDragRotate: false, pinchRotate: false, shiftDragZoom: false }),
      layers: [base],
      view: this.view,
      keyboardEventTarget: canvas,
    });
    // Labels were measured with another font until ours is there.
    document.fonts?.addEventListener?.('loadingdone', () => base.changed());
  }

  #buttons(back: () => void): HTMLElement {
    const w = words();
    const box = document.createElement('div');
    box.className = 'zoom';
    const [both, alone] = [document.createElement('div'), document.createElement('div')];
    const add = (into: HTMLElement, label: string | undefined, icon: string, act: () => void) => {
      const b = document.createElement('button');
      b.type = 'button';
      b.className = 'mb';
      b.setAttribute('aria-label', label ?? '');
      b.innerHTML = `<svg class="ic" width="24" height="24" viewBox="0 0 24 24" aria-hidden="true">${icon}</svg>`;
      b.addEventListener('click', act);
      into.append(b);
    };
    add(both, w.zoomIn, plus, () => this.zoomBy(1));
    add(both, w.zoomOut, minus, () => this.zoomBy(-1));
    add(alone, w.home, home, back);
    box.append(both, alone);
    return box;
  }

  zoomBy(steps: number): void {
    const zoom = (this.view.getZoom() ?? 16) + steps;
    if (still()) this.view.setZoom(zoom);
    else this.view.animate({ zoom, duration: 160 });
  }

  /** Brings a place of EPSG:3857 to the middle. */
  centreOn(at: number[]): void {
    if (still()) this.view.setCenter(at);
    else this.view.animate({ center: at, duration: 160 });
  }
}
