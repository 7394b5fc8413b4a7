import type { Sql } from './db.ts';
import { allConditions, jobRowScan, jobScan, Values, type JobFilter } from './job-filter.ts';
import { jobColumns, readJobRows, type JobColumn, type JobRow } from './job-rows.ts';
import { searchJobs, type SearchDatabase } from './job-search.ts';

/** Some of the jobs that match a filter, newest first. */
export interface JobPage {
  readonly ids: readonly string[];
  /**
   * Set when older jobs were not looked at: where to go on. Only a search stops early; fewer jobs than were asked for, or
   * none, do not mean then that there are no more.
   */
  readonly lookedBackTo: string | null;
}

interface PageRequest {
  readonly limit: number;
  /** Only jobs older than this one; null: from the newest */
  readonly before: string | null;
}

/** The newest jobs that match a filter. Costs about the same however many jobs there are. */
export async function readJobPage(
  db: SearchDatabase,
  filter: JobFilter,
  request: PageRequest,
): Promise<JobPage> {
  const { search } = filter;
  if (search !== null) return searchJobs(db, { ...filter, search }, request);
  const values = new Values();
  const text = jobScan(filter, values, { isOrdered: true, ...request });
  const { rows } = await db.query<{ id: string }>(text, values.list);
  return { ids: rows.map(({ id }) => id), lookedBackTo: null };
}

interface JobRowPage {
  /** A job that went after it was found is not among them */
  readonly rows: readonly JobRow[];
  /** Where the next page begins; null: nowhere */
  readonly goesOnAt: string | null;
}

/** The same page with columns of its jobs; of a search, whose ids are found first, by a second statement. */
export async function readJobRowPage(
  db: SearchDatabase,
  filter: JobFilter,
  request: PageRequest,
  columns: readonly JobColumn[],
): Promise<JobRowPage> {
  if (filter.search !== null) {
    const { ids, lookedBackTo } = await readJobPage(db, filter, request);
    const found = await readJobRows(db, filter, ids, columns);
    return { rows: inOrderOf(ids, found), goesOnAt: endOf(ids, request) ?? lookedBackTo };
  }
  const values = new Values();
  const text = jobRowScan(filter, values, request, jobColumns(columns));
  const { rows } = await db.query<JobRow>(text, values.list);
  const ids = rows.map(({ id }) => id);
  return { rows, goesOnAt: endOf(ids, request) };
}

/** The last id of a page that was asked for with one more than it shows; null when there is no more. */
export function endOf(ids: readonly string[], { limit }: Pick<PageRequest, 'limit'>): string | null {
  return ids.length >= limit ? (ids[limit - 2] ?? null) : null;
}

function inOrderOf(ids: readonly string[], rows: readonly JobRow[]): JobRow[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => byId.get(id)).filter((row) => row !== undefined);
}

/** Which of a few jobs match a filter, or which changed since a moment; at most `limit`, oldest first. */
export async function matchJobs(
  sql: Sql,
  filter: JobFilter,
  which: { readonly jobIds: readonly string[] } | { readonly since: Date },
  limit: number,
): Promise<string[]> {
  const values = new Values();
  const condition =
    'jobIds' in which
      ? `jobs.id = ANY(${values.add(which.jobIds)}::uuid[])`
      : `jobs.status_changed_at >= ${values.add(which.since)}`;
  const { rows } = await sql.query<{ id: string }>(
    `SELECT jobs.id FROM jobs WHERE ${condition} AND ${allConditions(filter, values)}
     ORDER BY jobs.id LIMIT ${values.add(limit)}`,
    values.list,
  );
  return rows.map(({ id }) => id);
}
