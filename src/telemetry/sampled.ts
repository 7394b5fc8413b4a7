import { performance } from 'node:perf_hooks';

/**
 * Remembers what `read` gave for `everyMs`: however many scrape, the database is asked so often and no more. Who asks
 * while it reads waits with the first.
 */
export function sampled<T>(everyMs: number, read: () => Promise<T>): () => Promise<T> {
  let last: Promise<T> | null = null;
  let untilMs = 0;
  return () => {
    if (last && performance.now() < untilMs) return last;
    untilMs = performance.now() + everyMs;
    const reading = read();
    last = reading;
    // What failed is not worth remembering.
    reading.catch(() => {
      if (last === reading) last = null;
    });
    return reading;
  };
}
