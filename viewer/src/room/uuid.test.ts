import { describe, expect, it } from 'vitest';
import { uuid } from './uuid';

describe('uuid', () => {
  it('is a version 4 one without crypto.randomUUID', () => {
    const random = { getRandomValues: <T>(a: T) => ((a as unknown as Uint8Array).fill(0xff), a) };
    expect(uuid(random as unknown as Crypto)).toBe('ffffffff-ffff-4fff-bfff-ffffffffffff');
    expect(uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(uuid()).not.toBe(uuid());
  });
});
