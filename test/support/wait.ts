import { sleep } from '../../src/lib/abort.ts';

export interface WaitOptions {
  /** Default 10 s */
  readonly timeoutMs?: number;
}

const POLL_MS = 10;

/**
 * Asks again until the probe gives something: neither null, undefined nor false. A probe that throws is asked again.
 * @throws when the time is over, with what the probe gave or threw last
 */
export async function waitFor<T>(
  probe: () => T | Promise<T>,
  options: WaitOptions = {},
): Promise<NonNullable<T>> {
  const timeoutMs = options.timeoutMs ?? 10_000;
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const found = await probe();
      if (found !== null && found !== undefined && found !== false) return found;
      last = found;
    } catch (error) {
      last = error;
    }
    if (performance.now() >= deadline) break;
    await sleep(POLL_MS);
  }
  if (last instanceof Error) throw new Error(`waited ${timeoutMs} ms: ${last.message}`, { cause: last });
  throw new Error(`waited ${timeoutMs} ms; the probe last gave ${String(last)}`);
}
