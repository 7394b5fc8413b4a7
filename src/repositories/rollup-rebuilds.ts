import type { FactType } from '../domain/facts.ts';
import { addDays, daysOf } from '../domain/period.ts';
import type { Tx, Sql } from './db.ts';
import { lockConnection, type FactOwner } from './fact-pages.ts';
import { refreshRollups } from './rollups.ts';
import { TouchedDays } from './touched-days.ts';

/** First and last day on which a connection has facts, YYYY-MM-DD; null: it has none. */
export interface FactSpan {
  readonly from: string;
  readonly to: string;
}

export async function factSpan(
  sql: Sql,
  connectionId: string,
  types: readonly FactType[],
): Promise<FactSpan | null> {
  const { rows } = await sql.query<{ from: string | null; to: string | null }>(
    `SELECT to_char(min(first), 'YYYY-MM-DD') AS "from", to_char(max(last), 'YYYY-MM-DD') AS "to"
     FROM unnest($2::fact_type[]) AS wanted (of_type)
     CROSS JOIN LATERAL (SELECT (SELECT day FROM facts WHERE connection_id = $1 AND type = of_type ORDER BY day LIMIT 1) AS first,
                                (SELECT day FROM facts WHERE connection_id = $1 AND type = of_type ORDER BY day DESC LIMIT 1) AS last)
       AS span`,
    [connectionId, types],
  );
  const { from = null, to = null } = rows[0] ?? {};
  return from === null || to === null ? null : { from, to };
}

interface MovedRow {
  readonly type: FactType;
  readonly day: string;
  readonly endDay: string | null;
}

/**
 * What happened at a moment counts on that moment's day in the organization's time zone as it is now; then the rollups of
 * these days are made anew, and those of the day before and after, to which facts may have moved.
 * @returns false when the connection is gone, or disconnected
 */
export async function rebuildRollups(
  tx: Tx,
  owner: FactOwner,
  types: readonly FactType[],
  span: FactSpan,
): Promise<boolean> {
  const timeZone = await lockConnection(tx, owner);
  if (timeZone === null) return false;
  const { rows } = await tx.query<MovedRow>(
    `WITH placed AS (
       SELECT type, fact_key, day, end_day, (at AT TIME ZONE $5)::date AS new_day, (end_at AT TIME ZONE $5)::date AS new_end_day
       FROM facts
       WHERE connection_id = $1 AND type = ANY($2::fact_type[]) AND day BETWEEN $3::date AND $4::date AND at IS NOT NULL
     ), moved AS (
       UPDATE facts SET day = placed.new_day, end_day = placed.new_end_day FROM placed
       WHERE facts.connection_id = $1 AND facts.type = placed.type AND facts.fact_key = placed.fact_key
         AND (placed.day <> placed.new_day OR placed.end_day IS DISTINCT FROM placed.new_end_day)
       RETURNING placed.*
     )
     SELECT type, to_char(day, 'YYYY-MM-DD') AS day, to_char(end_day, 'YYYY-MM-DD') AS "endDay" FROM moved
     UNION SELECT type, to_char(new_day, 'YYYY-MM-DD'), to_char(new_end_day, 'YYYY-MM-DD') FROM moved`,
    [owner.connectionId, types, span.from, span.to, timeZone],
  );
  const touched = new TouchedDays();
  touched.add(rows);
  const days = daysOf({ from: addDays(span.from, -1), to: addDays(span.to, 1) });
  for (const type of types) touched.add(days.map((day) => ({ type, day, endDay: null })));
  await refreshRollups(tx, owner, touched);
  return true;
}
