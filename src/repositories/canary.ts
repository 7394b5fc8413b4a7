import { SYSTEM_ORGANIZATION } from '../domain/system.ts';
import type { Sql, Tx } from './db.ts';

/** Makes the row that the system's own jobs belong to, if it is not there. */
export async function ensureSystemOrganization(sql: Sql): Promise<void> {
  const { id, name, timeZone, currency } = SYSTEM_ORGANIZATION;
  await sql.query(
    `INSERT INTO organizations (id, name, time_zone, currency) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
    [id, name, timeZone, currency],
  );
}

/**
 * Whether it is time for another canary. Of all workers that ask at once one gets to answer: it holds the system
 * organization's row until its transaction ends, and the next one sees what it started.
 */
export async function isCanaryDue(tx: Tx, everySeconds: number): Promise<boolean> {
  const { rows } = await tx.query<{ due: boolean }>(
    `SELECT NOT EXISTS (SELECT 1 FROM jobs WHERE organization_id = holder.id AND kind = 'canary'
                          AND created_at > now() - make_interval(secs => $2)) AS due
     FROM (SELECT id FROM organizations WHERE id = $1 FOR NO KEY UPDATE SKIP LOCKED) AS holder`,
    [SYSTEM_ORGANIZATION.id, everySeconds],
  );
  return rows[0]?.due ?? false;
}

export interface CanaryRound {
  /** From its start until it was settled */
  readonly tookMs: number;
  /** Since it was settled */
  readonly ageMs: number;
}

/** The last canary that came through; null before the first. */
export async function readCanary(sql: Sql): Promise<CanaryRound | null> {
  const { rows } = await sql.query<{ took_ms: number; age_ms: number }>(
    `SELECT (extract(epoch FROM completed_at - created_at) * 1000)::float8 AS took_ms,
            (extract(epoch FROM now() - completed_at) * 1000)::float8 AS age_ms
     FROM jobs WHERE organization_id = $1 AND kind = 'canary' AND status = 'completed' ORDER BY id DESC LIMIT 1`,
    [SYSTEM_ORGANIZATION.id],
  );
  return rows[0] ? { tookMs: rows[0].took_ms, ageMs: rows[0].age_ms } : null;
}
