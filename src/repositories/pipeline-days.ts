import type { Histogram } from '../domain/histogram.ts';
import type { Period } from '../domain/period.ts';
import { NO_RUNS, type RunOutcomes } from '../domain/run-outcomes.ts';
import type { Sql } from './db.ts';
import { addedHistograms } from './histogram-sql.ts';
import { bucketOf } from './queue-stats.ts';

/** Workers look more often; the first one after this does the work. */
const EVERY = `interval '10 seconds'`;
/** What is younger is left for the next time: a settlement may be committed so much later than the time that it bears. */
const LATE = `interval '30 seconds'`;
/** After a standstill of all workers, one run makes up for so much. */
const STEP = `interval '6 hours'`;

const WAIT = bucketOf('jobs.started_at - greatest(jobs.created_at, jobs.run_at)');
const RUN = bucketOf('jobs.completed_at - jobs.started_at');

const histogram = (bucket: string): string => `
  SELECT organization_id, day, kind, jsonb_object_agg(bucket, count) AS histogram
  FROM (SELECT organization_id, day, kind, ${bucket} AS bucket, count(*) AS count
        FROM settled WHERE was_started GROUP BY 1, 2, 3, 4) AS bucket
  GROUP BY 1, 2, 3`;

const added = (column: string): string => `${column} = pipeline_days.${column} + excluded.${column}`;
const merged = (column: string): string =>
  `${column} = ${addedHistograms(`pipeline_days.${column}`, `excluded.${column}`)}`;

/** Each job is added once: the mark moves in the same statement, and whoever adds holds it. */
const ROLL = `
  WITH mark AS MATERIALIZED (
    SELECT at AS since, least(at + ${STEP}, now() - ${LATE}) AS until FROM upkeep_marks
    WHERE name = 'pipeline_days' AND at < now() - ${LATE} - ${EVERY} FOR UPDATE SKIP LOCKED
  ), settled AS MATERIALIZED (
    SELECT organization_id, (completed_at AT TIME ZONE time_zone)::date AS day, kind, status, was_started, wait, run
    FROM mark, organizations
    CROSS JOIN LATERAL (
      SELECT organization_id, completed_at, kind, status, started_at IS NOT NULL AS was_started, ${WAIT} AS wait, ${RUN} AS run
      FROM jobs
      WHERE organization_id = organizations.id AND NOT internal AND completed_at >= mark.since AND completed_at < mark.until
    ) AS job
  ), waits AS (${histogram('wait')}), runs AS (${histogram('run')}), totals AS (
    SELECT organization_id, day, kind, count(*) FILTER (WHERE status = 'completed') AS completed,
           count(*) FILTER (WHERE status = 'completed_with_warnings') AS warned,
           count(*) FILTER (WHERE status = 'failed') AS failed, count(*) FILTER (WHERE status = 'cancelled') AS cancelled
    FROM settled GROUP BY 1, 2, 3
  ), written AS (
    INSERT INTO pipeline_days (organization_id, day, kind, completed, warned, failed, cancelled, waits, runs)
    SELECT organization_id, day, kind, completed, warned, failed, cancelled,
           coalesce(waits.histogram, '{}'), coalesce(runs.histogram, '{}')
    FROM totals LEFT JOIN waits USING (organization_id, day, kind) LEFT JOIN runs USING (organization_id, day, kind)
    ORDER BY 1, 2, 3
    ON CONFLICT (organization_id, day, kind) DO UPDATE SET
      ${['completed', 'warned', 'failed', 'cancelled'].map(added).join(', ')}, ${merged('waits')}, ${merged('runs')}
  ), moved AS (
    UPDATE upkeep_marks SET at = mark.until FROM mark WHERE name = 'pipeline_days'
  )
  SELECT until < now() - ${LATE} AS behind FROM mark`;

/**
 * Adds up what was settled since the last time, by organization, kind and day of the organization's calendar as it is by
 * then. One worker at a time does it. @returns whether there is more to make up for
 */
export async function rollPipelineDays(sql: Sql): Promise<boolean> {
  const { rows } = await sql.query<{ behind: boolean }>(ROLL);
  return rows[0]?.behind ?? false;
}

/** What became of one kind's runs. */
export interface KindFigures {
  readonly kind: string;
  readonly days: readonly (RunOutcomes & { readonly day: string })[];
  /** Of all days of the period before */
  readonly before: RunOutcomes;
  readonly wait: Histogram;
  readonly run: Histogram;
}

/** The names that a kind's rows are stored under. */
export type StoredKinds = ReadonlyMap<string, readonly string[]>;

export interface FiguresRequest {
  readonly organizationId: string;
  readonly kinds: StoredKinds;
  readonly period: Period;
  /** Days that end before the period begins, to compare with */
  readonly before: Period;
  readonly timeZone: string;
}

/** Jobs that are not in the rollup yet are added to it as they are read; a longer standstill shows late. */
const READ = `
  WITH named AS (SELECT * FROM unnest($2::text[], $3::text[]) AS named (stored, kind)), stat AS MATERIALIZED (
    SELECT named.kind, day, completed, warned, failed, cancelled, waits, runs
    FROM pipeline_days JOIN named ON stored = pipeline_days.kind
    WHERE organization_id = $1 AND day BETWEEN $6::date AND $5::date
    UNION ALL
    SELECT named.kind, (completed_at AT TIME ZONE $7)::date, (status = 'completed')::int,
           (status = 'completed_with_warnings')::int, (status = 'failed')::int, (status = 'cancelled')::int,
           CASE WHEN started_at IS NULL THEN '{}' ELSE jsonb_build_object(${WAIT}, 1) END,
           CASE WHEN started_at IS NULL THEN '{}' ELSE jsonb_build_object(${RUN}, 1) END
    FROM jobs JOIN named ON stored = jobs.kind
    WHERE organization_id = $1 AND NOT internal AND completed_at >= (
      SELECT greatest(at, now() - interval '1 hour') FROM upkeep_marks WHERE name = 'pipeline_days')
      AND (completed_at AT TIME ZONE $7)::date BETWEEN $6::date AND $5::date
  ), own AS (SELECT * FROM stat WHERE day >= $4::date)
  SELECT kind, CASE WHEN day >= $4::date THEN 'day' ELSE 'before' END AS what,
         CASE WHEN day >= $4::date THEN to_char(day, 'YYYY-MM-DD') END AS day, 0 AS bucket,
         sum(completed)::float8 AS completed, sum(warned)::float8 AS warned, sum(failed)::float8 AS failed,
         sum(cancelled)::float8 AS cancelled
  FROM stat GROUP BY 1, 2, 3
  UNION ALL
  SELECT kind, 'wait', NULL, key::int, sum(value::bigint)::float8, 0, 0, 0 FROM own, jsonb_each_text(waits) GROUP BY 1, 4
  UNION ALL
  SELECT kind, 'run', NULL, key::int, sum(value::bigint)::float8, 0, 0, 0 FROM own, jsonb_each_text(runs) GROUP BY 1, 4
  ORDER BY day`;

interface FigureRow extends RunOutcomes {
  readonly kind: string;
  readonly what: 'day' | 'before' | 'wait' | 'run';
  readonly day: string | null;
  /** Of a histogram, whose count is `completed` */
  readonly bucket: number;
}

/** One entry per kind, in the order of `kinds`; days without runs are left out. One statement over the rollup. */
export async function readPipelineDays(sql: Sql, request: FiguresRequest): Promise<KindFigures[]> {
  const { organizationId, kinds, period, before, timeZone } = request;
  const names = [...kinds].flatMap(([kind, stored]) => stored.map((name) => ({ name, kind })));
  const { rows } = await sql.query<FigureRow>(READ, [
    organizationId,
    names.map(({ name }) => name),
    names.map(({ kind }) => kind),
    period.from,
    period.to,
    before.from,
    timeZone,
  ]);
  return [...kinds.keys()].map((kind) =>
    figuresOf(
      kind,
      rows.filter((row) => row.kind === kind),
    ),
  );
}

function figuresOf(kind: string, rows: readonly FigureRow[]): KindFigures {
  return {
    kind,
    days: rows.flatMap((row) => (row.day === null ? [] : [{ day: row.day, ...outcomesOf(row) }])),
    before: outcomesOf(rows.find(({ what }) => what === 'before') ?? NO_RUNS),
    wait: histogramOf(rows, 'wait'),
    run: histogramOf(rows, 'run'),
  };
}

function outcomesOf({ completed, warned, failed, cancelled }: RunOutcomes): RunOutcomes {
  return { completed, warned, failed, cancelled };
}

function histogramOf(rows: readonly FigureRow[], what: FigureRow['what']): Histogram {
  const own = rows.filter((row) => row.what === what);
  return new Map(own.map(({ bucket, completed }) => [bucket, completed]));
}
