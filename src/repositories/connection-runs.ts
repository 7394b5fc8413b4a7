import { z } from 'zod';
import type { Sql, Tx } from './db.ts';
import { addedHistograms } from './histogram-sql.ts';

/** How far one entity has been read. */
export interface EntityPosition {
  /** As the connector gave it; null: from the beginning */
  readonly cursor: unknown;
  /** When it moved last */
  readonly movedAt: Date;
}

const position = z.object({ cursor: z.unknown(), movedAt: z.date() });

/**
 * Begins to read an entity, or goes on with it.
 * @param anew what was read before does not count: everything is listed again
 */
export async function beginEntity(
  tx: Tx,
  { organizationId, connectionId }: { readonly organizationId: string; readonly connectionId: string },
  entity: string,
  { feeds, anew }: { readonly feeds: string | null; readonly anew: boolean },
): Promise<EntityPosition> {
  const { rows } = await tx.query(
    `INSERT INTO connection_cursors AS known (organization_id, connection_id, entity, feeds, scan_started_at)
     VALUES ($1, $2, $3, $4, now())
     ON CONFLICT (connection_id, entity) DO UPDATE SET
       feeds = excluded.feeds,
       cursor = CASE WHEN $5 THEN NULL ELSE known.cursor END,
       scan_started_at = CASE WHEN $5 THEN now() ELSE coalesce(known.scan_started_at, now()) END
     RETURNING cursor, updated_at AS "movedAt"`,
    [organizationId, connectionId, entity, feeds, anew],
  );
  return position.parse(rows[0]);
}

/** What was written goes on from here. */
export async function moveCursor(
  tx: Tx,
  connectionId: string,
  entity: string,
  cursor: unknown,
): Promise<void> {
  await tx.query(
    `UPDATE connection_cursors SET cursor = $3::jsonb,
       updated_at = CASE WHEN cursor IS DISTINCT FROM $3::jsonb THEN now() ELSE updated_at END
     WHERE connection_id = $1 AND entity = $2`,
    [connectionId, entity, JSON.stringify(cursor)],
  );
}

/** Records of a scan that lists everything, which it has not met: the provider has them no longer. */
export async function unseenRecords(
  tx: Tx,
  connectionId: string,
  entity: string,
  limit: number,
): Promise<string[]> {
  const { rows } = await tx.query<{ key: string }>(
    `SELECT record_key AS key FROM source_records
     WHERE connection_id = $1 AND entity = $2
       AND seen_at < (SELECT scan_started_at FROM connection_cursors WHERE connection_id = $1 AND entity = $2)
     LIMIT $3`,
    [connectionId, entity, limit],
  );
  return rows.map(({ key }) => key);
}

export interface EntityEnd {
  /** When the run began: what its figures are true for */
  readonly since: Date;
  /** When the cursor had moved last as the run began */
  readonly movedAt: Date;
  /** Whether records came that were new, or other than before */
  readonly isChanged: boolean;
}

/** Read to its end. @returns runs in a row that ended where they began although records came */
export async function endEntity(
  tx: Tx,
  connectionId: string,
  entity: string,
  { since, movedAt, isChanged }: EntityEnd,
): Promise<number> {
  const { rows } = await tx.query<{ stuckRuns: number }>(
    `UPDATE connection_cursors SET synced_at = $3, scan_started_at = NULL, failure_code = NULL, failure_message = NULL,
            failed_at = NULL, stuck_runs = CASE WHEN updated_at > $4 THEN 0 WHEN $5 THEN stuck_runs + 1 ELSE stuck_runs END
     WHERE connection_id = $1 AND entity = $2
     RETURNING stuck_runs AS "stuckRuns"`,
    [connectionId, entity, since, movedAt, isChanged],
  );
  return rows[0]?.stuckRuns ?? 0;
}

export interface SyncFailure {
  readonly code: string;
  /** For people */
  readonly message: string;
}

export async function failEntity(
  sql: Sql,
  connectionId: string,
  entity: string,
  { code, message }: SyncFailure,
): Promise<void> {
  await sql.query(
    `UPDATE connection_cursors SET failure_code = $3, failure_message = $4, failed_at = now()
     WHERE connection_id = $1 AND entity = $2`,
    [connectionId, entity, code, message],
  );
}

export interface RunEnd {
  /** When the run began; null: it did not read everything */
  readonly since: Date | null;
  readonly failure: SyncFailure | null;
  /** Only connecting anew helps: nothing is due until then */
  readonly isRefused: boolean;
  /** The provider listens again then; null: the next run is due as ever */
  readonly notBefore: Date | null;
}

/** A permission that is known to be missing now. */
export async function noteMissingScope(sql: Sql, connectionId: string, scope: string): Promise<void> {
  await sql.query(
    `UPDATE connections SET missing_scopes = missing_scopes || $2::text WHERE id = $1 AND NOT missing_scopes @> ARRAY[$2::text]`,
    [connectionId, scope],
  );
}

/** What an entity that was not read this time failed with before is still so. */
export async function endRun(sql: Sql, connectionId: string, end: RunEnd): Promise<void> {
  await sql.query(
    `UPDATE connections SET
       synced_at = coalesce($2, synced_at), failure_code = failure.code, failure_message = failure.message,
       failed_at = failure.at,
       refused_at = CASE WHEN $5 THEN coalesce(refused_at, now()) ELSE refused_at END,
       next_sync_at = CASE WHEN $5 THEN NULL WHEN paused_at IS NULL THEN coalesce($6, next_sync_at) END
     FROM (SELECT 1) AS always LEFT JOIN LATERAL (
       SELECT * FROM (
         SELECT $3::text AS code, $4::text AS message, now() AS at, 1 AS rank
         UNION ALL SELECT failure_code, failure_message, failed_at, 2 FROM connection_cursors WHERE connection_id = $1
       ) AS known WHERE code IS NOT NULL ORDER BY rank, at LIMIT 1
     ) AS failure ON true
     WHERE id = $1 AND disconnected_at IS NULL`,
    [
      connectionId,
      end.since,
      end.failure?.code ?? null,
      end.failure?.message ?? null,
      end.isRefused,
      end.notBefore,
    ],
  );
}

export interface DueConnection {
  readonly id: string;
  readonly organizationId: string;
}

/**
 * Connections of these providers whose time has come and that are not being read, the longest due first; their next time
 * is set. Locked until the transaction ends: another worker passes them by.
 */
export async function takeDueConnections(
  tx: Tx,
  providers: readonly string[],
  limit: number,
): Promise<DueConnection[]> {
  const { rows } = await tx.query<DueConnection>(
    `WITH due AS (
       SELECT id FROM connections AS c
       WHERE next_sync_at <= now() AND provider = ANY($1)
         AND coalesce((SELECT false FROM jobs AS j
                       WHERE j.organization_id = c.organization_id AND j.kind = 'connector_sync' AND j.unique_key = c.id::text
                         AND j.status IN ('pending', 'running') LIMIT 1), true)
       ORDER BY next_sync_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
     )
     UPDATE connections SET next_sync_at = now() + make_interval(secs => sync_every_seconds), sync_started_at = now()
     FROM due WHERE connections.id = due.id
     RETURNING connections.id, organization_id AS "organizationId"`,
    [providers, limit],
  );
  return rows;
}

/** How a provider answered one run: ms by bucket, as src/domain/histogram.ts counts. */
export interface ProviderAnswers {
  readonly pages: number;
  readonly failures: number;
  readonly latency: ReadonlyMap<number, number>;
}

/** Adds to today's, in the organization's time zone. */
export async function noteAnswers(
  sql: Sql,
  organizationId: string,
  provider: string,
  { pages, failures, latency }: ProviderAnswers,
): Promise<void> {
  await sql.query(
    `INSERT INTO provider_days AS known (organization_id, provider, day, pages, failures, latency)
     SELECT id, $2, (now() AT TIME ZONE time_zone)::date, $3, $4, $5 FROM organizations WHERE id = $1
     ON CONFLICT (organization_id, day, provider) DO UPDATE SET
       pages = known.pages + excluded.pages, failures = known.failures + excluded.failures,
       latency = ${addedHistograms('known.latency', 'excluded.latency')}`,
    [organizationId, provider, pages, failures, JSON.stringify(Object.fromEntries(latency))],
  );
}
