import { describe, expect, it } from 'vitest';
import en from '../i18n/en';
import fr from '../i18n/fr';
import italian from '../i18n/it';
import { plural, say } from './i18n.svelte';

const plain = (s: string) => s.replace(/[\u00a0\u202f]/g, ' ');

describe('sentences', () => {
  it('have the same placeholders in three languages', () => {
    const holes = (s: string) => (s.match(/\{[^}]*\}/g) ?? []).sort().join();
    for (const [code, sentence] of Object.entries(fr)) {
      expect(holes(en[code as keyof typeof fr]), code).toBe(holes(sentence));
      expect(holes(italian[code as keyof typeof fr]), code).toBe(holes(sentence));
    }
    expect(Object.keys(en).sort()).toEqual(Object.keys(fr).sort());
    expect(Object.keys(italian).sort()).toEqual(Object.keys(fr).sort());
  });

  it('count as each language does', () => {
    expect(plural('fr', 0)).toBe('.one');
    expect(plural('en', 0)).toBe('.other');
    expect(plural('it', 1)).toBe('.one');
    expect(plain(say('fr', fr, 'ui.ago.days', { n: 1214 }))).toBe('il y a 1 214 jours');
    expect(say('en', en, 'ui.ago.days', { n: 1 })).toBe('1 day ago');
  });

  it('write numbers, distances, shares and dates', () => {
    expect(plain(say('fr', fr, 'list.distance', { distance: 1234, direction: 'au nord' }))).toBe(
      'à 1,2 km, au nord',
    );
    expect(plain(say('fr', fr, 'compare.agreement', { share: 0.567 }))).toBe('56,7 % des deux côtés.');
    expect(plain(say('it', italian, 'status.count', { n: 1214, noun: 'fontane' }))).toContain(
      '1.214 fontane',
    );
    expect(say('fr', fr, 'card.source', { title: 'Eau', producer: 'CRIGE', date: '2026-11-22' })).toContain(
      '22 novembre 2026',
    );
    expect(say('fr', fr, 'card.id', { id: 13055 })).toContain('13055');
  });

  it('say the code itself when no sentence has it', () => {
    expect(say('fr', fr, 'no.such-code', {})).toBe('no.such-code');
  });
});
