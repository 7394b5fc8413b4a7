import { z } from 'zod';
import { percentileMs } from '../domain/histogram.ts';
import type { Period } from '../domain/period.ts';
import type { Sql } from '../repositories/db.ts';
import { supportSums, type SupportSum } from '../repositories/panel-support.ts';
import type { PanelScope } from '../repositories/panel-scope.ts';
import { splitSums } from './daily.ts';
import { fromRollups } from './filled.ts';
import type { Panel } from './panel.ts';
import { count, day, rounded } from './values.ts';

const supportValues = z.object({
  opened: count,
  solved: count,
  /** Open at the end of the period */
  open: count,
  /** Null where nothing was answered or rated in the period */
  firstResponseMinutesMedian: z.number().nonnegative().nullable(),
  satisfactionPercent: z.number().min(0).max(100).nullable(),
  series: z.array(z.object({ date: day, opened: count, solved: count })),
});
export type SupportValues = z.infer<typeof supportValues>;

/** The help desk. */
export const support: Panel<SupportValues> = {
  key: 'support',
  deadlineMs: 2_000,
  schema: supportValues,
  load: fromRollups('support', ({ db }, scope) => readSupport(db, scope)),
};

export async function readSupport(sql: Sql, scope: PanelScope): Promise<SupportValues> {
  return supportOf(scope, await supportSums(sql, scope));
}

export function supportOf(period: Period, rows: readonly SupportSum[]): SupportValues {
  const { totals, days } = splitSums(period, rows);
  const [all] = totals;
  return {
    opened: all?.opened ?? 0,
    solved: all?.solved ?? 0,
    open: all?.open ?? 0,
    firstResponseMinutesMedian: medianMinutes([all?.replies ?? {}]),
    satisfactionPercent: all ? satisfactionPercent(all) : null,
    series: days.map(({ date, rows: [row] }) => ({
      date,
      opened: row?.opened ?? 0,
      solved: row?.solved ?? 0,
    })),
  };
}

const MINUTE_MS = 60_000;

/** Of first replies by bucket, told in parts; to a tenth of a minute: the buckets tell no more. */
export function medianMinutes(parts: readonly Readonly<Record<string, number>>[]): number | null {
  const histogram = new Map<number, number>();
  for (const [bucket, tickets] of parts.flatMap((part) => Object.entries(part))) {
    histogram.set(Number(bucket), (histogram.get(Number(bucket)) ?? 0) + tickets);
  }
  const ms = percentileMs(histogram, 0.5);
  return ms === null ? null : rounded(ms / MINUTE_MS, 1);
}

export function satisfactionPercent({
  good,
  bad,
}: {
  readonly good: number;
  readonly bad: number;
}): number | null {
  return good + bad === 0 ? null : rounded((100 * good) / (good + bad), 2);
}
