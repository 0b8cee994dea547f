import { expect, it } from 'vitest';
import { compareWords } from './words';

const marked = (a: string, b: string) =>
  compareWords(a, b).map((side) => side.map((s) => (s.differs ? `[${s.text}]` : s.text)).join(' '));

it.each([
  [
    'Fontaine de la place aux Herbes',
    'Fontaine de la place du Marché',
    'Fontaine de la place [aux Herbes]',
    'Fontaine de la place [du Marché]',
  ],
  [
    'École Jules Ferry',
    'École élémentaire Jules Ferry',
    'École Jules Ferry',
    'École [élémentaire] Jules Ferry',
  ],
  ['Lavoir', 'Fontaine', '[Lavoir]', '[Fontaine]'],
  ['', 'Fontaine', '', '[Fontaine]'],
  ['a b c', 'a b c', 'a b c', 'a b c'],
])('underlines what differs: %s / %s', (a, b, left, right) => {
  expect(marked(a, b)).toEqual([left, right]);
});
