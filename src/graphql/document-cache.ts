import type { DocumentNode } from 'graphql';
import { LruMap } from '../lib/lru-map.ts';

/** Of the texts of all documents that are kept parsed and validated: in memory they take some eighty times that. */
const CHARACTERS_MAX = 500_000;

/** Asked for anew each time: who sends what is no document is not served faster by our keeping it. */
const NOTHING = { get: () => undefined, set: () => undefined };

/** What Yoga keeps of documents: bounded by their length, as by their number a thousand of the longest would fill the memory. */
export function documentCaches() {
  const documentCache = new LruMap<string, DocumentNode>({
    weightMax: CHARACTERS_MAX,
    weigh: ({ loc }) => loc?.source.body.length ?? CHARACTERS_MAX,
  });
  return { documentCache, errorCache: NOTHING };
}
