/** The colours of tokens.css as the map's canvas needs them: read again when the theme changes. */
export type Palette = (name: string) => string;

export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const seen = new Map<string, string>();
  return (name) => {
    let colour = seen.get(name);
    if (colour === undefined) {
      colour = style.getPropertyValue(name).trim() || '#888888';
      seen.set(name, colour);
    }
    return colour;
  };
}
