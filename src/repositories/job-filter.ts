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

interface Scan {
  /** Newest first; otherwise in whatever order is found first */
  readonly isOrdered: boolean;
  readonly limit: number;
  /** Only jobs older than this one */
  readonly before?: string | null;
}

/**
 * A query that gives the ids of at most `limit` jobs which match a filter, its search apart, and that reads about as
 * many rows however many jobs there are: each combination of kind, status and queue is a short scan of its own.
 */
export function jobScan(filter: JobFilter, values: Values, scan: Scan): string {
  // A job has few children, and an index of their own: what else is asked is looked up on their rows.
  if (filter.parentId !== null)
    return rangeScan(filter, values, scan, [['parent_id', filter.parentId, 'uuid']]);
  if (!isCombined(filter)) {
    return rangeScan(filter, values, scan, [['organization_id', filter.organizationId, 'uuid']]);
  }
  const end = `LIMIT ${values.add(scan.limit)}`;
  const range = idRange(filter, scan.before);
  const columns = [
    ...(filter.triggeredBy === null ? [] : [['triggered_by', values.add(filter.triggeredBy)] as const]),
    ['kind', 'wanted_kind'],
    ['status', 'wanted_status'],
    ['queue', 'wanted_queue'],
  ] as const;
  return `
    SELECT found.id FROM unnest(${values.add(unique(filter.kinds))}::text[]) AS wanted_kind
    CROSS JOIN unnest(${values.add(unique(filter.statuses ?? JOB_STATUSES))}::job_status[]) AS wanted_status
    CROSS JOIN unnest(${values.add(unique(filter.queues ?? QUEUE_NAMES))}::text[]) AS wanted_queue
    CROSS JOIN LATERAL (
      SELECT jobs.id FROM jobs WHERE jobs.organization_id = ${values.add(filter.organizationId)} AND NOT jobs.internal
        AND ${between(columns, range, values)} ${end}) AS found
    ${scan.isOrdered ? 'ORDER BY found.id DESC' : ''} ${end}`;
}

/** One scan, along the index that begins with these columns. */
function rangeScan(
  filter: JobFilter,
  values: Values,
  { before, limit }: Scan,
  equal: readonly (readonly [column: string, value: string, type: string])[],
): string {
  const columns = equal.map(([column, value, type]) => [column, `${values.add(value)}::${type}`] as const);
  return `SELECT jobs.id FROM jobs WHERE ${jobConditions(filter, values)}
    AND ${between(columns, idRange(filter, before), values)} LIMIT ${values.add(limit)}`;
}

/**
 * Rows with these values and an id of the range, newest first. Written as a range of rows, and in their order, which only
 * the index that is meant has. As equations the planner would drop them from the order and might read the primary key
 * backwards until it has met enough rows: where few match, to its end.
 */
function between(
  equal: readonly (readonly [column: string, value: string])[],
  { from, to }: IdRange,
  values: Values,
): string {
  const columns = [...equal.map(([column]) => `jobs.${column}`), 'jobs.id'];
  const bound = (id: string): string =>
    [...equal.map(([, value]) => value), `${values.add(id)}::uuid`].join(', ');
  const row = columns.join(', ');
  return `(${row}) >= (${bound(from)}) AND (${row}) < (${bound(to)})
          ORDER BY ${columns.map((column) => `${column} DESC`).join(', ')}`;
}

interface IdRange {
  readonly from: string;
  /** The first id behind it */
  readonly to: string;
}

const FIRST_ID = '00000000-0000-0000-0000-000000000000';
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

function idRange({ createdAfter, createdBefore }: JobFilter, before: string | null = null): IdRange {
  const ends = [before, createdBefore && firstUuidAt(createdBefore)].filter((id) => id !== null);
  return {
    from: createdAfter ? firstUuidAt(new Date(createdAfter.getTime() + 1)) : FIRST_ID,
    // Ids sort as their texts do.
    to: ends.toSorted()[0] ?? LAST_ID,
  };
}

function isCombined({ isEveryKind, statuses, queues, triggeredBy }: JobFilter): boolean {
  return !isEveryKind || statuses !== null || queues !== null || triggeredBy !== null;
}

function unique<T>(list: readonly T[]): T[] {
  return [...new Set(list)];
}
