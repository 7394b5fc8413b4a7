import { MillraceConnectionError, MillraceError } from './errors.ts';

/** Waits between two tries, in ms: it starts with the first and doubles up to the last. */
const RETRY_FIRST_MS = 200;
const RETRY_LAST_MS = 5_000;
/** A server that asks for more patience is asked again after so long, in ms. */
const ASKED_WAIT_MAX_MS = 60_000;
/** So many tries in a row may fail. */
const TRIES_MAX = 20;
/** So many in a row may be refused: the token that was held, and one that its giver did not know to be over. */
const REFUSALS_MAX = 3;
/** A stream that stood for so long worked, though nothing came on it: what comes after starts a new row, in ms. */
const STOOD_MS = 60_000;

interface ResumeOptions {
  readonly signal?: AbortSignal | undefined;
  /** Whether the next connection may bring another token than one that is refused; default false */
  readonly asksForToken?: boolean | undefined;
}

/**
 * Values of a stream that is opened again when its link breaks, its token is over, its points are used up or the server
 * is without its database, from where it stood.
 * @param open called anew for each connection: it knows what was received so far
 */
export async function* resumed<T>(
  open: () => AsyncIterable<T>,
  { signal, asksForToken = false }: ResumeOptions = {},
): AsyncGenerator<T, void> {
  let failures = 0;
  let refusals = 0;
  for (;;) {
    const openedAt = Date.now();
    try {
      for await (const value of open()) {
        failures = refusals = 0;
        yield value;
      }
      return;
    } catch (error) {
      signal?.throwIfAborted();
      if (Date.now() - openedAt >= STOOD_MS) failures = refusals = 0;
      failures += 1;
      if (isRefusal(error)) refusals += 1;
      const mayPass = isRefusal(error) ? asksForToken && refusals < REFUSALS_MAX : isPassing(error);
      if (!mayPass || failures >= TRIES_MAX) throw error;
      const backoffMs = Math.min(RETRY_FIRST_MS * 2 ** (failures - 1), RETRY_LAST_MS);
      await pause(Math.max(backoffMs, askedWaitMs(error)), signal);
      signal?.throwIfAborted();
    }
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof MillraceError && error.code === 'UNAUTHENTICATED';
}

/** Codes of errors that go by themselves */
const PASSING: readonly (string | null)[] = ['UNAVAILABLE', 'RATE_LIMITED'];

function isPassing(error: unknown): boolean {
  return (
    error instanceof MillraceConnectionError ||
    (error instanceof MillraceError && PASSING.includes(error.code))
  );
}

/** How long the server asked to wait; 0 when it did not. */
function askedWaitMs(error: unknown): number {
  const seconds = error instanceof MillraceError ? error.errors[0]?.extensions?.['retryAfterSeconds'] : null;
  return typeof seconds === 'number' ? Math.min(seconds * 1_000, ASKED_WAIT_MAX_MS) : 0;
}

/** Over early when the signal fires. */
function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    signal?.addEventListener('abort', over, { once: true });
  });
}
