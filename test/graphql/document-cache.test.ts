import { parse } from 'graphql';
import { expect, test } from 'vitest';
import { documentCaches } from '../../src/graphql/document-cache.ts';

test('documents are kept up to half a million characters in all, the latest used first', () => {
  const { documentCache } = documentCaches();
  const texts = Array.from({ length: 50 }, (_, n) => `{ a${n} } #${'x'.repeat(100_000)}`);
  for (const text of texts) documentCache.set(text, parse(text));
  expect(texts.filter((text) => documentCache.get(text)).length).toBe(4);
  expect(documentCache.get(texts[49] ?? '')).toBeDefined();
});
