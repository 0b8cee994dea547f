import { beforeAll, expect, it } from 'vitest';
import { speak } from './i18n.svelte';
import { outcomeOf } from './outcome';
import type { Feature, Layer } from './types';

const layer = {
  id: 'points-eau',
  producer: { id: 'crige', title: { fr: 'CRIGE' } },
  fields: [
    { name: 'nom', type: 'text', label: { fr: 'Nom' } },
    { name: 'potable', type: 'text', label: { fr: 'Eau' } },
  ],
  style: { values: { potable: { O: { fr: 'Potable' } } } },
} as unknown as Layer;

const pair: Feature = {
  id: '68',
  geometry: { type: 'Point', coordinates: [6.2, 43.1] },
  properties: {
    kind: 'attributes_differ',
    group: 'differs',
    name: 'Fontaine de la place aux Herbes',
    record: 'PE1',
    osm: 'n12',
    distance: 38.2,
    osm_lon: 6.24,
    osm_lat: 43.1,
    reason: {
      code: 'match.attributes-differ',
      args: { name: 'partial', fields: ['nom'], distance: 38, none_within: 70 },
    },
    comparison: [
      { field: 'nom', tag: 'name', ours: 'Place aux Herbes', theirs: 'Place du Marché', is: 'conflict' },
      { field: 'potable', tag: 'drinking_water', ours: 'O', theirs: 'yes', is: 'equivalent' },
    ],
  },
};

beforeAll(() => speak('fr'));

it('says an outcome in words', () => {
  const o = outcomeOf(layer, pair);
  expect(o.title).toBe('Différent\u202f: le nom n’est pas le même');
  expect(o.note).toContain('Le nom diffère');
  expect(o.note).toContain('38');
  expect(o.reason).toContain('Les deux noms ont des mots en commun.');
  expect(o.reason).toContain('Aucun autre n’est à moins de 70');
  expect(o.rows[0].words?.[0]).toEqual([
    { text: 'Place', differs: false },
    { text: 'aux Herbes', differs: true },
  ]);
  expect(o.rows[1]).toMatchObject({ label: 'Eau', ours: 'Potable', theirs: 'Potable', differs: false });
  expect(o.osmPlace).toEqual([6.24, 43.1]);
});

it('bears JSON that arrives as text, and kinds it does not know', () => {
  const o = outcomeOf(layer, {
    ...pair,
    properties: {
      kind: 'new_kind',
      group: 'later',
      reason: JSON.stringify({ code: 'match.only-osm', args: { radius: 100 } }),
      comparison: '[]',
    },
  });
  expect(o.group).toBe('other');
  expect(o.reason).toContain('100');
  expect(o.name).toBe('Sans nom');
});
