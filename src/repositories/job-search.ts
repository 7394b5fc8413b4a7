import { JOB_STATUSES, type JobStatus } from '../domain/job-status.ts';
import type { Database, Sql } from './db.ts';
import { createdConditions, isNarrow, jobConditions, jobScan, patternOf, Values } from './job-filter.ts';
import type { JobFilter } from './job-filter.ts';
import { rareMatches, searchIndex } from './job-search-index.ts';

export type SearchDatabase = Pick<Database, 'query' | 'transaction'>;
export type JobSearch = JobFilter & { readonly search: string };

interface SearchRequest {
  readonly limit: number;
  readonly before: string | null;
}

interface SearchPage {
  readonly ids: readonly string[];
  /** Set when older jobs were not looked at: where to go on */
  readonly lookedBackTo: string | null;
}

/** Jobs of which all texts are read, where the rest of the filter leaves no more. */
const FEW = 2_000;
/** Newest jobs of which all texts are read, whatever is searched for: what is frequent is found there. */
const WINDOW = 25_000;

/**
 * The newest jobs whose text holds what is searched for. Three ways, each of which reads a bounded number of rows:
 * the jobs that the rest of the filter leaves, if they are few; the newest ones, which hold what is frequent; and the
 * trigram index, for what is rare. What is neither rare nor among the newest is found page by page: the answer says
 * how far back it looked.
 */
export async function searchJobs(
  db: SearchDatabase,
  filter: JobSearch,
  request: SearchRequest,
): Promise<SearchPage> {
  const few = await searchFew(db, filter, request);
  if (few) return { ids: few, lookedBackTo: null };
  const recent = await searchWindow(db, filter, request);
  if (recent.lookedBackTo === null || recent.ids.length >= request.limit)
    return { ids: recent.ids, lookedBackTo: null };
  const older = { limit: request.limit - recent.ids.length, before: recent.lookedBackTo };
  const found = await searchIndex(db, filter.search, (tx, matches) =>
    readMatches(tx, filter, matches, older),
  );
  return found ? { ids: [...recent.ids, ...found], lookedBackTo: null } : recent;
}

/** @returns null when the filter leaves more jobs than are read one by one */
async function searchFew(
  sql: Sql,
  filter: JobSearch,
  { limit, before }: SearchRequest,
): Promise<string[] | null> {
  if (!isNarrow(filter)) return null;
  const values = new Values();
  const scan = jobScan(filter, values, { isOrdered: false, limit: FEW + 1, before });
  const { rows } = await sql.query<{ size: number; ids: string[] | null }>(
    `WITH few AS MATERIALIZED (${scan}), size AS MATERIALIZED (SELECT count(*)::int AS size FROM few)
     SELECT size, (SELECT array_agg(id ORDER BY id DESC) FROM (
         SELECT few.id FROM few CROSS JOIN LATERAL (${textMatches(filter, values, 'few.id')}) AS matching
         WHERE size <= ${FEW} ORDER BY few.id DESC LIMIT ${values.add(limit)}) AS newest) AS ids
     FROM size`,
    values.list,
  );
  const [row] = rows;
  return row && row.size <= FEW ? (row.ids ?? []) : null;
}

/** Looks at the texts of the newest jobs. */
async function searchWindow(
  sql: Sql,
  filter: JobSearch,
  { limit, before }: SearchRequest,
): Promise<SearchPage> {
  const values = new Values();
  const { rows } = await sql.query<{ id: string }>(
    `SELECT recent.job_id AS id FROM (${window(filter, values, before)} LIMIT ${WINDOW}) AS recent
     CROSS JOIN LATERAL (${jobMatches(filter, values, 'recent.job_id')}) AS matching
     WHERE recent.text LIKE ${values.add(patternOf(filter.search))}
     ORDER BY recent.job_id DESC LIMIT ${values.add(limit)}`,
    values.list,
  );
  const ids = rows.map(({ id }) => id);
  if (ids.length >= limit) return { ids, lookedBackTo: null };
  const end = await endOfWindow(sql, filter, before);
  const last = ids.at(-1);
  // Jobs that came between the two statements moved the end: what was found behind it was looked at all the same.
  return { ids, lookedBackTo: end !== null && last !== undefined && last < end ? last : end };
}

/** The oldest job of the window; null when the window holds all there are. */
async function endOfWindow(sql: Sql, filter: JobSearch, before: string | null): Promise<string | null> {
  const values = new Values();
  const { rows } = await sql.query<{ id: string }>(
    `SELECT job_id AS id FROM (${window(filter, values, before)} OFFSET ${WINDOW - 1} LIMIT 2) AS recent`,
    values.list,
  );
  return rows.length === 2 ? (rows[0]?.id ?? null) : null;
}

function window(filter: JobSearch, values: Values, before: string | null): string {
  const conditions = [
    `organization_id = ${values.add(filter.organizationId)}`,
    ...createdConditions(filter, values, 'job_id'),
    ...(before === null ? [] : [`job_id < ${values.add(before)}`]),
  ];
  return `SELECT job_id, text FROM job_search WHERE ${conditions.join(' AND ')} ORDER BY job_id DESC`;
}

async function readMatches(
  tx: Sql,
  filter: JobSearch,
  grams: readonly string[],
  { limit, before }: { readonly limit: number; readonly before: string },
): Promise<string[]> {
  const values = new Values();
  const { rows } = await tx.query<{ id: string }>(
    `WITH found AS MATERIALIZED (${rareMatches(filter.search, grams, values)}), newest AS MATERIALIZED (
       SELECT job_id FROM found WHERE organization_id = ${values.add(filter.organizationId)}
         AND job_id < ${values.add(before)} ORDER BY job_id DESC)
     SELECT newest.job_id AS id FROM newest CROSS JOIN LATERAL (${jobMatches(filter, values, 'newest.job_id')}) AS matching
     LIMIT ${values.add(limit)}`,
    values.list,
  );
  return rows.map(({ id }) => id);
}

/**
 * How many jobs with each of the filter's statuses hold what is searched for, counted up to `max`.
 * @returns null for a status with more, or with too many jobs to read their texts
 */
export async function countSearched(
  db: SearchDatabase,
  filter: JobSearch,
  max: number,
): Promise<Map<JobStatus, number | null>> {
  const values = new Values();
  const isWholeWindow = (await endOfWindow(db, filter, null)) === null;
  const everything = `SELECT job_id FROM (${window(filter, values, null)} LIMIT ${WINDOW + 1}) AS recent
                      WHERE text LIKE ${values.add(patternOf(filter.search))}`;
  const counted = isWholeWindow
    ? await countGroups(db, filter, everything, values)
    : await searchIndex(db, filter.search, (tx, grams) => countMatches(tx, filter, grams));
  const wanted = JOB_STATUSES.filter((status) => filter.statuses?.includes(status) ?? true);
  if (counted) return new Map(wanted.map((status) => [status, bounded(counted.get(status) ?? 0, max)]));
  // Frequent, and too many jobs to look at all: a status that few jobs have is counted all the same.
  const few = await Promise.all(
    wanted.map((status) =>
      searchFew(db, { ...filter, statuses: [status] }, { limit: FEW + 1, before: null }),
    ),
  );
  return new Map(wanted.map((status, place) => [status, bounded(few[place]?.length ?? Infinity, max)]));
}

function countMatches(
  tx: Sql,
  filter: JobSearch,
  grams: readonly string[],
): Promise<ReadonlyMap<JobStatus, number>> {
  const values = new Values();
  const matches = `SELECT job_id FROM (${rareMatches(filter.search, grams, values)}) AS found
                   WHERE organization_id = ${values.add(filter.organizationId)}`;
  return countGroups(tx, filter, matches, values);
}

async function countGroups(
  sql: Sql,
  filter: JobSearch,
  candidates: string,
  values: Values,
): Promise<ReadonlyMap<JobStatus, number>> {
  const { rows } = await sql.query<{ status: JobStatus; count: number }>(
    `WITH candidate AS MATERIALIZED (${candidates})
     SELECT matching.status, count(*)::int AS count
     FROM candidate CROSS JOIN LATERAL (${jobMatches(filter, values, 'candidate.job_id')}) AS matching GROUP BY 1`,
    values.list,
  );
  return new Map(rows.map(({ status, count }) => [status, count]));
}

/** The job of a row, if it matches; LIMIT keeps the planner from joining whole tables. */
function jobMatches(filter: JobSearch, values: Values, id: string): string {
  return `SELECT jobs.status FROM jobs WHERE jobs.id = ${id} AND ${jobConditions(filter, values)} LIMIT 1`;
}

function textMatches(filter: JobSearch, values: Values, id: string): string {
  const { organizationId, search } = filter;
  return `SELECT 1 FROM job_search WHERE organization_id = ${values.add(organizationId)} AND job_id = ${id}
            AND text LIKE ${values.add(patternOf(search))} LIMIT 1`;
}

function bounded(count: number, max: number): number | null {
  return count > max ? null : count;
}
