/** The official colours of the ATMO index by class, never altered in any theme. */
export const atmoColours = [
  '#dddddd',
  '#50f0e6',
  '#50ccaa',
  '#f0e641',
  '#ff5050',
  '#960032',
  '#872181',
  '#888888',
];

/** The ink on a class. */
export function atmoInk(c: number): string {
  return c === 5 || c === 6 ? '#ffffff' : '#000000';
}

/** What is written on a class besides its colour. */
export function atmoSign(c: number): string {
  return c === 7 ? 'É' : c >= 1 && c <= 6 ? String(c) : '';
}

export function atmoClass(v: unknown): number {
  const n = typeof v === 'string' ? Number(v) : v;
  return typeof n === 'number' && Number.isInteger(n) && n >= 0 && n <= 7 ? n : 0;
}

/** The fill of a class on a canvas: its colour, with its pattern over it when there is one. */
export function atmoFill(cls: number, patterns: boolean): string | CanvasPattern {
  const colour = atmoColours[cls];
  if (!patterns || ![0, 3, 4, 5, 6].includes(cls)) return colour;
  const size = { 0: 10, 3: 9, 4: 7, 5: 15, 6: 8 }[cls as 0 | 3 | 4 | 5 | 6];
  const density = Math.max(1, Math.round(devicePixelRatio || 1));
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = size * density;
  const c = canvas.getContext('2d')!;
  c.scale(density, density);
  c.fillStyle = colour;
  c.fillRect(0, 0, size, size);
  c.globalAlpha = 0.55;
  c.strokeStyle = c.fillStyle = atmoInk(cls);
  c.lineWidth = 1.4;
  drawPattern(c, cls, size);
  const pattern = c.createPattern(canvas, 'repeat')!;
  if (density > 1) pattern.setTransform(new DOMMatrix().scale(1 / density));
  return pattern;
}

function drawPattern(c: CanvasRenderingContext2D, cls: number, size: number): void {
  c.beginPath();
  if (cls === 3) {
    for (const [x, y] of [
      [2.5, 2.5],
      [7, 7],
    ]) {
      c.moveTo(x + 1.3, y);
      c.arc(x, y, 1.3, 0, 2 * Math.PI);
    }
    c.fill();
    return;
  }
  if (cls === 4) {
    c.moveTo(0, 2);
    c.lineTo(size, 2);
  } else {
    // Rising lines that meet at the edges; crossed ones for the two worst.
    for (const d of [-size, 0, size]) {
      c.moveTo(d - 1, size + 1);
      c.lineTo(d + size + 1, -1);
      if (cls !== 0) {
        c.moveTo(d - 1, -1);
        c.lineTo(d + size + 1, size + 1);
      }
    }
  }
  c.stroke();
}
