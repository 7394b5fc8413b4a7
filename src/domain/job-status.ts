/** The only statuses a job has. Waiting for a retry is `pending` with `attempt > 0` and `nextAttemptAt`. */
export const JOB_STATUSES = [
  'pending',
  'running',
  'completed',
  'completed_with_warnings',
  'failed',
  'cancelled',
] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

/** How an attempt ended. */
export type AttemptOutcome = 'completed' | 'failed' | 'snoozed' | 'cancelled' | 'lost' | 'released';

/** What a pending job waits for beside its turn; absent: for nothing else. */
export const WAIT_CAUSES = ['retry', 'rate_limit', 'children'] as const;
export type WaitCause = (typeof WAIT_CAUSES)[number];

interface Transition {
  readonly from: JobStatus;
  readonly to: JobStatus;
  /** How it ends the attempt that ran; null where none did */
  readonly ends: AttemptOutcome | null;
  /** The attempt counts against `maxAttempts` */
  readonly counts: boolean;
  /** What the job waits for afterwards */
  readonly waitsFor: WaitCause | null;
}

const move = (
  from: JobStatus,
  to: JobStatus,
  ends: AttemptOutcome | null = null,
  more: Partial<Pick<Transition, 'counts' | 'waitsFor'>> = {},
): Transition => ({ from, to, ends, counts: ends !== null, waitsFor: null, ...more });

/**
 * Every legal move, by what triggers it. The guard, the SQL that moves jobs (src/repositories/job-moves.ts) and the
 * README's chart are made from it.
 */
export const JOB_TRANSITIONS = {
  claimed: move('pending', 'running'),
  completed: move('running', 'completed', 'completed'),
  completed_with_warnings: move('running', 'completed_with_warnings', 'completed'),
  failed: move('running', 'failed', 'failed'),
  cancelled: move('running', 'cancelled', 'cancelled'),
  retry: move('running', 'pending', 'failed', { waitsFor: 'retry' }),
  snoozed: move('running', 'pending', 'snoozed', { counts: false, waitsFor: 'rate_limit' }),
  waits_for_children: move('running', 'pending', 'snoozed', { counts: false, waitsFor: 'children' }),
  released: move('running', 'pending', 'released', { counts: false }),
  worker_lost: move('running', 'pending', 'lost'),
  attempts_exhausted: move('running', 'failed', 'lost'),
  cancelled_waiting: move('pending', 'cancelled'),
} as const satisfies Readonly<Record<string, Transition>>;

/** What moves a job from one status to the next. */
export type JobTrigger = keyof typeof JOB_TRANSITIONS;

/** Triggers that end an attempt by its worker's own word. */
export type SettleTrigger = Exclude<
  JobTrigger,
  'claimed' | 'worker_lost' | 'attempts_exhausted' | 'cancelled_waiting'
>;

const entries: readonly (readonly [string, Transition])[] = Object.entries(JOB_TRANSITIONS);

/** Statuses that nothing leaves, by the table. */
export const SETTLED_STATUSES: readonly JobStatus[] = JOB_STATUSES.filter(
  (status) => !entries.some(([, transition]) => transition.from === status),
);

export function isSettled(status: JobStatus): boolean {
  return SETTLED_STATUSES.includes(status);
}

/** Status that `trigger` leads to from `from`, or null where the table knows no such move. */
export function nextStatus(from: JobStatus, trigger: JobTrigger): JobStatus | null {
  const transition = JOB_TRANSITIONS[trigger];
  return transition.from === from ? transition.to : null;
}

/** The table as a Mermaid chart, for the README. */
export function statusChart(): string {
  const settled = SETTLED_STATUSES.map((status) => `  ${status} --> [*]`);
  const moves = entries.map(([trigger, { from, to }]) => `  ${from} --> ${to}: ${trigger}`);
  return ['stateDiagram-v2', '  [*] --> pending', ...moves, ...settled].join('\n');
}
