import Overlay from 'ol/Overlay';
import { boundingExtent } from 'ol/extent';
import { fromLonLat, toLonLat } from 'ol/proj';
import { Pad } from './pad';
import { words } from './words';

/** Metres of EPSG:3857 that a pixel shows at first: as the server draws. */
const nearby = 0.62;

/** The moving map of a participant's page, over the drawn one. */
export class PlaceMap {
  readonly #pad: Pad;
  readonly #marks: Overlay[] = [];
  #places: number[][] = [];
  #box: HTMLElement | null = null;
  #pointing = false;
  #drawn = false;

  constructor(language: string) {
    this.#pad = new Pad(language, words().map ?? '', () => this.#home());
    this.#pad.map.on('rendercomplete', () => {
      this.#drawn = true;
      this.#box?.classList.add('moves');
    });
    this.#pad.map.on('click', (e) => {
      if (this.#pointing) this.#pad.centreOn(e.coordinate);
    });
  }

  /** Whether people can point at it. */
  get ready(): boolean {
    return this.#drawn && this.#box !== null;
  }

  /** Moves into a page's box and to its place; null takes it away, and the drawn map is seen. */
  show(box: HTMLElement | null): void {
    if (box === this.#box && box?.contains(this.#pad.element)) return;
    this.#box?.classList.remove('moves');
    this.#pad.element.remove();
    const { lon, lat, lon2, lat2 } = box?.dataset ?? {};
    this.#box = lon && lat ? box : null;
    if (!this.#box) return;
    this.#drawn = false;
    this.#places = [fromLonLat([Number(lon), Number(lat)])];
    if (lon2 && lat2) this.#places.push(fromLonLat([Number(lon2), Number(lat2)]));
    this.#box.append(this.#pad.element);
    this.#pad.map.updateSize();
    this.#mark();
    this.#home();
    this.#pad.map.render();
  }

  /** The signs are those of the drawn map. */
  #mark(): void {
    for (const o of this.#marks.splice(0)) this.#pad.map.removeOverlay(o);
    const drawn = this.#box!.querySelectorAll('svg.m .pm');
    this.#places.forEach((at, i) => {
      if (!drawn[i]) return;
      const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
      for (const [k, v] of [
        ['class', 'm pin'],
        ['width', '60'],
        ['height', '60'],
        ['viewBox', '-30 -30 60 60'],
        ['aria-hidden', 'true'],
      ])
        svg.setAttribute(k, v);
      const sign = drawn[i].cloneNode(true) as Element;
      sign.removeAttribute('transform');
      svg.append(sign);
      const holder = document.createElement('div');
      holder.append(svg);
      const overlay = new Overlay({
        element: holder,
        position: at,
        positioning: 'center-center',
        stopEvent: false,
      });
      this.#marks.push(overlay);
      this.#pad.map.addOverlay(overlay);
    });
  }

  #home(): void {
    const view = this.#pad.view;
    if (this.#places.length > 1)
      view.fit(boundingExtent(this.#places), {
        padding: [60, 70, 60, 60],
        minResolution: nearby,
        size: this.#pad.map.getSize(),
      });
    else {
      view.setCenter(this.#places[0]);
      view.setResolution(nearby);
    }
  }

  /** Lets people point: a tap brings its spot under the cross. */
  point(on: boolean): void {
    this.#pointing = on;
    this.#box?.classList.toggle('points', on);
    this.#pad.map.updateSize();
    if (on) this.#pad.element.querySelector<HTMLElement>('.canvas')?.focus({ preventScroll: true });
  }

  /** lon, lat under the cross. */
  centre(): number[] {
    return toLonLat(this.#pad.view.getCenter()!);
  }
}
