import { BUCKETS_PER_OCTAVE, LAST_BUCKET } from '../domain/histogram.ts';
import type { Tx } from './db.ts';

/** What an organization's runs of agents add up to changes in one transaction after the other, until each ends. */
export async function lockAgents(tx: Tx, organizationId: string): Promise<void> {
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 11))', [organizationId]);
}

/**
 * The bucket of a run, as src/domain/histogram.ts counts. In floating point: the exact logarithm costs 80 µs, and a day
 * may have many runs. What the quotient of two logarithms lacks at a power of two is added.
 */
const BUCKET = `
  CASE WHEN duration_ms < 1 THEN 0
       ELSE least(${LAST_BUCKET}, 1 + floor(ln(duration_ms::float8) / ln(2::float8) * ${BUCKETS_PER_OCTAVE} + 1e-9))::int END`;

/** $1 the organization; the days are what `where` says of its runs. */
const insertDays = (where: string): string => `
  WITH run AS MATERIALIZED (
    SELECT day, agent, currency, succeeded, tokens, cost, ${BUCKET} AS bucket
    FROM agent_runs WHERE organization_id = $1 AND ${where}
  ), durations AS (
    SELECT day, agent, currency, jsonb_object_agg(bucket, count) AS durations
    FROM (SELECT day, agent, currency, bucket, count(*) AS count FROM run GROUP BY 1, 2, 3, 4) AS bucket GROUP BY 1, 2, 3
  ), totals AS (
    SELECT day, agent, currency, count(*) AS runs, count(*) FILTER (WHERE succeeded) AS succeeded, sum(tokens) AS tokens,
           coalesce(sum(cost), 0) AS cost
    FROM run GROUP BY 1, 2, 3
  )
  INSERT INTO agent_days (organization_id, day, agent, currency, runs, succeeded, tokens, cost, durations)
  SELECT $1, day, agent, currency, runs, succeeded, tokens, cost, durations
  FROM totals JOIN durations USING (day, agent, currency)`;

/** Some agents' days, side by side. */
export interface AgentDays {
  /** YYYY-MM-DD */
  readonly days: readonly string[];
  readonly agents: readonly string[];
}

const AMONG = '(day, agent) IN (SELECT * FROM unnest($2::date[], $3::text[]))';

/** Makes these days of these agents anew; under `lockAgents`. */
export async function refreshAgentDays(
  tx: Tx,
  organizationId: string,
  { days, agents }: AgentDays,
): Promise<void> {
  const values = [organizationId, days, agents];
  await tx.query(`DELETE FROM agent_days WHERE organization_id = $1 AND ${AMONG}`, values);
  await tx.query(insertDays(AMONG), values);
}

/** First and last day of an organization's runs, YYYY-MM-DD. */
export interface AgentSpan {
  readonly from: string;
  readonly to: string;
}

/** Null: it has none. */
export async function agentSpan(tx: Tx, organizationId: string): Promise<AgentSpan | null> {
  const { rows } = await tx.query<{ from: string | null; to: string | null }>(
    `SELECT to_char((SELECT day FROM agent_runs WHERE organization_id = $1 ORDER BY day LIMIT 1), 'YYYY-MM-DD') AS "from",
            to_char((SELECT day FROM agent_runs WHERE organization_id = $1 ORDER BY day DESC LIMIT 1), 'YYYY-MM-DD') AS "to"`,
    [organizationId],
  );
  const { from = null, to = null } = rows[0] ?? {};
  return from === null || to === null ? null : { from, to };
}

/** Takes away days on which there are no runs at all; null: there are none on any day. Under `lockAgents`. */
export async function dropStrayAgentDays(
  tx: Tx,
  organizationId: string,
  span: AgentSpan | null,
): Promise<void> {
  await tx.query(
    `DELETE FROM agent_days WHERE organization_id = $1
       AND ($2::date IS NULL OR day < $2::date OR day > $3::date)`,
    [organizationId, span?.from ?? null, span?.to ?? null],
  );
}

/**
 * Each run of these days counts on its day in the organization's time zone as it is now; then these days are made anew,
 * and the one before and after, to which runs may have moved. Under `lockAgents`.
 * @returns how many runs moved
 */
export async function rebuildAgentDays(tx: Tx, organizationId: string, span: AgentSpan): Promise<number> {
  const { rowCount } = await tx.query(
    `UPDATE agent_runs SET day = (at AT TIME ZONE time_zone)::date FROM organizations
     WHERE organizations.id = $1 AND organization_id = $1 AND day BETWEEN $2::date AND $3::date
       AND day <> (at AT TIME ZONE time_zone)::date`,
    [organizationId, span.from, span.to],
  );
  const values = [organizationId, span.from, span.to];
  const around = 'day BETWEEN $2::date - 1 AND $3::date + 1';
  await tx.query(`DELETE FROM agent_days WHERE organization_id = $1 AND ${around}`, values);
  await tx.query(insertDays(around), values);
  return rowCount ?? 0;
}
