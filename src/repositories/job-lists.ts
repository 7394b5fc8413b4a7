import type { JobErrorCode } from '../domain/errors.ts';
import type { JobEvent } from '../domain/job.ts';
import type { Sql } from './db.ts';

/** A line of a job's ledger. */
export interface JobItemRow {
  readonly jobId: string;
  readonly ordinal: number;
  readonly row: number | null;
  readonly key: string | null;
  readonly column: string | null;
  readonly value: string | null;
  readonly code: string;
  readonly message: string;
  readonly outcome: 'warned' | 'failed';
}

type ItemOutcome = JobItemRow['outcome'];

/** What of each job's list is wanted: `first` rows whose number is above `after`. */
interface NumberedPage {
  readonly first: number;
  readonly after: number;
}

/** One page of several jobs' ledgers by one statement, each read by its index. */
export async function readItems(
  sql: Sql,
  jobIds: readonly string[],
  page: NumberedPage & { readonly outcome: ItemOutcome | null },
): Promise<Map<string, JobItemRow[]>> {
  const { rows } = await sql.query<JobItemRow>(
    `SELECT i.job_id AS "jobId", i.ordinal, i.row, i.key, i.column, i.value, i.code, i.message, i.outcome
     FROM unnest($1::uuid[]) AS wanted (id)
     CROSS JOIN LATERAL (
       SELECT * FROM job_items
       WHERE job_id = wanted.id AND ordinal > $2 AND ($3::job_item_outcome IS NULL OR outcome = $3)
       ORDER BY ordinal LIMIT $4
     ) AS i`,
    [unique(jobIds), page.after, page.outcome, page.first],
  );
  return groupBy(rows, (row) => row.jobId);
}

/** Lines of each ledger with one outcome. */
export async function countItems(
  sql: Sql,
  jobIds: readonly string[],
  outcome: ItemOutcome,
): Promise<Map<string, number>> {
  const { rows } = await sql.query<{ jobId: string; count: number }>(
    `SELECT job_id AS "jobId", count(*)::int AS count FROM job_items
     WHERE job_id = ANY($1::uuid[]) AND outcome = $2 GROUP BY job_id`,
    [unique(jobIds), outcome],
  );
  return new Map(rows.map((row) => [row.jobId, row.count]));
}

type EventRow = Omit<JobEvent, 'errorCode'> & {
  readonly jobId: string;
  readonly errorCode: JobErrorCode | null;
};

/** One page of several jobs' event logs by one statement. */
export async function readEventPages(
  sql: Sql,
  jobIds: readonly string[],
  page: NumberedPage,
): Promise<Map<string, JobEvent[]>> {
  const { rows } = await sql.query<EventRow>(
    `SELECT e.job_id AS "jobId", e.seq, e.at, e.type, e.attempt, e.status, e.progress_percent AS "progressPercent",
            e.message, e.level, e.error_code AS "errorCode"
     FROM unnest($1::uuid[]) AS wanted (id)
     CROSS JOIN LATERAL (
       SELECT * FROM job_events WHERE job_id = wanted.id AND seq > $2 ORDER BY seq LIMIT $3
     ) AS e`,
    [unique(jobIds), page.after, page.first],
  );
  return groupBy(rows, (row) => row.jobId);
}

interface ChildPage {
  readonly organizationId: string;
  readonly first: number;
  /** Only children that are older than this one; null: from the newest */
  readonly before: string | null;
}

/** Ids of the newest children of several jobs by one statement, newest first. */
export async function readChildIds(
  sql: Sql,
  parentIds: readonly string[],
  page: ChildPage,
): Promise<Map<string, string[]>> {
  const { rows } = await sql.query<{ parentId: string; id: string }>(
    `SELECT wanted.id AS "parentId", c.id
     FROM unnest($1::uuid[]) AS wanted (id)
     CROSS JOIN LATERAL (
       SELECT id FROM jobs
       WHERE organization_id = $2 AND parent_id = wanted.id AND NOT internal AND ($3::uuid IS NULL OR id < $3)
       ORDER BY id DESC LIMIT $4
     ) AS c`,
    [unique(parentIds), page.organizationId, page.before, page.first],
  );
  const grouped = groupBy(rows, (row) => row.parentId);
  return new Map([...grouped].map(([parentId, children]) => [parentId, children.map((child) => child.id)]));
}

/** Number of each job's children, counted up to `max` each. */
export async function countChildren(
  sql: Sql,
  parentIds: readonly string[],
  { organizationId, max }: { readonly organizationId: string; readonly max: number },
): Promise<Map<string, number>> {
  const { rows } = await sql.query<{ parentId: string; count: number }>(
    `SELECT wanted.id AS "parentId", c.count
     FROM unnest($1::uuid[]) AS wanted (id)
     CROSS JOIN LATERAL (
       SELECT count(*)::int AS count FROM (
         SELECT 1 FROM jobs WHERE organization_id = $2 AND parent_id = wanted.id AND NOT internal LIMIT $3
       ) AS bounded
     ) AS c`,
    [unique(parentIds), organizationId, max],
  );
  return new Map(rows.map((row) => [row.parentId, row.count]));
}

function unique(ids: readonly string[]): string[] {
  return [...new Set(ids)];
}

function groupBy<Row>(rows: readonly Row[], keyOf: (row: Row) => string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group) group.push(row);
    else groups.set(keyOf(row), [row]);
  }
  return groups;
}
