import Icon from 'ol/style/Icon';
import { colourOf, colourToken, outcomePaths, symbolOf } from '../lib/signs';
import type { Group, Layer } from '../lib/types';
import type { Palette } from './palette';

/** Draws a small picture at the screen's density and makes an icon of it. */
export function picture(size: number, draw: (c: CanvasRenderingContext2D) => void): Icon {
  const density = Math.min(3, Math.max(2, Math.ceil(devicePixelRatio || 1)));
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = size * density;
  const c = canvas.getContext('2d')!;
  c.scale(density, density);
  c.translate(size / 2, size / 2);
  c.lineJoin = c.lineCap = 'round';
  draw(c);
  return new Icon({ img: canvas, size: [canvas.width, canvas.height], scale: 1 / density });
}

/** The marker of a point layer with its symbol, or with a number instead. */
export function markerIcon(l: Layer, p: Palette, number?: number): Icon {
  const colour = p(colourToken[colourOf(l)]);
  const ink = p('--on-primary');
  return picture(30, (c) => {
    if (number !== undefined || colourOf(l) === 'mer') disc(c, 12.5, colour, p('--cmp-halo'));
    else {
      c.beginPath();
      c.roundRect(-10.5, -10.5, 21, 21, 5);
      c.strokeStyle = p('--cmp-halo');
      c.lineWidth = 2.5;
      c.stroke();
      c.fillStyle = colour;
      c.fill();
    }
    if (number !== undefined) return numberAt(c, number, ink);
    const symbol = symbolOf(l);
    c.fillStyle = c.strokeStyle = ink;
    c.lineWidth = 2.1;
    if (symbol.fill) c.fill(new Path2D(symbol.fill));
    else c.stroke(new Path2D(symbol.stroke));
  });
}

function disc(c: CanvasRenderingContext2D, radius: number, colour: string, halo: string): void {
  c.beginPath();
  c.arc(0, 0, radius, 0, 2 * Math.PI);
  c.strokeStyle = halo;
  c.lineWidth = 3;
  c.stroke();
  c.fillStyle = colour;
  c.fill();
}

function numberAt(c: CanvasRenderingContext2D, number: number, ink: string): void {
  c.fillStyle = ink;
  c.font = `700 ${number > 999 ? 10 : number > 99 ? 12 : 14.5}px "Noto Sans", sans-serif`;
  c.textAlign = 'center';
  c.textBaseline = 'middle';
  c.fillText(String(number), 0, 0.5);
}

/** A point too crowded for its symbol. */
export function dotIcon(l: Layer, p: Palette): Icon {
  return picture(14, (c) => disc(c, 4.5, p(colourToken[colourOf(l)]), p('--cmp-halo')));
}

/** The marker of an outcome; hollow is OSM's side of a pair. */
export function outcomeIcon(group: Group, p: Palette, hollow = false): Icon {
  const colour = p(group === 'other' ? '--text-2' : `--cmp-${group}`);
  return picture(32, (c) => {
    const path = new Path2D(outcomePaths[group]);
    c.strokeStyle = p('--cmp-halo');
    c.lineWidth = hollow ? 8 : 5;
    c.stroke(path);
    c.fillStyle = hollow ? p('--surface') : colour;
    c.fill(path);
    if (hollow) {
      c.strokeStyle = colour;
      c.lineWidth = 2.5;
      c.stroke(path);
    }
  });
}

/** The ring around what is chosen: mimosa between two ink lines. */
export function ringIcon(p: Palette): Icon {
  return picture(58, (c) => {
    c.beginPath();
    c.arc(0, 0, 21, 0, 2 * Math.PI);
    c.strokeStyle = p('--focus-ink');
    c.lineWidth = 9;
    c.stroke();
    c.strokeStyle = p('--focus-band');
    c.lineWidth = 5;
    c.stroke();
  });
}
