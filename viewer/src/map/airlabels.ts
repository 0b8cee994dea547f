import Feature from 'ol/Feature';
import Point from 'ol/geom/Point';
import VectorLayer from 'ol/layer/Vector';
import type VectorTileLayer from 'ol/layer/VectorTile';
import type RenderFeature from 'ol/render/Feature';
import VectorSource from 'ol/source/Vector';
import Fill from 'ol/style/Fill';
import Stroke from 'ol/style/Stroke';
import Style from 'ol/style/Style';
import Text from 'ol/style/Text';
import type { VectorTile } from './tile';
import { atmoColours, atmoInk, atmoSign } from '../lib/atmo';
import { classOf, communeOf, type DataState } from './data';

/** One number in each commune, whichever tiles it is cut into: written in its largest piece. */
export class AirLabels {
  readonly #source = new VectorSource();
  readonly layer = new VectorLayer({ source: this.#source, zIndex: 40, declutter: 'air', minZoom: 8.5 });
  #state: DataState | null = null;
  #following: VectorTileLayer | null = null;

  constructor() {
    this.restyle();
  }

  /** Follows the tiles of the index; null takes the numbers away. */
  follow(tiles: VectorTileLayer | null): void {
    this.#following = tiles;
    this.#source.clear();
    if (!tiles) {
      this.#state = null;
      return;
    }
    tiles.getSource()!.on('tileloadend', (e) => {
      if (this.#following === tiles) this.#take(e.tile as unknown as VectorTile);
    });
  }

  value(state: DataState): void {
    this.#state = state;
    this.#source.changed();
  }

  restyle(): void {
    const styles = new Map<string, Style>();
    this.layer.setStyle((f) => {
      if (!this.#state) return;
      const cls = this.#state.classes?.get(String(f.getId())) ?? classOf(this.#state, f);
      const sign = atmoSign(cls);
      if (!sign) return;
      const key = `${cls}${this.#state.patterns}`;
      let style = styles.get(key);
      if (!style) {
        style = new Style({
          text: new Text({
            text: sign,
            font: '700 17px "Noto Sans"',
            fill: new Fill({ color: atmoInk(cls) }),
            stroke:
              this.#state.patterns && cls > 2 ? new Stroke({ color: atmoColours[cls], width: 8 }) : undefined,
          }),
        });
        styles.set(key, style);
      }
      return style;
    });
  }

  /** Takes the pieces of a tile that just came: the largest of a commune carries the number. */
  #take(tile: VectorTile): void {
    for (const f of tile.getFeatures() as RenderFeature[]) {
      if (!f.getType().includes('Polygon')) continue;
      const [w, s, e, n] = f.getExtent();
      const area = (e - w) * (n - s);
      const id = communeOf(String(f.getId() ?? f.get('id')));
      const known = this.#source.getFeatureById(id) as Feature<Point> | null;
      if (known && (known.get('area') as number) >= area) continue;
      const [x, y] = interior(f);
      if (!Number.isFinite(x)) continue;
      if (known) {
        known.set('area', area, true);
        known.getGeometry()!.setCoordinates([x, y]);
      } else {
        const label = new Feature({ geometry: new Point([x, y]), area, code_qual: f.get('code_qual') });
        label.setId(id);
        this.#source.addFeature(label);
      }
    }
  }
}

/** A point well inside a polygon's piece. */
function interior(f: RenderFeature): [number, number] {
  const c = f.getFlatInteriorPoint();
  return [c[0], c[1]];
}
