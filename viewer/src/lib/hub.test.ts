import { expect, it } from 'vitest';
import { commune, latest, timesOf } from './hub.svelte';
import type { Layer } from './types';

const series = (times: Layer['times']) => ({ times }) as Layer;

it('writes midnights as days, as the ids of items do', () => {
  expect(
    timesOf(series({ first: '', last: '', values: ['2026-11-23T00:00:00Z', '2026-11-24T00:00:00Z'] })),
  ).toEqual(['2026-11-23', '2026-11-24']);
});

it('keeps hours', () => {
  const hours = ['2026-11-23T23:00:00Z', '2026-11-24T00:00:00Z'];
  expect(timesOf(series({ first: '', last: '', values: hours }))).toEqual(hours);
});

it('makes the hours of the last two days when the server lists none', () => {
  const made = timesOf(series({ first: '2020-01-01T00:00:00Z', last: '2026-11-24T08:00:00Z' }));
  expect(made).toHaveLength(48);
  expect(made.at(-1)).toBe('2026-11-24T08:00:00Z');
});

it('begins at today, never at a forecast', () => {
  const today = new Date().toISOString().slice(0, 10);
  const day = (n: number) => new Date(Date.now() + n * 86400000).toISOString().slice(0, 10);
  expect(latest([day(-1), today, day(1), day(2)])).toBe(today);
  expect(latest([day(-3), day(-2)])).toBe(day(-2));
  expect(latest([day(1)])).toBe(day(1));
  expect(latest([])).toBeNull();
});

it('takes the commune out of an id', () => {
  expect(commune('83950@2026-11-24')).toBe('83950');
  expect(commune('83950')).toBe('83950');
});
