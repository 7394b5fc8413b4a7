import { BUCKETS_PER_OCTAVE, LAST_BUCKET, type Histogram } from '../domain/histogram.ts';
import type { Sql } from './db.ts';

/** Workers look more often; the first one after this does the work. */
const EVERY = `interval '10 seconds'`;
/** A settlement may be committed so much later than the time that it bears: its minute is added up again. */
const LATE = `interval '30 seconds'`;
/** After a standstill of all workers, one run makes up for so much. */
const STEP = `interval '30 minutes'`;
/** The longest window that anybody asks for is a day. */
const KEPT = `interval '2 days'`;

/** The bucket of a duration as SQL, see src/domain/histogram.ts. */
export const bucketOf = (interval: string): string => `
  CASE WHEN ${interval} < interval '1 millisecond' THEN 0
       ELSE least(${LAST_BUCKET}, 1 + floor(ln(extract(epoch FROM ${interval}) * 1000) / ln(2.0) * ${BUCKETS_PER_OCTAVE}))::int END`;

const histogram = (column: string): string => `
  SELECT organization_id, queue, minute, kind, array_agg(bucket ORDER BY bucket) AS buckets,
         array_agg(count ORDER BY bucket) AS counts
  FROM (SELECT organization_id, queue, minute, kind, ${column} AS bucket, count(*)::int AS count
        FROM settled WHERE ${column} IS NOT NULL GROUP BY 1, 2, 3, 4, 5) AS bucket
  GROUP BY 1, 2, 3, 4`;

/** Whole minutes are added up anew and replaced: doing one twice changes nothing. */
const ROLL = `
  WITH mark AS MATERIALIZED (
    SELECT date_trunc('minute', at - ${LATE}) AS since, least(now(), at + ${STEP}) AS until FROM upkeep_marks
    WHERE name = 'queue_stats' AND at < now() - ${EVERY} FOR UPDATE SKIP LOCKED
  ), settled AS MATERIALIZED (
    SELECT organization_id, queue, date_trunc('minute', completed_at) AS minute, kind, status,
           ${bucketOf('wait')} AS wait, ${bucketOf('run')} AS run
    FROM mark, organizations
    CROSS JOIN LATERAL (
      SELECT organization_id, queue, completed_at, kind, status,
             jobs.started_at - greatest(created_at, run_at) AS wait, completed_at - last.started_at AS run
      FROM jobs
      LEFT JOIN LATERAL (SELECT started_at FROM job_attempts WHERE job_id = jobs.id ORDER BY delivery DESC LIMIT 1) AS last ON true
      WHERE organization_id = organizations.id AND NOT internal AND completed_at >= mark.since AND completed_at < mark.until
    ) AS job
  ), waits AS (${histogram('wait')}), runs AS (${histogram('run')}), totals AS (
    SELECT organization_id, queue, minute, kind, count(*)::int AS finished,
           count(*) FILTER (WHERE status = 'failed')::int AS failed
    FROM settled GROUP BY 1, 2, 3, 4
  ), written AS (
    INSERT INTO queue_stats (organization_id, queue, minute, kind, finished, failed,
                             wait_buckets, wait_counts, run_buckets, run_counts)
    SELECT organization_id, queue, minute, kind, finished, failed, coalesce(waits.buckets, '{}'), coalesce(waits.counts, '{}'),
           coalesce(runs.buckets, '{}'), coalesce(runs.counts, '{}')
    FROM totals LEFT JOIN waits USING (organization_id, queue, minute, kind)
                LEFT JOIN runs USING (organization_id, queue, minute, kind)
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (organization_id, queue, minute, kind) DO UPDATE SET
      finished = excluded.finished, failed = excluded.failed,
      wait_buckets = excluded.wait_buckets, wait_counts = excluded.wait_counts,
      run_buckets = excluded.run_buckets, run_counts = excluded.run_counts
    RETURNING 1
  ), moved AS (
    UPDATE upkeep_marks SET at = mark.until FROM mark WHERE name = 'queue_stats'
  )
  SELECT mark.until < now() AS behind, (SELECT count(*)::int FROM written) AS rows FROM mark`;

/**
 * Adds up what was settled since the last time, by organization, queue, kind and minute. One worker at a time does it.
 * @returns whether there is more to make up for
 */
export async function rollQueueStats(sql: Sql): Promise<boolean> {
  const { rows } = await sql.query<{ behind: boolean }>(ROLL);
  return rows[0]?.behind ?? false;
}

/** What left a queue within a window. */
export interface QueueStats {
  readonly finished: number;
  readonly failed: number;
  /** The part of the window that the figures cover, in minutes: whole minutes and the one that is going on */
  readonly minutes: number;
  /** From the moment that a job could have started to the start of its first attempt */
  readonly wait: Histogram;
  /** Of the last attempt */
  readonly run: Histogram;
}

interface StatRow {
  queue: string;
  what: 'total' | 'wait' | 'run';
  minutes: number;
  /** The bucket; of a total: how many failed */
  bucket: number;
  count: number;
}

/** Start of a window of $3 minutes: whole minutes, and the one that is going on. */
const SINCE = `(date_trunc('minute', now()) - make_interval(mins => $3::int - 1))`;

/** The figures of several queues by one statement over the rollup: what it costs depends on the window alone. */
export async function readQueueStats(
  sql: Sql,
  organizationId: string,
  queues: readonly string[],
  windowMinutes: number,
): Promise<Map<string, QueueStats>> {
  const { rows } = await sql.query<StatRow>(
    `WITH stat AS MATERIALIZED (
       SELECT * FROM queue_stats WHERE organization_id = $1 AND queue = ANY($2) AND minute >= ${SINCE}
     ), figure AS (
       SELECT wanted.queue, 'total' AS what, coalesce(sum(failed), 0)::int AS bucket, coalesce(sum(finished), 0)::int AS count
       FROM unnest($2::text[]) AS wanted (queue) LEFT JOIN stat USING (queue) GROUP BY 1
       UNION ALL
       SELECT queue, 'wait', bucket, sum(count)::int
       FROM stat, unnest(wait_buckets, wait_counts) AS histogram (bucket, count) GROUP BY 1, 3
       UNION ALL
       SELECT queue, 'run', bucket, sum(count)::int
       FROM stat, unnest(run_buckets, run_counts) AS histogram (bucket, count) GROUP BY 1, 3
     )
     SELECT figure.*, extract(epoch FROM now() - ${SINCE})::float8 / 60 AS minutes FROM figure`,
    [organizationId, [...new Set(queues)], windowMinutes],
  );
  return new Map(
    rows
      .filter(({ what }) => what === 'total')
      .map((total) => [
        total.queue,
        {
          finished: total.count,
          failed: total.bucket,
          minutes: total.minutes,
          wait: histogramOf(rows, total.queue, 'wait'),
          run: histogramOf(rows, total.queue, 'run'),
        },
      ]),
  );
}

function histogramOf(rows: readonly StatRow[], queue: string, what: StatRow['what']): Histogram {
  const own = rows.filter((row) => row.queue === queue && row.what === what);
  return new Map(own.map(({ bucket, count }) => [bucket, count]));
}

/** Removes at most `limit` rows of minutes that nobody asks for any more. @returns how many */
export async function pruneQueueStats(sql: Sql, limit: number): Promise<number> {
  const { rowCount } = await sql.query(
    `DELETE FROM queue_stats WHERE (organization_id, queue, minute, kind) IN (
       SELECT organization_id, queue, minute, kind FROM queue_stats WHERE minute < now() - ${KEPT}
       ORDER BY minute LIMIT $1 FOR UPDATE SKIP LOCKED)`,
    [limit],
  );
  return rowCount ?? 0;
}
