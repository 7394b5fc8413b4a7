import type { Granularity } from '../domain/granularity.ts';
import type { Sql } from './db.ts';
import { IN_SCOPE, scopeValues, type PanelScope } from './panel-scope.ts';
import { prepared } from './prepared.ts';

/** Where a page of rows goes on: behind this row. */
export interface RowKey {
  /** YYYY-MM-DD */
  readonly from: string;
  readonly key: string;
}

export interface RowsRequest extends PanelScope {
  readonly granularity: Granularity;
  readonly after: RowKey | null;
  readonly limit: number;
}

/** One group within one day, week or month, cut to the period. */
export interface GroupedRow extends RowKey {
  /** Last day, YYYY-MM-DD */
  readonly to: string;
  readonly label: string;
}

/** What rows are grouped by: SQL over a row of the rollup and `c`, its connection. */
interface Grouping {
  readonly key: string;
  readonly label: string;
}

export const ALL_TOGETHER: Grouping = { key: `''`, label: `''` };
export const BY_SOURCE: Grouping = { key: 'connection_id::text', label: 'c.label' };

/** Grouped by what has a key of its own within its connection. */
export function byKeyOfSource(key: string, label: string): Grouping {
  return { key: `connection_id || ' ' || ${key}`, label };
}

export interface RowsSpec<GroupBy extends string> {
  /** Names the prepared statements */
  readonly name: string;
  /** Its rollup; some groupings have one of their own */
  readonly table: string | ((groupBy: GroupBy) => string);
  readonly groupings: Readonly<Record<GroupBy, Grouping>>;
  /**
   * SQL of what is added up, with the columns `bucket`, `ends`, `key`, `label` and `item`'s others; `scoped` has the
   * rollup's rows with their bucket and key. Default: `scoped` itself
   */
  readonly inner?: (groupBy: GroupBy) => string;
  /** Aggregates over `inner`, each named */
  readonly figures: (groupBy: GroupBy) => string;
  /** More columns of a row of the page, over `page` */
  readonly more?: (groupBy: GroupBy) => string;
}

/** A rollup read in groups: pages in the order of time and key, and how many rows there are. */
export interface GroupedRows<GroupBy extends string, Figures> {
  page(sql: Sql, groupBy: GroupBy, request: RowsRequest): Promise<(GroupedRow & Figures)[]>;
  count(sql: Sql, groupBy: GroupBy, request: Omit<RowsRequest, 'after' | 'limit'>): Promise<number>;
}

const start = (day: string): string => `date_trunc($5, ${day}::timestamp)`;

/** Keys sort by their bytes, so that the order does not depend on the server's language. */
function scoped<GroupBy extends string>(
  { table, groupings }: RowsSpec<GroupBy>,
  groupBy: GroupBy,
  more = '',
): string {
  const { key, label } = groupings[groupBy];
  const rollup = typeof table === 'string' ? table : table(groupBy);
  return `
    scoped AS (
      SELECT greatest(${start('day')}::date, $3::date) AS bucket,
             least((${start('day')} + ('1 ' || $5)::interval)::date - 1, $4::date) AS ends,
             (${key}) COLLATE "C" AS key, ${label} AS label, d.*
      FROM (SELECT * FROM ${rollup} WHERE ${IN_SCOPE}${more}) AS d
      JOIN (SELECT id, label FROM connections WHERE organization_id = $1 AND id = ANY($2::uuid[])) AS c ON c.id = d.connection_id
    )`;
}

/** A page begins in the bucket of the row that it goes on behind: older days are not read. */
function pageStatement<GroupBy extends string>(spec: RowsSpec<GroupBy>, groupBy: GroupBy): string {
  const more = spec.more ? `, ${spec.more(groupBy)}` : '';
  return `
    WITH ${scoped(spec, groupBy, ' AND day >= coalesce($6::date, $3::date)')},
    page AS (
      SELECT bucket, ends, key, max(label) AS label, ${spec.figures(groupBy)}
      FROM ${spec.inner?.(groupBy) ?? 'scoped'} AS item
      WHERE $6::date IS NULL OR (bucket, key) > ($6::date, $7::text)
      GROUP BY bucket, ends, key
      ORDER BY bucket, key LIMIT $8
    )
    SELECT to_char(bucket, 'YYYY-MM-DD') AS "from", to_char(ends, 'YYYY-MM-DD') AS "to", page.*${more}
    FROM page ORDER BY bucket, key`;
}

function countStatement<GroupBy extends string>(spec: RowsSpec<GroupBy>, groupBy: GroupBy): string {
  return `
    WITH ${scoped(spec, groupBy)}
    SELECT count(*)::int AS count
    FROM (SELECT DISTINCT bucket, key FROM ${spec.inner?.(groupBy) ?? 'scoped'} AS item) AS rows`;
}

export function groupedRows<GroupBy extends string, Figures extends object>(
  spec: RowsSpec<GroupBy>,
  groupBys: readonly GroupBy[],
): GroupedRows<GroupBy, Figures> {
  const statements = new Map(
    groupBys.map((groupBy) => [
      groupBy,
      {
        page: prepared(`${spec.name} rows by ${groupBy}`, pageStatement(spec, groupBy)),
        count: prepared(`${spec.name} row count by ${groupBy}`, countStatement(spec, groupBy)),
      },
    ]),
  );
  const statementOf = (groupBy: GroupBy, which: 'page' | 'count'): string =>
    statements.get(groupBy)?.[which] ?? '';
  return {
    async page(sql, groupBy, { after, limit, granularity, ...scope }) {
      const { rows } = await sql.query<GroupedRow & Figures>(statementOf(groupBy, 'page'), [
        ...scopeValues(scope),
        granularity,
        after?.from ?? null,
        after?.key ?? null,
        limit,
      ]);
      return rows;
    },
    async count(sql, groupBy, { granularity, ...scope }) {
      const { rows } = await sql.query<{ count: number }>(statementOf(groupBy, 'count'), [
        ...scopeValues(scope),
        granularity,
      ]);
      return rows[0]?.count ?? 0;
    },
  };
}
