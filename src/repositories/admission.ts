/** Which waiting jobs may go into the broker: parts of the statements that issue deliveries. */

/** Kinds and newest versions that some live worker can run. */
export const CAPABLE_SQL = `
  SELECT kind.key AS kind, max(kind.value::int) AS version
  FROM workers, jsonb_each_text(workers.kinds) AS kind
  WHERE workers.beat_at > now() - interval '15 seconds'
  GROUP BY kind.key`;

/**
 * Room in an organization's window for jobs of one priority: `ahead` of them wait so many. A priority sees only what
 * is as urgent as itself or more, so that what is less urgent never stands in its way; and each has a twentieth of the
 * window to itself, so that what is more urgent never shuts it out. Stands in a statement with `holder.organization_id`
 * and `level`, the priority's number.
 */
export function roomSql({ queue, window }: { readonly queue: string; readonly window: string }): string {
  return `
    SELECT count(*) AS ahead,
           greatest(0, ${window}::int - count(*),
                    ceil(${window}::int / 20.0) - count(*) FILTER (WHERE priority = level))::bigint AS room
    FROM jobs
    WHERE queue = ${queue} AND organization_id = holder.organization_id
      AND status = 'pending' AND delivered_at IS NOT NULL AND priority <= level`;
}

/** Place of a delivery in its organization's window. One beyond the window's end could be overtaken for ever. */
export function placeSql(place: string, window: string): string {
  return `least(${window}::int, ${place})::int`;
}
