import drawn from '../symbols.json';
import type { Group, Layer } from '../lib/types';

const drawings = drawn as Record<string, { fill?: string; stroke?: string }>;

/** The shapes of the comparison, 24 units wide around 0,0 (outcomePaths in Go). */
export const outcomePaths: Record<Group, string> = {
  same: 'M7.7 0a7.7 7.7 0 1 1-15.4 0a7.7 7.7 0 1 1 15.4 0z',
  partner: 'M0-9.45 9.45 7.2H-9.45z',
  osm: 'M-7.5-7.5h15v15h-15z',
  differs: 'M0-10.08 10.08 0 0 10.08-10.08 0z',
  other: 'M-8-2h16v4h-16z',
};

/** The theme colour of a style's colour name. */
export const colourToken: Record<string, string> = {
  mer: '--primary',
  pin: '--ok',
  ocre: '--warn',
  brique: '--error',
  encre: '--text',
  osm: '--cmp-osm',
  violet: '--cmp-differs',
  public: '--control-line',
};

export function colourOf(l: Layer): string {
  if (l.style.colour && l.style.colour in colourToken) return l.style.colour;
  return l.producer.id === 'openstreetmap' ? 'osm' : 'mer';
}

export function symbolOf(l: Layer): { fill?: string; stroke?: string } {
  return drawings[l.style.icon ?? 'dot'] ?? drawings.dot;
}
