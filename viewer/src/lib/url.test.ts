import { describe, expect, it } from 'vitest';
import { readPlace, readView, writePlace } from './url';

describe('the address of a view', () => {
  it.each([
    '?c=points-eau,sentiers&vue=liste#16.5/43.10370/6.24530',
    '?c=points-eau&sel=PE00432&t=2026-11-24&lg=it',
    '?c=points-eau&comparer=1&groupes=differs,same#12/43.10000/6.20000',
    '?c=-&lg=en&theme=dark&cadre=1',
    '',
  ])('comes back as it was: %s', (address) => {
    const [search, hash] = address.split('#');
    expect(writePlace(readPlace(search, hash ? '#' + hash : ''))).toBe(address);
  });

  it('keeps keys with signs in them', () => {
    const place = { ...readPlace('', ''), on: ['a'], sel: 'GOLFE & PORT:Ozone/1 é' };
    const back = readPlace(writePlace(place), '');
    expect(back.sel).toBe(place.sel);
  });

  it.each(['#a/b/c', '#99/43/5', '#10/99/5', '#10/43/500', '#liste', ''])('ignores %s', (hash) => {
    expect(readView(hash)).toBeNull();
  });

  it('knows no groups but its own', () => {
    expect(readPlace('?groupes=differs,evil', '').shown).toEqual(['differs']);
    expect(readPlace('?groupes=differs&groupes=same', '').shown).toEqual(['differs', 'same']);
  });
});
