import type { Sql } from './db.ts';
import { LIVE_SQL } from './job-moves.ts';

/** The live sync of each of these connections that has one, by the connection's uuid. */
export async function liveSyncsOf(
  sql: Sql,
  organizationId: string,
  connectionIds: readonly string[],
): Promise<Map<string, string>> {
  const { rows } = await sql.query<{ connectionId: string; jobId: string }>(
    `SELECT unique_key AS "connectionId", id AS "jobId" FROM jobs
     WHERE organization_id = $1 AND kind = 'connector_sync' AND unique_key = ANY($2) AND status IN ${LIVE_SQL}`,
    [organizationId, connectionIds],
  );
  return new Map(rows.map(({ connectionId, jobId }) => [connectionId, jobId]));
}

export type ConnectionProblem = 'missing' | 'paused' | 'refused';

/** Why an account cannot be read now; null: it can. */
export async function connectionProblem(
  sql: Sql,
  organizationId: string,
  id: string,
): Promise<ConnectionProblem | null> {
  const { rows } = await sql.query<{ isPaused: boolean; isRefused: boolean }>(
    `SELECT paused_at IS NOT NULL AS "isPaused", refused_at IS NOT NULL AS "isRefused" FROM connections
     WHERE organization_id = $1 AND id = $2 AND disconnected_at IS NULL`,
    [organizationId, id],
  );
  const [row] = rows;
  if (!row) return 'missing';
  if (row.isRefused) return 'refused';
  return row.isPaused ? 'paused' : null;
}

export interface FeedingConnection {
  readonly id: string;
  /** Neither paused nor refused */
  readonly isReadable: boolean;
}

/** Connections with an entity for any of these feeds, oldest first. */
export async function connectionsFeeding(
  sql: Sql,
  organizationId: string,
  feeds: readonly string[],
): Promise<FeedingConnection[]> {
  const { rows } = await sql.query<FeedingConnection>(
    `SELECT id, paused_at IS NULL AND refused_at IS NULL AS "isReadable" FROM connections AS c
     WHERE organization_id = $1 AND disconnected_at IS NULL
       AND EXISTS (SELECT 1 FROM connection_cursors WHERE connection_id = c.id AND feeds = ANY($2))
     ORDER BY id`,
    [organizationId, feeds],
  );
  return rows;
}

/** What the organization's connections feed, each once. */
export async function fedPanels(sql: Sql, organizationId: string): Promise<string[]> {
  const { rows } = await sql.query<{ feeds: string }>(
    `SELECT DISTINCT e.feeds FROM connections AS c JOIN connection_cursors AS e ON e.connection_id = c.id
     WHERE c.organization_id = $1 AND c.disconnected_at IS NULL AND e.feeds IS NOT NULL`,
    [organizationId],
  );
  return rows.map(({ feeds }) => feeds);
}
