import type { Clock } from '../lib/clock.ts';
import { LruMap } from '../lib/lru-map.ts';
import type { PanelFailure } from './reading.ts';

export interface BreakerPolicy {
  /** Failures in a row that open the breaker */
  readonly failuresMax: number;
  /** How long nothing is tried then, in ms */
  readonly openMs: number;
  /** How long one trial has before the next is allowed, in ms */
  readonly trialMs: number;
}

interface Circuit {
  readonly failures: number;
  /** Closed while null */
  readonly retryAt: Date | null;
  readonly failure: PanelFailure;
}

/** Organizations remembered; a forgotten one starts with a closed breaker, which costs a few more failures. */
const CIRCUITS_MAX = 10_000;

/** Spares a source that fails: after some failures in a row nothing is tried for a while, then one trial at a time. */
export interface Breaker {
  /** Null: go ahead, and tell how it went. Otherwise the last failure, with when to come back. */
  refuses(key: string): PanelFailure | null;
  succeeded(key: string): void;
  /** @returns the failure, with when to come back once the breaker is open */
  failed(key: string, failure: PanelFailure): PanelFailure;
}

export function createBreaker(policy: BreakerPolicy, clock: Clock): Breaker {
  const circuits = new LruMap<string, Circuit>({ weightMax: CIRCUITS_MAX });
  const inMs = (ms: number): Date => new Date(clock.now().getTime() + ms);
  return {
    refuses(key) {
      const circuit = circuits.get(key);
      if (!circuit?.retryAt) return null;
      if (clock.now() < circuit.retryAt) return { ...circuit.failure, retryAt: circuit.retryAt };
      // Half open: this caller tries, the others wait until it has had its time.
      circuits.set(key, { ...circuit, retryAt: inMs(policy.trialMs) });
      return null;
    },
    succeeded: (key) => circuits.delete(key),
    failed(key, failure) {
      const failures = (circuits.get(key)?.failures ?? 0) + 1;
      const retryAt = failures >= policy.failuresMax ? inMs(policy.openMs) : null;
      circuits.set(key, { failures, retryAt, failure });
      return { ...failure, retryAt: later(retryAt, failure.retryAt) };
    },
  };
}

function later(one: Date | null, other: Date | null): Date | null {
  if (!one || !other) return one ?? other;
  return one > other ? one : other;
}
