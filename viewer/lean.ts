import type { Plugin } from 'vite';

/**
 * Parts of OpenLayers that the map never uses but imports all the same, with
 * what stands for them: a fifth of its bytes on a first visit.
 */
const unused: { from: RegExp; module: string; code: string }[] = [
  {
    // Styles written as JSON: ours are functions.
    from: /ol\/layer\/BaseVector\.js$/,
    module: '../render/canvas/style.js',
    code: `export function flatStyleLikeToStyleFunction(style) { return typeof style === 'function' ? style : () => style; }`,
  },
  {
    // Raster tiles of another projection.
    from: /ol\/renderer\/canvas\/TileLayer\.js$/,
    module: '../../reproj/Tile.js',
    code: `export default class {}`,
  },
  {
    // UTM zones made on demand: everything here is 4326 or 3857.
    from: /ol\/proj\.js$/,
    module: './proj/utm.js',
    code: `export const makeProjection = () => null; export const makeTransforms = () => null;`,
  },
  {
    // The buttons of OpenLayers: ours are in the page.
    from: /ol\/Map\.js$/,
    module: './control/defaults.js',
    code: `export const defaults = () => { throw new Error('no default controls'); };`,
  },
];

export function lean(): Plugin {
  return {
    name: 'lean',
    enforce: 'pre',
    resolveId(module, importer) {
      const at = unused.findIndex(
        (u) => u.module === module && importer && u.from.test(importer.replaceAll('\\', '/')),
      );
      return at < 0 ? null : `\0lean:${at}`;
    },
    load: (id) => (id.startsWith('\0lean:') ? unused[Number(id.slice(6))].code : null),
  };
}
