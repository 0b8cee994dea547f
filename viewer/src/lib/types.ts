import type { Box, Geometry } from './geo';

export type Text = Partial<Record<string, string>>;

export interface Field {
  name: string;
  title?: string;
  label?: Text;
  type: string;
}

/** How the catalogue file wants a layer to be shown (viewer.Style in Go). */
export interface Style {
  as?: 'air-index' | 'stations';
  icon?: string;
  colour?: string;
  line?: 'solid' | 'dashes' | 'dots';
  fill?: 'plain' | 'diagonal' | 'none';
  noun?: Text;
  name?: string[];
  note?: string[];
  facts?: string[];
  values?: Record<string, Record<string, Text>>;
  precision?: number;
  on?: boolean;
  hidden?: boolean;
}

/** A layer as a visitor sees it (viewer.Layer in Go). */
export interface Layer {
  id: string;
  titles: Text;
  producer: { id: string; title: Text; url?: string };
  licence: { id: string; title: Text; url?: string; class: string };
  dataset?: string;
  life: 'snapshot' | 'series' | 'live';
  geometryType: 'point' | 'line' | 'polygon' | 'mixed' | 'none';
  bbox: Box | null;
  count: number;
  updated: string;
  revision: number;
  fields: Field[];
  style: Style;
  tiles?: string;
  outcomes?: string;
  theme?: string;
  times?: { first: string; last: string; values?: string[] };
  frequency?: string;
  report?: { read: number; loaded: number; repaired: number; rejected: number; no_geometry: number };
}

export interface Feature {
  id: string;
  geometry: Geometry | null;
  properties: Record<string, unknown>;
}

export interface Items {
  features: Feature[];
  numberMatched: number;
  numberReturned: number;
  next: string | null;
}

export interface Found {
  kind: 'commune' | 'object' | 'layer';
  items: {
    title: string;
    subtitle?: string;
    layer?: string;
    id?: string;
    bbox?: Box;
    center?: [number, number];
  }[];
}

/** What the page's data block holds. */
export interface Start {
  lang: string;
  layers: Layer[];
  home: Box | null;
  fictional: boolean;
  now: string;
  signedIn?: SignedIn;
}

/** Who looks at the page, when they have an account (viewer.SignedIn in Go). */
export interface SignedIn {
  login: string;
  role: string;
  csrf: string;
  judge: boolean;
}

export const groups = ['differs', 'partner', 'osm', 'same'] as const;
export type Group = (typeof groups)[number] | 'other';
