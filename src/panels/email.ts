import { z } from 'zod';
import type { Period } from '../domain/period.ts';
import type { Sql } from '../repositories/db.ts';
import { emailSums, type EmailSum } from '../repositories/panel-email.ts';
import type { PanelScope } from '../repositories/panel-scope.ts';
import { splitSums } from './daily.ts';
import { fromRollups } from './filled.ts';
import type { Panel } from './panel.ts';
import { count, day } from './values.ts';

const emailValues = z.object({
  sent: count,
  opens: count,
  clicks: count,
  unsubscribes: count,
  series: z.array(z.object({ date: day, sent: count, opens: count, clicks: count })),
});
export type EmailValues = z.infer<typeof emailValues>;

/** E-mail campaigns: what they have come to by now counts on the day on which they were sent. */
export const email: Panel<EmailValues> = {
  key: 'email',
  deadlineMs: 2_000,
  schema: emailValues,
  load: fromRollups('email', ({ db }, scope) => readEmail(db, scope)),
};

export async function readEmail(sql: Sql, scope: PanelScope): Promise<EmailValues> {
  return emailOf(scope, await emailSums(sql, scope));
}

export function emailOf(period: Period, rows: readonly EmailSum[]): EmailValues {
  const { totals, days } = splitSums(period, rows);
  const [all] = totals;
  return {
    sent: all?.sent ?? 0,
    opens: all?.opens ?? 0,
    clicks: all?.clicks ?? 0,
    unsubscribes: all?.unsubscribes ?? 0,
    series: days.map(({ date, rows: [row] }) => ({
      date,
      sent: row?.sent ?? 0,
      opens: row?.opens ?? 0,
      clicks: row?.clicks ?? 0,
    })),
  };
}
