/** How long the hub may take before it counts as out of reach, in milliseconds. */
const patience = 8000;

/** Asks the hub; an answer that does not come in time, or that a broken hub gives, is an error. */
export async function ask(address: string, options: RequestInit = {}): Promise<Response> {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), patience);
  try {
    const answer = await fetch(address, { cache: 'no-store', ...options, signal: stop.signal });
    if (answer.status >= 500 || answer.status === 429) throw new Error(`the hub says ${answer.status}`);
    return answer;
  } finally {
    clearTimeout(timer);
  }
}

/** What became of an answer that was sent. */
export type Sent =
  | { is: 'kept'; how: string }
  | { is: 'refused'; why: string }
  | { is: 'no-seat' } // whoever sends it has to join first
  | { is: 'away' };

/** Sends an answer. Only what the hub has said is believed: all else may be sent again. */
export async function send(action: string, body: string): Promise<Sent> {
  try {
    const answer = await ask(action, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'application/json' },
      body,
    });
    if (answer.status === 401) return { is: 'no-seat' };
    const said = (await answer.json()) as { kept?: string; refused?: string; title?: string };
    if (answer.ok && said.kept) return { is: 'kept', how: said.kept };
    if (answer.status >= 400 && answer.status !== 403 && answer.status !== 408)
      return { is: 'refused', why: said.refused ?? said.title ?? '' };
  } catch {
    // Nothing is known of it: it stays.
  }
  return { is: 'away' };
}
