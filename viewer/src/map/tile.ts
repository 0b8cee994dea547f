import type { FeatureLike } from 'ol/Feature';

/** What a loaded vector tile gives. */
export interface VectorTile {
  getFeatures(): FeatureLike[];
}
