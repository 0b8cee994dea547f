import type { Box } from './geo';
import type { Feature, Found, Items } from './types';

export interface Ask {
  box?: Box | null;
  limit?: number;
  time?: string | null;
  geometry?: boolean;
  equals?: Record<string, string>;
  /** An address that the answer before gave: the page after it, of the same version. */
  next?: string | null;
  signal?: AbortSignal;
}

/** An answer that says it failed, or none at all. */
export class Unanswered extends Error {
  constructor(readonly status: number) {
    super(`status ${status}`);
  }
}

async function json(address: string, signal?: AbortSignal): Promise<unknown> {
  const answer = await fetch(address, {
    signal,
    headers: { Accept: 'application/json, application/geo+json' },
  });
  if (!answer.ok) {
    void answer.body?.cancel(); // else the connection waits for a reader
    throw new Unanswered(answer.status);
  }
  return answer.json();
}

/** Links are absolute; only their path and query count, so that no other host is ever asked. */
function ownPath(href: string): string {
  const u = new URL(href, location.href);
  return u.pathname + u.search;
}

/** A page of the features of a layer. */
export async function items(layer: string, ask: Ask): Promise<Items> {
  let address = ask.next ?? '';
  if (!address) {
    const q = new URLSearchParams({ limit: String(ask.limit ?? 100), f: 'json' });
    if (ask.box) q.set('bbox', ask.box.map((n) => n.toFixed(6)).join(','));
    if (ask.time) q.set('datetime', ask.time);
    if (ask.geometry === false) q.set('skipGeometry', 'true');
    for (const [k, v] of Object.entries(ask.equals ?? {})) q.set(k, v);
    address = `/api/collections/${encodeURIComponent(layer)}/items?${q}`;
  }
  const body = (await json(address, ask.signal)) as {
    features: Feature[];
    numberMatched: number;
    numberReturned: number;
    links?: { rel: string; href: string }[];
  };
  const next = body.links?.find((l) => l.rel === 'next');
  return {
    features: body.features.map((f) => ({ ...f, id: String(f.id) })),
    numberMatched: body.numberMatched,
    numberReturned: body.numberReturned,
    next: next ? ownPath(next.href) : null,
  };
}

/** One feature; null when there is none of that id. */
export async function item(layer: string, id: string, signal?: AbortSignal): Promise<Feature | null> {
  try {
    const f = (await json(
      `/api/collections/${encodeURIComponent(layer)}/items/${encodeURIComponent(id)}?f=json`,
      signal,
    )) as Feature;
    return { ...f, id: String(f.id) };
  } catch (e) {
    if (e instanceof Unanswered && e.status === 404) return null;
    throw e;
  }
}

export async function search(q: string, lang: string, signal?: AbortSignal): Promise<Found[]> {
  const body = (await json(`/recherche?${new URLSearchParams({ q, lg: lang })}`, signal)) as {
    groups: Found[];
  };
  return body.groups;
}
