import { setTimeout as delay } from 'node:timers/promises';

// Node holds the sources of AbortSignal.any weakly: a timeout that nothing else refers to would be collected and never
// fire (seen on Node 20.20). An entry lives as long as its key.
const sourcesOf = new WeakMap<AbortSignal, readonly AbortSignal[]>();

/** A signal that fires when any of `signals` does, or after `timeoutMs`, with a TimeoutError as its reason. */
export function withTimeout(timeoutMs: number, ...signals: (AbortSignal | undefined)[]): AbortSignal {
  const sources = [AbortSignal.timeout(timeoutMs), ...signals.filter((signal) => signal !== undefined)];
  const signal = AbortSignal.any(sources);
  sourcesOf.set(signal, sources);
  return signal;
}

/** Resolves after `ms`, or at once when `signal` fires: for loops that look at the signal themselves. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return;
  await delay(ms, undefined, signal ? { signal } : {}).catch((error: unknown) => {
    if (!signal?.aborted) throw error;
  });
}

/** Settles as `promise` does, or rejects with the signal's reason: for work that cannot be told to stop. */
export async function raceAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  // Its failure is nobody's concern any more once the signal has fired, even before the race began.
  promise.catch(() => undefined);
  signal.throwIfAborted();
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(toError(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (onAbort) signal.removeEventListener('abort', onAbort);
  }
}

/** Whatever was thrown, as an Error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
