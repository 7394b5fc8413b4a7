import type { JobStatus } from '../domain/job-status.ts';
import { JOB_STATUSES } from '../domain/job-status.ts';
import { firstUuidAt } from '../domain/ids.ts';
import { QUEUE_NAMES } from '../domain/job.ts';

/** Which jobs of one organization are meant; all that are given must hold. Null: whatever it is. */
export interface JobFilter {
  readonly organizationId: string;
  /** Names under which rows of the wanted kinds are stored */
  readonly kinds: readonly string[];
  /** Whether `kinds` are all that there are: then they narrow nothing down */
  readonly isEveryKind: boolean;
  readonly statuses: readonly JobStatus[] | null;
  readonly queues: readonly string[] | null;
  readonly triggeredBy: string | null;
  readonly createdAfter: Date | null;
  readonly createdBefore: Date | null;
  readonly parentId: string | null;
  /** Part of the search text, in lower case */
  readonly search: string | null;
}

/** The values of one statement: each gets its number when it is added. */
export class Values {
  readonly list: unknown[] = [];
  add(value: unknown): string {
    this.list.push(value);
    return `$${this.list.length}`;
  }
}

/** A search as a pattern of LIKE, each character as itself. */
export function patternOf(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
}

/** Whether a filter says more than whose jobs and from when: something that an index of `jobs` narrows down. */
export function isNarrow(filter: JobFilter): boolean {
  return isCombined(filter) || filter.parentId !== null;
}

/** All of a filter but its search, as conditions on a row of `jobs`. */
export function jobConditions(filter: JobFilter, values: Values): string {
  const { organizationId, kinds, statuses, queues, triggeredBy, parentId } = filter;
  return [
    `jobs.organization_id = ${values.add(organizationId)}`,
    'NOT jobs.internal',
    `jobs.kind = ANY(${values.add(kinds)}::text[])`,
    ...(statuses ? [`jobs.status = ANY(${values.add(statuses)}::job_status[])`] : []),
    ...(queues ? [`jobs.queue = ANY(${values.add(queues)}::text[])`] : []),
    ...(triggeredBy === null ? [] : [`jobs.triggered_by = ${values.add(triggeredBy)}`]),
    ...(parentId === null ? [] : [`jobs.parent_id = ${values.add(parentId)}`]),
    ...createdConditions(filter, values, 'jobs.id'),
  ].join(' AND ');
}

/** The same with the search: for rows that are few already. */
export function allConditions(filter: JobFilter, values: Values): string {
  const conditions = jobConditions(filter, values);
  if (filter.search === null) return conditions;
  return `${conditions} AND jobs.search_text LIKE ${values.add(patternOf(filter.search))}`;
}

/** When a job was created is in its id: a range of times is a range of ids. */
export function createdConditions(
  { createdAfter, createdBefore }: JobFilter,
  values: Values,
  column: string,
): string[] {
  return [
    ...(createdAfter
      ? [`${column} >= ${values.add(firstUuidAt(new Date(createdAfter.getTime() + 1)))}`]
      : []),
    ...(createdBefore ? [`${column} < ${values.add(firstUuidAt(createdBefore))}`] : []),
  ];
}

/** True for every row; a query that says it, and no other, may read `jobs_newest`. */
const BY_AGE_ALONE = `jobs.queue <> ''`;

interface Scan {
  /** Newest first; otherwise in whatever order is found first */
  readonly isOrdered: boolean;
  readonly limit: number;
  /** Only jobs older than this one */
  readonly before?: string | null;
}

/**
 * The order that the indexes of the lists have and no other index has. Ids are never null; but where the primary key would
 * do, the planner may read it backwards until it has met enough rows, and where few match, to its end.
 */
const NEWEST_FIRST = 'ORDER BY jobs.id DESC NULLS LAST';

/**
 * A query that gives the ids of at most `limit` jobs which match a filter, its search apart, and that reads about as
 * many rows however many jobs there are: each combination of kind, status and queue is a short scan of its own.
 */
export function jobScan(filter: JobFilter, values: Values, scan: Scan): string {
  return isSingle(filter) ? singleScan(filter, values, scan, 'jobs.id') : combinedScan(filter, values, scan);
}

/** The same, newest first, with columns of their rows. @param columns as SELECT takes them */
export function jobRowScan(
  filter: JobFilter,
  values: Values,
  scan: Omit<Scan, 'isOrdered'>,
  columns: string,
): string {
  if (isSingle(filter)) return singleScan(filter, values, scan, columns);
  // The rows of the page alone are read, not those of each combination.
  return `
    WITH page AS MATERIALIZED (${combinedScan(filter, values, { ...scan, isOrdered: true })})
    SELECT ${columns} FROM page JOIN jobs ON jobs.id = page.id ORDER BY page.id DESC`;
}

/** One index has what is asked, or, of the few children that a parent has, their rows have. */
function isSingle(filter: JobFilter): boolean {
  return !isCombined(filter) || filter.parentId !== null;
}

function singleScan(
  filter: JobFilter,
  values: Values,
  { limit, before }: Omit<Scan, 'isOrdered'>,
  columns: string,
): string {
  const conditions = [
    jobConditions(filter, values),
    ...(filter.parentId === null ? [BY_AGE_ALONE] : []),
    ...(before ? [`jobs.id < ${values.add(before)}`] : []),
  ].join(' AND ');
  return `SELECT ${columns} FROM jobs WHERE ${conditions} ${NEWEST_FIRST} LIMIT ${values.add(limit)}`;
}

function combinedScan(filter: JobFilter, values: Values, { isOrdered, limit, before }: Scan): string {
  const older = before ? [`jobs.id < ${values.add(before)}`] : [];
  const end = `LIMIT ${values.add(limit)}`;
  const { organizationId, kinds, statuses, queues, triggeredBy } = filter;
  const conditions = [
    `jobs.organization_id = ${values.add(organizationId)}`,
    'NOT jobs.internal AND jobs.kind = wanted_kind AND jobs.status = wanted_status AND jobs.queue = wanted_queue',
    ...(triggeredBy === null ? [] : [`jobs.triggered_by = ${values.add(triggeredBy)}`]),
    ...createdConditions(filter, values, 'jobs.id'),
    ...older,
  ];
  return `
    SELECT found.id FROM unnest(${values.add(unique(kinds))}::text[]) AS wanted_kind
    CROSS JOIN unnest(${values.add(unique(statuses ?? JOB_STATUSES))}::job_status[]) AS wanted_status
    CROSS JOIN unnest(${values.add(unique(queues ?? QUEUE_NAMES))}::text[]) AS wanted_queue
    CROSS JOIN LATERAL (
      SELECT jobs.id FROM jobs WHERE ${conditions.join(' AND ')} ${NEWEST_FIRST} ${end}) AS found
    ${isOrdered ? 'ORDER BY found.id DESC' : ''} ${end}`;
}

function isCombined({ isEveryKind, statuses, queues, triggeredBy }: JobFilter): boolean {
  return !isEveryKind || statuses !== null || queues !== null || triggeredBy !== null;
}

function unique<T>(list: readonly T[]): T[] {
  return [...new Set(list)];
}
