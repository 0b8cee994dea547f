import Feature from 'ol/Feature';
import Polygon from 'ol/geom/Polygon';
import Draw from 'ol/interaction/Draw';
import Modify from 'ol/interaction/Modify';
import VectorLayer from 'ol/layer/Vector';
import { fromLonLat, toLonLat } from 'ol/proj';
import VectorSource from 'ol/source/Vector';
import Circle from 'ol/style/Circle';
import Fill from 'ol/style/Fill';
import Stroke from 'ol/style/Stroke';
import Style from 'ol/style/Style';
import { readPalette } from '../map/palette';
import { Pad } from './pad';
import { say } from './say';

/** A polygon drawn on the map, by hand or corner by corner with the keyboard, as GeoJSON in degrees. */
export class Drawing {
  readonly #pad: Pad;
  readonly #box: HTMLElement;
  readonly #source = new VectorSource<Feature<Polygon>>();
  readonly #draw: Draw;
  readonly #buttons: Record<'corner' | 'undo' | 'close' | 'again', HTMLButtonElement>;
  readonly #panel: HTMLElement;
  readonly #words: DOMStringMap;
  readonly #changed: (shape: string) => void;
  readonly #say: (sentence: string) => void;
  #corners = 0;

  constructor(
    box: HTMLElement,
    panel: HTMLElement,
    w: DOMStringMap,
    shape: string,
    changed: (shape: string) => void,
  ) {
    this.#box = box;
    this.#panel = panel;
    this.#words = w;
    this.#changed = changed;
    this.#pad = new Pad(document.documentElement.lang, w.drawMap ?? '', () => this.#home());
    const style = drawn();
    this.#draw = new Draw({ type: 'Polygon', source: this.#source, style });
    this.#pad.map.addLayer(new VectorLayer({ source: this.#source, style, zIndex: 5 }));
    const modify = new Modify({ source: this.#source, style });
    this.#pad.map.addInteraction(modify);
    this.#pad.map.addInteraction(this.#draw);
    this.#draw.on('drawend', (e) => setTimeout(() => this.#done(e.feature as Feature<Polygon>)));
    this.#draw.on('drawstart', () => this.#count(1));
    modify.on('modifyend', () => this.#tell());
    this.#pad.map.on('click', () => setTimeout(() => this.#look()));
    const how = document.createElement('p');
    how.className = 'muted';
    how.textContent = w.drawHow ?? '';
    const row = document.createElement('div');
    row.className = 'row';
    panel.replaceChildren(how, row);
    this.#say = say(panel);
    const button = (label: string | undefined, act: () => void) => {
      const b = document.createElement('button');
      b.type = 'button';
      b.className = 'btn sec';
      b.textContent = label ?? '';
      b.addEventListener('click', act);
      row.append(b);
      return b;
    };
    this.#buttons = {
      corner: button(w.drawCorner, () => this.#corner()),
      undo: button(w.drawUndo, () => this.#undo()),
      close: button(w.drawClose, () => this.#close()),
      again: button(w.drawAgain, () => this.#again()),
    };
    this.#box.append(this.#pad.element);
    this.read(shape);
    this.#home();
    this.#arm();
  }

  /** Puts the drawing over the box, or takes it off. */
  show(on: boolean): void {
    this.#box.classList.toggle('moves', on);
    this.#box.classList.toggle('draws', on);
    this.#panel.hidden = !on;
    this.#pad.map.updateSize();
  }

  /** Takes over a shape as GeoJSON; what is none is passed over. */
  read(shape: string): void {
    const ring = ringOf(shape);
    if (!ring) return;
    this.#source.clear();
    this.#source.addFeature(new Feature(new Polygon([ring.map((at) => fromLonLat(at))])));
    this.#arm();
  }

  #home(): void {
    const { lon, lat } = this.#box.dataset;
    const there = this.#source.getFeatures()[0]?.getGeometry();
    this.#pad.map.updateSize();
    if (there)
      this.#pad.view.fit(there, { padding: [40, 60, 40, 40], maxZoom: 17, size: this.#pad.map.getSize() });
    else {
      this.#pad.view.setCenter(fromLonLat([Number(lon ?? 5.6), Number(lat ?? 43.7)]));
      this.#pad.view.setZoom(lon ? 15.5 : 9);
    }
  }

  #corner(): void {
    this.#draw.appendCoordinates([this.#pad.view.getCenter()!]);
    this.#look();
  }

  #undo(): void {
    this.#draw.removeLastPoint();
    this.#look();
  }

  #close(): void {
    this.#draw.finishDrawing();
  }

  #again(): void {
    this.#draw.abortDrawing();
    this.#source.clear();
    this.#changed('');
    this.#count(0);
    this.#arm();
    this.#buttons.corner.focus();
  }

  /** How many corners the sketch has: the last one follows the pointer. */
  #look(): void {
    const sketch = this.#draw.getOverlay().getSource()?.getFeatures() ?? [];
    const polygon = sketch.map((f) => f.getGeometry()).find((g) => g instanceof Polygon);
    const line = polygon?.getCoordinates()[0] ?? [];
    const n = new Set(line.slice(0, -1).map(String)).size;
    this.#count(polygon ? Math.max(n, 1) : 0);
  }

  #count(n: number): void {
    if (n === this.#corners && n > 0) return;
    this.#corners = n;
    const w = this.#words;
    this.#say(n === 0 ? '' : ((n === 1 ? w.drawOne : w.drawMany?.replace('99', String(n))) ?? ''));
    this.#arm();
  }

  #done(f: Feature<Polygon>): void {
    for (const other of this.#source.getFeatures()) if (other !== f) this.#source.removeFeature(other);
    this.#corners = 0;
    this.#tell();
    this.#arm();
    this.#say(this.#words.drawDone ?? '');
  }

  #tell(): void {
    const polygon = this.#source.getFeatures()[0]?.getGeometry();
    if (!polygon) return;
    const coordinates = polygon
      .getCoordinates()
      .map((ring) => ring.map((at) => toLonLat(at).map((n) => Math.round(n * 1e6) / 1e6)));
    this.#changed(JSON.stringify({ type: 'Polygon', coordinates }));
  }

  #arm(): void {
    const whole = this.#source.getFeatures().length > 0;
    this.#draw.setActive(!whole);
    this.#buttons.corner.disabled = whole;
    this.#buttons.undo.disabled = whole || this.#corners === 0;
    this.#buttons.close.disabled = whole || this.#corners < 3;
    this.#buttons.again.disabled = !whole && this.#corners === 0;
  }
}

function drawn(): Style[] {
  const p = readPalette();
  return [
    new Style({
      fill: new Fill({ color: p('--selected-soft') + (p('--selected-soft').length === 7 ? '55' : '') }),
      stroke: new Stroke({ color: p('--primary'), width: 4 }),
      image: new Circle({
        radius: 7,
        fill: new Fill({ color: p('--primary') }),
        stroke: new Stroke({ color: '#fff', width: 2 }),
      }),
    }),
  ];
}

/** The outer ring of the first polygon of a GeoJSON text. */
function ringOf(shape: string): [number, number][] | null {
  try {
    let g = JSON.parse(shape);
    if (g.type === 'FeatureCollection') g = g.features[0];
    if (g.type === 'Feature') g = g.geometry;
    const ring =
      g.type === 'MultiPolygon' ? g.coordinates[0][0] : g.type === 'Polygon' ? g.coordinates[0] : null;
    return Array.isArray(ring) && ring.length > 3 ? ring : null;
  } catch {
    return null;
  }
}
