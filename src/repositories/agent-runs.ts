import type { AgentRun, RecordedRuns } from '../domain/agent-run.ts';
import { lockAgents, refreshAgentDays } from './agent-days.ts';
import type { Database, Tx } from './db.ts';

/** Whose runs are told, and by whom. */
export interface RunsTeller {
  readonly organizationId: string;
  readonly recordedBy: string;
}

/** Tells what changed, and the days and agents that a changed run counts on now, or did before. */
const RECORD = `
  WITH given AS MATERIALIZED (
    SELECT run_key, agent, at, (at AT TIME ZONE time_zone)::date AS day, succeeded, duration_ms, tokens, cost,
           coalesce(told.currency, '') AS currency
    FROM organizations, unnest($3::text[], $4::text[], $5::timestamptz[], $6::boolean[], $7::bigint[], $8::bigint[],
                               $9::numeric[], $10::text[])
      AS told (run_key, agent, at, succeeded, duration_ms, tokens, cost, currency)
    WHERE organizations.id = $1
  ), before AS MATERIALIZED (
    SELECT run_key, agent_runs.agent, agent_runs.day FROM agent_runs JOIN given USING (run_key) WHERE organization_id = $1
  ), written AS (
    INSERT INTO agent_runs AS known (organization_id, run_key, agent, at, day, succeeded, duration_ms, tokens, cost, currency,
                                     recorded_by)
    SELECT $1, run_key, agent, at, day, succeeded, duration_ms, tokens, cost, currency, $2 FROM given ORDER BY run_key
    ON CONFLICT (organization_id, run_key) DO UPDATE SET
      agent = excluded.agent, at = excluded.at, day = excluded.day, succeeded = excluded.succeeded,
      duration_ms = excluded.duration_ms, tokens = excluded.tokens, cost = excluded.cost, currency = excluded.currency,
      recorded_by = excluded.recorded_by
    WHERE (known.agent, known.at, known.day, known.succeeded, known.duration_ms, known.tokens, known.cost, known.currency)
      IS DISTINCT FROM (excluded.agent, excluded.at, excluded.day, excluded.succeeded, excluded.duration_ms, excluded.tokens,
                        excluded.cost, excluded.currency)
    RETURNING run_key, agent, day
  ), touched AS (
    SELECT day, agent FROM written
    UNION SELECT before.day, before.agent FROM before JOIN written USING (run_key)
  )
  SELECT (SELECT count(*)::int FROM written) AS written,
         (SELECT count(*)::int FROM written JOIN before USING (run_key)) AS replaced,
         coalesce(array_agg(to_char(day, 'YYYY-MM-DD')), '{}') AS days, coalesce(array_agg(agent), '{}') AS agents
  FROM touched`;

interface RecordRow {
  readonly written: number;
  readonly replaced: number;
  readonly days: string[];
  readonly agents: string[];
}

/**
 * Tells of runs, each key once. A run that is known is replaced, and one that is known just so left alone; the days that
 * it counts on, and those that it counted on before, are made anew in the same transaction.
 */
export function recordAgentRuns(
  db: Database,
  teller: RunsTeller,
  runs: readonly AgentRun[],
): Promise<RecordedRuns> {
  return db.transaction(async (tx) => {
    await lockAgents(tx, teller.organizationId);
    const { written, replaced, days, agents } = await writeRuns(tx, teller, runs);
    if (days.length > 0) await refreshAgentDays(tx, teller.organizationId, { days, agents });
    return { recorded: written - replaced, replaced, unchanged: runs.length - written };
  });
}

async function writeRuns(
  tx: Tx,
  { organizationId, recordedBy }: RunsTeller,
  runs: readonly AgentRun[],
): Promise<RecordRow> {
  const { rows } = await tx.query<RecordRow>(RECORD, [
    organizationId,
    recordedBy,
    runs.map(({ key }) => key),
    runs.map(({ agent }) => agent),
    runs.map(({ at }) => at.toISOString()),
    runs.map(({ succeeded }) => succeeded),
    runs.map(({ durationMs }) => durationMs),
    runs.map(({ tokens }) => tokens),
    runs.map(({ cost }) => cost?.amount ?? null),
    runs.map(({ cost }) => cost?.currency ?? null),
  ]);
  const [row] = rows;
  if (!row) throw new Error('expected one row of what was recorded');
  return row;
}
