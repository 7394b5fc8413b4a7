import { z } from 'zod';
import type { Period } from '../domain/period.ts';
import type { Sql } from '../repositories/db.ts';
import { trafficSums, type TrafficSum } from '../repositories/panel-traffic.ts';
import type { PanelScope } from '../repositories/panel-scope.ts';
import { splitSums } from './daily.ts';
import { fromRollups } from './filled.ts';
import type { Panel } from './panel.ts';
import { count, day } from './values.ts';

const trafficValues = z.object({
  sessions: count,
  pageviews: count,
  /** Distinct users cannot be added up over days: null for a window the provider gave no total for */
  users: count.nullable(),
  series: z.array(z.object({ date: day, sessions: count, users: count.nullable(), pageviews: count })),
});
export type TrafficValues = z.infer<typeof trafficValues>;

/** Visits to the sites. */
export const traffic: Panel<TrafficValues> = {
  key: 'traffic',
  deadlineMs: 2_000,
  schema: trafficValues,
  load: fromRollups('traffic', ({ db }, scope) => readTraffic(db, scope)),
};

export async function readTraffic(sql: Sql, scope: PanelScope): Promise<TrafficValues> {
  return trafficOf(scope, await trafficSums(sql, scope), scope.connectionIds.length);
}

/** @param accounts so many counted: visitors of several sites may be the same, so that only one site's users are known */
export function trafficOf(period: Period, rows: readonly TrafficSum[], accounts: number): TrafficValues {
  const { totals, days } = splitSums(period, rows);
  const figures = (row: TrafficSum | undefined): Omit<TrafficSum, 'date'> => ({
    sessions: row?.sessions ?? 0,
    pageviews: row?.pageviews ?? 0,
    users: accounts === 1 ? (row?.users ?? null) : null,
  });
  return {
    ...figures(totals[0]),
    series: days.map(({ date, rows: [row] }) => ({ date, ...figures(row) })),
  };
}
