import type { Chaos } from './chaos.ts';

export const BACKENDS = ['postgres', 'redis'] as const;
/** What carries deliveries and events; the rows are always in PostgreSQL. */
export type Backend = (typeof BACKENDS)[number];

/** `full`: by hand, at the real beats and with outages of 30 s. `short`: the same in seconds, for `npm test`. */
export type Scale = 'full' | 'short';

/** Where a stack differs from the plain one, because a fault needs it so. */
export interface StackShape {
  /** Workers that reach PostgreSQL and Redis by proxies whose links can be made bad; default none */
  readonly proxied?: 'first' | 'all';
  /** Workers whose wall clock can be made to jump */
  readonly jumpingClocks?: true;
  /** APIs whose resident memory is what they hold */
  readonly collectedGarbage?: true;
  /** Workers that are there from the beginning; default 2 */
  readonly workers?: number;
}

/** One way in which things break. */
export interface Fault {
  /** As on the command line: "sigkill-worker" */
  readonly name: string;
  readonly backends: readonly Backend[];
  readonly shape?: StackShape;
  /** After its end, all that was started must be settled within so many seconds, by scale */
  readonly settledWithinSeconds: Readonly<Record<Scale, number>>;
  /** Does it, measures bounds on the way, and returns when the fault is over. Load goes on all the while. */
  run(chaos: Chaos): Promise<void>;
}
