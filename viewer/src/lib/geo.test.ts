import { expect, it } from 'vitest';
import { boxOf, direction, metres, placeOf } from './geo';

it('measures on the sphere', () => {
  // One minute of latitude is a nautical mile, within the sphere's half percent.
  expect(metres([5, 43], [5, 43 + 1 / 60])).toBeGreaterThan(1843);
  expect(metres([5, 43], [5, 43 + 1 / 60])).toBeLessThan(1862);
  expect(metres([5, 43], [5, 43])).toBe(0);
});

it.each([
  [[5, 44], 'n'],
  [[6, 43.73], 'ne'],
  [[6, 43], 'e'],
  [[5, 42], 's'],
  [[4, 43], 'w'],
  [[4, 42.27], 'sw'],
] as const)('tells where %s lies', (to, where) => {
  expect(direction([5, 43], [...to])).toBe(where);
});

it('boxes every kind of geometry', () => {
  expect(
    boxOf({
      type: 'MultiPolygon',
      coordinates: [
        [
          [
            [1, 2],
            [3, 4],
            [0, 9],
            [1, 2],
          ],
        ],
      ],
    }),
  ).toEqual([0, 2, 3, 9]);
  expect(boxOf({ type: 'GeometryCollection', geometries: [{ type: 'Point', coordinates: [1, 2] }] })).toEqual(
    [1, 2, 1, 2],
  );
  expect(boxOf({ type: 'MultiPoint', coordinates: [] })).toBeNull();
  expect(placeOf({ type: 'Point', coordinates: [1, 2, 300] })).toEqual([1, 2]);
  expect(placeOf(null)).toBeNull();
});
