/** lon, lat in degrees (CRS84), as everywhere in the API. */
export type LonLat = [number, number];
/** West, south, east, north in degrees. */
export type Box = [number, number, number, number];

const earth = 6371008.8; // metres, mean radius
const rad = Math.PI / 180;

/** Metres between two places on the sphere. */
export function metres([lon1, lat1]: LonLat, [lon2, lat2]: LonLat): number {
  const a = Math.sin(((lat2 - lat1) * rad) / 2);
  const b = Math.sin(((lon2 - lon1) * rad) / 2);
  return 2 * earth * Math.asin(Math.sqrt(a * a + Math.cos(lat1 * rad) * Math.cos(lat2 * rad) * b * b));
}

export type Direction = 'n' | 'ne' | 'e' | 'se' | 's' | 'sw' | 'w' | 'nw';

/** Where the second place lies as seen from the first, in eighths. */
export function direction([lon1, lat1]: LonLat, [lon2, lat2]: LonLat): Direction {
  const x = (lon2 - lon1) * Math.cos(((lat1 + lat2) / 2) * rad);
  const eighth = Math.round(Math.atan2(x, lat2 - lat1) / (Math.PI / 4));
  return (['n', 'ne', 'e', 'se', 's', 'sw', 'w', 'nw'] as const)[(eighth + 8) % 8];
}

export function center(box: Box): LonLat {
  return [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
}

export interface Geometry {
  type: string;
  coordinates?: unknown;
  geometries?: Geometry[];
}

/** The box of a GeoJSON geometry; null when it has no coordinates. */
export function boxOf(g: Geometry | null): Box | null {
  if (!g) return null;
  const box: Box = [Infinity, Infinity, -Infinity, -Infinity];
  const walk = (c: unknown): void => {
    if (!Array.isArray(c)) return;
    if (typeof c[0] === 'number') {
      const [x, y] = c as number[];
      box[0] = Math.min(box[0], x);
      box[1] = Math.min(box[1], y);
      box[2] = Math.max(box[2], x);
      box[3] = Math.max(box[3], y);
    } else c.forEach(walk);
  };
  walk(g.coordinates);
  g.geometries?.forEach((part) => walk(part.coordinates));
  return box[0] <= box[2] ? box : null;
}

/** A place to point at: the point itself, else the middle of the box. */
export function placeOf(g: Geometry | null): LonLat | null {
  if (g?.type === 'Point') return (g.coordinates as number[]).slice(0, 2) as LonLat;
  const box = boxOf(g);
  return box && center(box);
}
