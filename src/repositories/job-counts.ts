import { JOB_STATUSES, type JobStatus } from '../domain/job-status.ts';
import type { Sql } from './db.ts';
import { jobScan, Values, type JobFilter } from './job-filter.ts';
import { countSearched, type SearchDatabase } from './job-search.ts';

/** Jobs per status; null where there are more than were counted. */
export type CountsByStatus = { readonly [S in JobStatus]: number | null };

/**
 * How many jobs match a filter, counted up to `max`.
 * @returns null when there are more, or when a search is too broad to be counted in good time
 */
export async function countJobs(db: SearchDatabase, filter: JobFilter, max: number): Promise<number | null> {
  const { search } = filter;
  if (search !== null) return sumOf([...(await countSearched(db, { ...filter, search }, max)).values()], max);
  const values = new Values();
  const scan = jobScan(filter, values, { isOrdered: false, limit: max + 1 });
  const { rows } = await db.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM (${scan}) AS bounded`,
    values.list,
  );
  return bounded(rows[0]?.count ?? 0, max);
}

/** The same per status, each counted up to `max`; one statement where nothing is searched for. */
export async function countJobsByStatus(
  db: SearchDatabase,
  filter: JobFilter,
  max: number,
): Promise<CountsByStatus> {
  const { search } = filter;
  const counts =
    search === null ? await countEach(db, filter, max) : await countSearched(db, { ...filter, search }, max);
  // A status that the filter leaves out has no jobs.
  const count = (status: JobStatus): number | null => counts.get(status) ?? (counts.has(status) ? null : 0);
  return {
    pending: count('pending'),
    running: count('running'),
    completed: count('completed'),
    completed_with_warnings: count('completed_with_warnings'),
    failed: count('failed'),
    cancelled: count('cancelled'),
  };
}

/** Null when a part is unknown or all together are more than `max`. */
export function sumOf(counts: readonly (number | null)[], max: number): number | null {
  const known = counts.filter((count) => count !== null);
  const sum = known.reduce((total, count) => total + count, 0);
  return known.length < counts.length ? null : bounded(sum, max);
}

async function countEach(sql: Sql, filter: JobFilter, max: number): Promise<Map<JobStatus, number | null>> {
  const values = new Values();
  const statuses = JOB_STATUSES.filter((status) => filter.statuses?.includes(status) ?? true);
  const counts = statuses.map((status) => {
    const scan = jobScan({ ...filter, statuses: [status] }, values, { isOrdered: false, limit: max + 1 });
    return `(SELECT count(*)::int FROM (${scan}) AS bounded)`;
  });
  const { rows } = await sql.query<{ counts: number[] }>(
    `SELECT ARRAY[${counts.join(', ')}]::int[] AS counts`,
    values.list,
  );
  return new Map(statuses.map((status, place) => [status, bounded(rows[0]?.counts[place] ?? 0, max)]));
}

/** A count that stopped at one more than was asked for is no count. */
function bounded(count: number, max: number): number | null {
  return count > max ? null : count;
}
