import type { JobStatus } from '../domain/job-status.ts';
import type { Sql } from './db.ts';
import { LIVE_SQL } from './job-moves.ts';

/**
 * Lets parents go on that wait for children of which none is left. It runs after the commit of whatever settled a
 * child or made a parent wait: of two that come at once, the later one sees both, so nobody has to lock the other. What
 * a crash between commit and call leaves behind, the sweep of `findForgottenParents` finds.
 * @returns how many go on
 */
export async function wakeParents(sql: Sql, parentIds: readonly string[]): Promise<number> {
  const { rowCount } = await sql.query(
    `UPDATE jobs SET waiting_for = NULL, due_at = now()
     WHERE id IN (SELECT id FROM jobs AS parent
                  WHERE id = ANY($1) AND status = 'pending' AND waiting_for = 'children'
                    AND NOT EXISTS (SELECT 1 FROM jobs WHERE parent_id = parent.id AND status IN ${LIVE_SQL})
                  ORDER BY id FOR UPDATE)`,
    [[...new Set(parentIds)]],
  );
  return rowCount ?? 0;
}

/** Parents that wait, though no child of theirs is left; at most `limit`. */
export async function findForgottenParents(sql: Sql, limit: number): Promise<string[]> {
  const { rows } = await sql.query<{ id: string }>(
    `SELECT id FROM jobs AS parent WHERE status = 'pending' AND waiting_for = 'children'
       AND NOT EXISTS (SELECT 1 FROM jobs WHERE parent_id = parent.id AND status IN ${LIVE_SQL})
     LIMIT $1`,
    [limit],
  );
  return rows.map(({ id }) => id);
}

/** A child as its parent sees it. */
export interface ChildJob {
  readonly id: string;
  readonly kind: string;
  readonly status: JobStatus;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly result: unknown;
}

/** A parent's children, oldest first, at most `limit`. */
export async function readChildren(sql: Sql, parentId: string, limit: number): Promise<ChildJob[]> {
  const { rows } = await sql.query<{ [K in keyof ChildJob]: ChildJob[K] }>(
    `SELECT id, kind, status, error_code AS "errorCode", error_message AS "errorMessage", result
     FROM jobs WHERE (organization_id, parent_id) = (SELECT organization_id, id FROM jobs WHERE id = $1)
     ORDER BY id LIMIT $2`,
    [parentId, limit],
  );
  return rows;
}

/** Whether a child of the job is not settled. */
export async function hasLiveChildren(sql: Sql, parentId: string): Promise<boolean> {
  const { rows } = await sql.query<{ live: boolean }>(
    `SELECT EXISTS (SELECT 1 FROM jobs WHERE parent_id = $1 AND status IN ${LIVE_SQL}) AS live`,
    [parentId],
  );
  return rows[0]?.live ?? false;
}
