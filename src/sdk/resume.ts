import { MillraceConnectionError, MillraceError } from './errors.ts';

/** Waits between two tries, in ms: it starts with the first and doubles up to the last. */
const RETRY_FIRST_MS = 200;
const RETRY_LAST_MS = 5_000;
/** So many tries in a row may fail. */
const TRIES_MAX = 20;

/**
 * Values of a stream that is opened again when its link breaks or the server is without its database, from where it
 * stood.
 * @param open called anew for each connection: it knows what was received so far
 */
export async function* resumed<T>(
  open: () => AsyncIterable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T, void> {
  let failures = 0;
  for (;;) {
    try {
      for await (const value of open()) {
        failures = 0;
        yield value;
      }
      return;
    } catch (error) {
      signal?.throwIfAborted();
      failures += 1;
      if (!isPassing(error) || failures >= TRIES_MAX) throw error;
      await pause(Math.min(RETRY_FIRST_MS * 2 ** (failures - 1), RETRY_LAST_MS), signal);
    }
  }
}

function isPassing(error: unknown): boolean {
  return (
    error instanceof MillraceConnectionError ||
    (error instanceof MillraceError && error.code === 'UNAVAILABLE')
  );
}

/** @throws the signal's reason as soon as it fires */
function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
