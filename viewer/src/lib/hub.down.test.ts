import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Hub } from './hub.svelte';
import { speak } from './i18n.svelte';
import type { Layer, Start } from './types';

const layer = (id: string) =>
  ({
    id,
    titles: { fr: id },
    producer: { id: 'commune', title: { fr: 'Commune' } },
    geometryType: 'point',
    fields: [],
    style: { on: true, noun: { one: 'point', other: 'points' } },
  }) as unknown as Layer;

const never = new AbortController().signal;

function hub(): Hub {
  const made = new Hub({ layers: [layer('points-eau'), layer('bancs')], home: null } as unknown as Start);
  made.on = ['points-eau', 'bancs'];
  made.box = [6.2, 43.1, 6.3, 43.2];
  return made;
}

/** What the hub answers about each layer: a status, or how many it has. */
let answers: Record<string, { status?: number; count?: number }>;

beforeEach(async () => {
  answers = {};
  await speak('fr');
  vi.stubGlobal('fetch', (address: string) => {
    const id = /collections\/([^/]+)\/items/.exec(address)![1];
    const { status = 200, count = 0 } = answers[id] ?? {};
    const features = Array.from({ length: count }, (_v, i) => ({ id: `${id}-${i}`, properties: {} }));
    return Promise.resolve(Response.json({ features, numberMatched: count, links: [] }, { status }));
  });
});
afterEach(() => vi.unstubAllGlobals());

it('a layer whose items fail is down, though its tiles arrive after', async () => {
  answers['points-eau'] = { status: 503 };
  const h = hub();
  await h.refresh(never);
  expect([...h.down.keys()]).toEqual(['points-eau']);
  h.received('points-eau');
  expect([...h.down.keys()]).toEqual(['points-eau']);
  expect(h.status).toBe('Nombre inconnu');
  expect(h.counting).toBe(false);
});

it('a layer whose tiles fail is down, though its items arrive after', async () => {
  answers['points-eau'] = { count: 3 };
  const h = hub();
  h.failed('points-eau');
  await h.refresh(never);
  expect([...h.down.keys()]).toEqual(['points-eau']);
  h.received('points-eau');
  expect([...h.down.keys()]).toEqual([]);
});

it('is down since the first silence', async () => {
  answers['points-eau'] = { status: 503 };
  vi.useFakeTimers({ now: 1000 });
  const h = hub();
  h.failed('points-eau');
  vi.setSystemTime(2000);
  await h.refresh(never);
  expect(h.down.get('points-eau')).toEqual(new Date(1000));
  vi.useRealTimers();
});

it('a retry asks again for what failed, tiles too', async () => {
  answers['points-eau'] = { status: 503 };
  const h = hub();
  await h.refresh(never);
  h.failed('bancs');
  h.retry();
  expect(h.down.size).toBe(0);
  expect(h.again).toEqual(['bancs']);
  answers['points-eau'] = { count: 2 };
  await h.refresh(never);
  expect(h.matched).toBe(2);
  expect(h.down.size).toBe(0);
});

it('never shows the rows of one layer as those of another that fails', async () => {
  answers['points-eau'] = { count: 4 };
  answers['bancs'] = { status: 503 };
  const h = hub();
  h.openTab('list');
  await h.refresh(never);
  expect(h.list).toHaveLength(4);
  h.listIt('bancs');
  await h.refresh(never);
  expect(h.list).toEqual([]);
  expect(h.matched).toBeNull();
});

it('keeps what was received of a layer that stops answering', async () => {
  answers['points-eau'] = { count: 4 };
  const h = hub();
  h.openTab('list');
  await h.refresh(never);
  answers['points-eau'] = { status: 503 };
  await h.refresh(never);
  expect(h.list).toHaveLength(4);
  expect([...h.down.keys()]).toEqual(['points-eau']);
});

it('counts no more once nothing is on', async () => {
  const h = hub();
  h.counting = true;
  h.on = [];
  await h.refresh(never);
  expect(h.counting).toBe(false);
});
