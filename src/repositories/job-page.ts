import type { Sql } from './db.ts';
import { allConditions, jobScan, Values, type JobFilter } from './job-filter.ts';
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
