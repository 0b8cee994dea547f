import en from '../../i18n/parts/desk.en.json';
import fr from '../../i18n/parts/desk.fr.json';
import it from '../../i18n/parts/desk.it.json';
import { lang, say, type Args } from './i18n.svelte';

/** Sentences of those who are signed in: citizens never load them. */
const words: Record<string, Record<string, string>> = { fr, en, it };

export function d(code: keyof typeof fr, args: Args = {}): string {
  return say(lang(), words[lang()], code, args);
}

export type Says = 'same_place' | 'not_same_place' | 'needs_visit';

/** What may be said about an outcome, and what was (viewer.Desk in Go). */
export interface Desk {
  outcome: string;
  fingerprint: string;
  pair: boolean;
  choices: Says[] | null;
  says: string;
  at: string;
  mine: boolean;
  undo: boolean;
}

/** Why an answer was not taken. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
  ) {
    super(`refused: ${status} ${code}`);
  }
}

async function desk(answer: Response): Promise<Desk> {
  if (answer.ok) return (await answer.json()) as Desk;
  const problem = (await answer.json().catch(() => ({}))) as { code?: string };
  throw new Refused(answer.status, problem.code ?? '');
}

const address = '/carte/verdict';
const headers = { Accept: 'application/json' };

export async function ask(outcome: string, signal: AbortSignal): Promise<Desk> {
  return desk(await fetch(`${address}?outcome=${encodeURIComponent(outcome)}`, { headers, signal }));
}

export async function answer(shown: Desk, says: Says | 'undo', csrf: string): Promise<Desk> {
  const body = new URLSearchParams({ csrf, outcome: shown.outcome, fingerprint: shown.fingerprint, says });
  return desk(await fetch(address, { method: 'POST', headers, body }));
}

/** The sentence of a code that came with a refusal; "" when none has it. */
export function why(code: string): string {
  return code in fr ? d(code as keyof typeof fr) : '';
}
