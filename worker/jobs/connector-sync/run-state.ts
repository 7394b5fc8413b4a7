import { z } from 'zod';

const count = z.int().nonnegative();

/** How far a sync has come, kept as the job's checkpoint: how far each entity has been read is in its own row. */
export const runState = z.strictObject({
  /** When the first attempt began: what the figures are true for */
  since: z.iso.datetime(),
  /** Entities that were begun anew by this job, where it was asked to */
  begun: z.array(z.string()),
  /** Entities that need nothing more of this job */
  done: z.array(z.string()),
  tally: z.strictObject({
    pages: count,
    changed: count,
    unchanged: count,
    removed: count,
    rejected: count,
    failedEntities: count,
  }),
});
export type RunState = z.infer<typeof runState>;

export function startState(now: Date): RunState {
  const tally = { pages: 0, changed: 0, unchanged: 0, removed: 0, rejected: 0, failedEntities: 0 };
  return { since: now.toISOString(), begun: [], done: [], tally };
}

export function added(tally: RunState['tally'], more: Partial<RunState['tally']>): RunState['tally'] {
  return {
    pages: tally.pages + (more.pages ?? 0),
    changed: tally.changed + (more.changed ?? 0),
    unchanged: tally.unchanged + (more.unchanged ?? 0),
    removed: tally.removed + (more.removed ?? 0),
    rejected: tally.rejected + (more.rejected ?? 0),
    failedEntities: tally.failedEntities + (more.failedEntities ?? 0),
  };
}
