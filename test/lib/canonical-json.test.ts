import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  canonicalHash,
  canonicalJson,
  storableJson,
  stringsIn,
  withoutNul,
} from '../../src/lib/canonical-json.ts';

describe('canonical JSON', () => {
  it('does not depend on the order of keys', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).toReversed());
        expect(canonicalJson(reversed)).toBe(canonicalJson(value));
      }),
    );
  });

  it('keeps the order of lists and tells values apart', () => {
    expect(canonicalHash('kind', { a: [1, 2] }).equals(canonicalHash('kind', { a: [2, 1] }))).toBe(false);
    expect(canonicalHash('kind', { a: 1 }).equals(canonicalHash('other', { a: 1 }))).toBe(false);
  });
});

describe('withoutNul', () => {
  it('leaves no NUL in any string, key or value', () => {
    const cleaned = withoutNul({ 'a\u0000': ['x\u0000y', { b: '\u0000' }], n: 1, d: null });
    expect(cleaned).toEqual({ a: ['xy', { b: '' }], n: 1, d: null });
  });
});

describe('stringsIn', () => {
  it('finds the strings at every depth', () => {
    expect(stringsIn({ a: 'x', b: [1, { c: 'y' }], d: null })).toEqual(['x', 'y']);
  });
});

describe('storableJson', () => {
  it('has neither NUL nor half a surrogate pair in a text, and whole pairs as they were', () => {
    const text = storableJson({ a: ['x\u0000y', '\uD83D', '\u{1F600}'], at: new Date(0) });
    expect(JSON.parse(text)).toEqual({ a: ['xy', '\uFFFD', '\u{1F600}'], at: '1970-01-01T00:00:00.000Z' });
  });
});
