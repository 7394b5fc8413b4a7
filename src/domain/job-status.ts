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

/** What moves a job from one status to the next. */
export type JobTrigger =
  | 'claimed'
  | 'completed'
  | 'completed_with_warnings'
  | 'retry'
  | 'snoozed'
  | 'released'
  | 'worker_lost'
  | 'failed'
  | 'attempts_exhausted'
  | 'cancelled';

interface Transition {
  readonly trigger: JobTrigger;
  readonly from: JobStatus;
  readonly to: JobStatus;
}

/** Every legal move: the README's chart is made from it. The statements in repositories name the same moves themselves. */
export const JOB_TRANSITIONS: readonly Transition[] = [
  { trigger: 'claimed', from: 'pending', to: 'running' },
  { trigger: 'completed', from: 'running', to: 'completed' },
  { trigger: 'completed_with_warnings', from: 'running', to: 'completed_with_warnings' },
  { trigger: 'failed', from: 'running', to: 'failed' },
  { trigger: 'cancelled', from: 'running', to: 'cancelled' },
  { trigger: 'retry', from: 'running', to: 'pending' },
  { trigger: 'snoozed', from: 'running', to: 'pending' },
  { trigger: 'released', from: 'running', to: 'pending' },
  { trigger: 'worker_lost', from: 'running', to: 'pending' },
  { trigger: 'attempts_exhausted', from: 'running', to: 'failed' },
  { trigger: 'cancelled', from: 'pending', to: 'cancelled' },
];

/** Statuses that nothing leaves, by the table. */
export const SETTLED_STATUSES: readonly JobStatus[] = JOB_STATUSES.filter(
  (status) => !JOB_TRANSITIONS.some((transition) => transition.from === status),
);

export function isSettled(status: JobStatus): boolean {
  return SETTLED_STATUSES.includes(status);
}

/** Status that `trigger` leads to from `from`, or null where the table knows no such move. */
export function nextStatus(from: JobStatus, trigger: JobTrigger): JobStatus | null {
  return JOB_TRANSITIONS.find((move) => move.from === from && move.trigger === trigger)?.to ?? null;
}

/** The table as a Mermaid chart, for the README. */
export function statusChart(): string {
  const settled = SETTLED_STATUSES.map((status) => `  ${status} --> [*]`);
  const moves = JOB_TRANSITIONS.map(({ from, to, trigger }) => `  ${from} --> ${to}: ${trigger}`);
  return ['stateDiagram-v2', '  [*] --> pending', ...moves, ...settled].join('\n');
}
