import { z } from 'zod';
import type { Histogram } from '../domain/histogram.ts';
import { toMoney, type Money } from '../domain/money.ts';
import type { Period } from '../domain/period.ts';
import type { Sql } from './db.ts';

/** What some runs of agents came to. */
export interface AgentFigures {
  readonly runs: number;
  readonly succeeded: number;
  readonly tokens: number;
  /** ms */
  readonly durations: Histogram;
  /** One entry per currency, by its code */
  readonly cost: readonly Money[];
}

export const NO_AGENT_RUNS: AgentFigures = {
  runs: 0,
  succeeded: 0,
  tokens: 0,
  durations: new Map(),
  cost: [],
};

export interface NamedAgentFigures extends AgentFigures {
  readonly name: string;
}

/** Whose runs, and of which days. */
export interface AgentScope extends Period {
  readonly organizationId: string;
}

interface FigureRow {
  readonly key: string;
  readonly runs: number;
  readonly succeeded: number;
  readonly tokens: number;
  readonly durations: unknown;
  readonly cost: unknown;
}

/** @param key what the rows of `counted` are grouped by @param parts makes `counted` */
const summed = (key: string, parts: string): string => `
  WITH ${parts}, one AS MATERIALIZED (SELECT ${key} AS key, * FROM counted), costs AS (
    SELECT key, jsonb_object_agg(currency, cost::text) AS cost
    FROM (SELECT key, currency, sum(cost) AS cost FROM one WHERE currency <> '' GROUP BY 1, 2) AS cost GROUP BY 1
  ), buckets AS (
    SELECT key, jsonb_object_agg(bucket, count) AS durations
    FROM (SELECT one.key, each.key AS bucket, sum(each.value::bigint) AS count
          FROM one, jsonb_each_text(durations) AS each GROUP BY 1, 2) AS bucket GROUP BY 1
  ), totals AS (
    SELECT key, sum(runs)::float8 AS runs, sum(succeeded)::float8 AS succeeded, sum(tokens)::float8 AS tokens FROM one GROUP BY 1
  )
  SELECT key, runs, succeeded, tokens, coalesce(durations, '{}') AS durations, coalesce(cost, '{}') AS cost
  FROM totals LEFT JOIN costs USING (key) LEFT JOIN buckets USING (key) ORDER BY key`;

const DAYS = `
  SELECT day, agent, currency, runs, succeeded, tokens, cost, durations FROM agent_days
  WHERE organization_id = $1 AND day BETWEEN $2::date AND $3::date`;

const PAGE = summed(
  'agent',
  `page AS MATERIALIZED (
     SELECT agent FROM agent_days
     WHERE organization_id = $1 AND day BETWEEN $2::date AND $3::date AND ($4::text IS NULL OR agent > $4)
     GROUP BY agent ORDER BY agent LIMIT $5
   ), counted AS (${DAYS} AND agent IN (SELECT agent FROM page))`,
);

/** Agents that ran in the period, by name. */
export async function agentPage(
  sql: Sql,
  { organizationId, from, to }: AgentScope,
  { after, limit }: { readonly after: string | null; readonly limit: number },
): Promise<NamedAgentFigures[]> {
  const { rows } = await sql.query<FigureRow>(PAGE, [organizationId, from, to, after, limit]);
  return rows.map((row) => ({ name: row.key, ...figuresOf(row) }));
}

/** How many agents ran in the period. */
export async function countAgents(sql: Sql, { organizationId, from, to }: AgentScope): Promise<number> {
  const { rows } = await sql.query<{ count: number }>(
    `SELECT count(DISTINCT agent)::int AS count FROM agent_days
     WHERE organization_id = $1 AND day BETWEEN $2::date AND $3::date`,
    [organizationId, from, to],
  );
  return rows[0]?.count ?? 0;
}

const TOTALS = summed(`''`, `counted AS (${DAYS})`);

/** All agents together. */
export async function agentTotals(sql: Sql, { organizationId, from, to }: AgentScope): Promise<AgentFigures> {
  const { rows } = await sql.query<FigureRow>(TOTALS, [organizationId, from, to]);
  return rows[0] ? figuresOf(rows[0]) : NO_AGENT_RUNS;
}

const ONE = summed('agent', `counted AS (${DAYS} AND agent = $4)`);

/** Null when it did not run in the period. */
export async function agentFigures(
  sql: Sql,
  { organizationId, from, to }: AgentScope,
  name: string,
): Promise<NamedAgentFigures | null> {
  const { rows } = await sql.query<FigureRow>(ONE, [organizationId, from, to, name]);
  return rows[0] ? { name, ...figuresOf(rows[0]) } : null;
}

/** The figures of days on which there were runs, by day, YYYY-MM-DD. */
export type AgentSeries = ReadonlyMap<string, AgentFigures>;

/** A day, then a name: no name contains what stands between the two of another. */
const SERIES = summed(
  `to_char(day, 'YYYY-MM-DD') || agent`,
  `counted AS (${DAYS} AND agent = ANY($4::text[]))`,
);
const DAY_LENGTH = 'YYYY-MM-DD'.length;

/** Day by day, for each of the agents that ran. */
export async function agentSeries(
  sql: Sql,
  { organizationId, from, to }: AgentScope,
  names: readonly string[],
): Promise<Map<string, AgentSeries>> {
  const { rows } = await sql.query<FigureRow>(SERIES, [organizationId, from, to, names]);
  const series = new Map<string, Map<string, AgentFigures>>();
  for (const row of rows) {
    const name = row.key.slice(DAY_LENGTH);
    const days = series.get(name) ?? new Map<string, AgentFigures>();
    series.set(name, days.set(row.key.slice(0, DAY_LENGTH), figuresOf(row)));
  }
  return series;
}

const TOTAL_SERIES = summed(`to_char(day, 'YYYY-MM-DD')`, `counted AS (${DAYS})`);

/** Day by day, for all agents together. */
export async function agentTotalSeries(
  sql: Sql,
  { organizationId, from, to }: AgentScope,
): Promise<AgentSeries> {
  const { rows } = await sql.query<FigureRow>(TOTAL_SERIES, [organizationId, from, to]);
  return new Map(rows.map((row) => [row.key, figuresOf(row)]));
}

const counts = z.record(z.string().regex(/^\d+$/), z.number());
const amounts = z.record(z.string(), z.string());

function figuresOf({ runs, succeeded, tokens, durations, cost }: FigureRow): AgentFigures {
  const buckets = Object.entries(counts.parse(durations));
  const money = Object.entries(amounts.parse(cost)).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    runs,
    succeeded,
    tokens,
    durations: new Map(buckets.map(([bucket, count]) => [Number(bucket), count])),
    cost: money.map(([currency, amount]) => toMoney(amount, currency)),
  };
}
