/** How runs of jobs ended. */
export interface RunOutcomes {
  readonly completed: number;
  /** Completed with warnings */
  readonly warned: number;
  readonly failed: number;
  readonly cancelled: number;
}

export const NO_RUNS: RunOutcomes = { completed: 0, warned: 0, failed: 0, cancelled: 0 };

export function sumOutcomes(parts: readonly RunOutcomes[]): RunOutcomes {
  return parts.reduce<RunOutcomes>(
    (sum, part) => ({
      completed: sum.completed + part.completed,
      warned: sum.warned + part.warned,
      failed: sum.failed + part.failed,
      cancelled: sum.cancelled + part.cancelled,
    }),
    NO_RUNS,
  );
}

export function countRuns({ completed, warned, failed, cancelled }: RunOutcomes): number {
  return completed + warned + failed + cancelled;
}

/** Share of the failed among those that nobody cancelled, 0 to 100; null where there are none. */
export function failurePercent({ completed, warned, failed }: RunOutcomes): number | null {
  return percentOf(failed, completed + warned + failed);
}

/** 0 to 100; null of nothing */
export function percentOf(part: number, whole: number): number | null {
  return whole === 0 ? null : (100 * part) / whole;
}

/** By how much there is more than before, in percent; null where there was nothing before. */
export function changePercent(now: number, before: number): number | null {
  return before <= 0 ? null : (100 * (now - before)) / before;
}
