import { JOB_STATUSES } from '../domain/job-status.ts';
import { PUBLIC_QUEUE_NAMES } from '../domain/queue.ts';
import type { Sql } from './db.ts';
import type { StoredKinds } from './pipeline-days.ts';

/** What one kind is doing now. */
export interface LiveKind {
  readonly kind: string;
  /** Counted up to one more than was asked for */
  readonly pending: number;
  readonly running: number;
  /** Uuid of the newest job, whatever its status; null: there is none */
  readonly lastJobId: string | null;
}

const counted = (status: string): string => `
  (SELECT count(*) FROM (SELECT 1 FROM jobs WHERE organization_id = $1 AND NOT internal AND kind = stored
                         AND status = '${status}' LIMIT $4) AS bounded)`;

/** As the lists of jobs, a short scan of their index for each kind, status and queue: see docs/decisions/job-lists.md. */
const LIVE = `
  SELECT kind, sum(pending)::int AS pending, sum(running)::int AS running,
         (array_agg(last ORDER BY last DESC NULLS LAST))[1] AS "lastJobId"
  FROM unnest($2::text[], $3::text[]) AS named (stored, kind)
  CROSS JOIN LATERAL (SELECT ${counted('pending')} AS pending, ${counted('running')} AS running) AS live
  LEFT JOIN LATERAL (
    SELECT newest.id AS last FROM unnest($5::job_status[]) AS s (status), unnest($6::text[]) AS q (queue)
    CROSS JOIN LATERAL (
      SELECT id FROM jobs WHERE organization_id = $1 AND NOT internal AND kind = stored AND status = s.status
        AND queue = q.queue ORDER BY id DESC NULLS LAST LIMIT 1
    ) AS newest ORDER BY 1 DESC LIMIT 1
  ) AS newest ON true
  GROUP BY kind`;

/** What goes on now, by kind; one statement. @param max live jobs are counted up to one more than this */
export async function readLiveKinds(
  sql: Sql,
  organizationId: string,
  kinds: StoredKinds,
  max: number,
): Promise<ReadonlyMap<string, LiveKind>> {
  const names = [...kinds].flatMap(([kind, stored]) => stored.map((name) => ({ name, kind })));
  const { rows } = await sql.query<LiveKind>(LIVE, [
    organizationId,
    names.map(({ name }) => name),
    names.map(({ kind }) => kind),
    max + 1,
    JOB_STATUSES,
    PUBLIC_QUEUE_NAMES,
  ]);
  return new Map(rows.map((row) => [row.kind, row]));
}
