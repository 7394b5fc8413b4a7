import type { Activity, ActivityFilter } from '../domain/activity.ts';
import { firstUuidAt } from '../domain/ids.ts';
import type { Sql } from './db.ts';
import { Values } from './job-filter.ts';
import { prepared } from './prepared.ts';

export interface NewActivity extends Activity {
  readonly organizationId: string;
}

const INSERT = prepared(
  'insert_activities',
  `INSERT INTO activities (id, organization_id, at, actor, action, is_audit, object_type, object_id, succeeded, summary, address,
                           user_agent, request_id, details)
   SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[], $5::text[], $6::boolean[], $7::text[], $8::text[],
                        $9::boolean[], $10::text[], $11::text[], $12::text[], $13::text[], $14::jsonb[])`,
);

/** Adds activities, of any organizations, by one statement. */
export async function insertActivities(sql: Sql, activities: readonly NewActivity[]): Promise<void> {
  const column = <T>(of: (activity: NewActivity) => T): T[] => activities.map(of);
  await sql.query(INSERT, [
    column(({ id }) => id),
    column(({ organizationId }) => organizationId),
    column(({ at }) => at.toISOString()),
    column(({ actor }) => actor),
    column(({ action }) => action),
    column(({ isAudit }) => isAudit),
    column(({ objectType }) => objectType),
    column(({ objectId }) => objectId),
    column(({ succeeded }) => succeeded),
    column(({ summary }) => summary),
    column(({ address }) => address),
    column(({ userAgent }) => userAgent),
    column(({ requestId }) => requestId),
    column(({ details }) => (details === null || details === undefined ? null : JSON.stringify(details))),
  ]);
}

const COLUMNS = `activities.id, activities.at, activities.actor, activities.action, activities.is_audit AS "isAudit",
  activities.object_type AS "objectType", activities.object_id AS "objectId", activities.succeeded, activities.summary,
  activities.address, activities.user_agent AS "userAgent", activities.request_id AS "requestId", activities.details`;

type ActivityRow = Activity & Record<string, unknown>;

/** Activities by id; those of other organizations are not among them. */
export async function readActivities(
  sql: Sql,
  organizationId: string,
  ids: readonly string[],
): Promise<Activity[]> {
  const { rows } = await sql.query<ActivityRow>(
    `SELECT ${COLUMNS} FROM activities WHERE organization_id = $1 AND id = ANY($2::uuid[])`,
    [organizationId, ids],
  );
  return rows;
}

interface PageRequest {
  readonly limit: number;
  /** Only older ones; null: from the newest */
  readonly before: string | null;
}

/** The newest activities that match. */
export async function readActivityPage(
  sql: Sql,
  organizationId: string,
  filter: ActivityFilter,
  { limit, before }: PageRequest,
): Promise<Activity[]> {
  const values = new Values();
  const page = scan(organizationId, filter, values, { limit, before });
  const { rows } = await sql.query<ActivityRow>(
    `SELECT ${COLUMNS} FROM (${page}) AS activities ORDER BY activities.id DESC`,
    values.list,
  );
  return rows;
}

/** How many match; counted up to `max`. */
export async function countActivities(
  sql: Sql,
  organizationId: string,
  filter: ActivityFilter,
  max: number,
): Promise<number> {
  const values = new Values();
  const bounded = scan(organizationId, filter, values, { limit: max, before: null });
  const { rows } = await sql.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM (${bounded}) AS bounded`,
    values.list,
  );
  return rows[0]?.count ?? 0;
}

/** Several actions are a short scan each, put together by id: one index has an action in front of the id. */
function scan(
  organizationId: string,
  filter: ActivityFilter,
  values: Values,
  { limit, before }: PageRequest,
): string {
  const conditions = conditionsOf(organizationId, filter, values);
  if (before !== null) conditions.push(`activities.id < ${values.add(before)}`);
  const newest = `ORDER BY activities.id DESC LIMIT ${values.add(limit)}`;
  if (filter.actions === null)
    return `SELECT activities.* FROM activities WHERE ${conditions.join(' AND ')} ${newest}`;
  const actions = values.add([...new Set(filter.actions)]);
  return `
    SELECT activities.* FROM unnest(${actions}::text[]) AS wanted (name)
    CROSS JOIN LATERAL (
      SELECT activities.* FROM activities WHERE ${conditions.join(' AND ')} AND activities.action = wanted.name ${newest}
    ) AS activities
    ${newest}`;
}

/** When it was is in its id: a range of times is a range of ids. */
function conditionsOf(organizationId: string, filter: ActivityFilter, values: Values): string[] {
  const { actor, objectType, objectId, after, before, isAudit, succeeded } = filter;
  const is = (column: string, value: unknown): string[] =>
    value === null ? [] : [`activities.${column} = ${values.add(value)}`];
  return [
    ...is('organization_id', organizationId),
    ...is('actor', actor),
    ...is('object_id', objectId),
    ...is('object_type', objectType),
    ...is('is_audit', isAudit),
    ...is('succeeded', succeeded),
    ...(after ? [`activities.id >= ${values.add(firstUuidAt(new Date(after.getTime() + 1)))}`] : []),
    ...(before ? [`activities.id < ${values.add(firstUuidAt(before))}`] : []),
  ];
}
