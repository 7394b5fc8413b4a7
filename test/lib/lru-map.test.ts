import { expect, test } from 'vitest';
import { LruMap } from '../../src/lib/lru-map.ts';

test('what was used longest ago makes room', () => {
  const map = new LruMap<string, number>({ weightMax: 2 });
  map.set('a', 1);
  map.set('b', 2);
  map.get('a');
  map.set('c', 3);
  expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([1, undefined, 3]);
});

test('the sum of the weights stays within the limit, also when values are replaced and removed', () => {
  const map = new LruMap<string, string>({ weightMax: 10, weigh: (value) => value.length });
  map.set('a', 'x'.repeat(6));
  map.set('a', 'x'.repeat(2));
  map.set('b', 'y'.repeat(8));
  expect(map.size).toBe(2);
  map.delete('b');
  map.set('c', 'z'.repeat(8));
  expect(map.size).toBe(2);
  map.set('d', 'w');
  expect([map.get('a'), map.get('c')?.length, map.get('d')]).toEqual([undefined, 8, 'w']);
});

test('a value heavier than the whole map is not kept and pushes nothing out', () => {
  const map = new LruMap<string, string>({ weightMax: 3, weigh: (value) => value.length });
  map.set('a', 'xx');
  map.set('b', 'y'.repeat(4));
  expect([map.get('a'), map.get('b')]).toEqual(['xx', undefined]);
});
