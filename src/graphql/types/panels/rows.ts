import { z } from 'zod';
import { GRANULARITIES, type Granularity as GranularityValue } from '../../../domain/granularity.ts';
import { toPublicId } from '../../../domain/ids.ts';
import type { PanelKey } from '../../../domain/panel.ts';
import { isDate, type PeriodInput as PeriodInputValue } from '../../../domain/period.ts';
import type { PanelSource as PanelSourceShape } from '../../../panels/reading.ts';
import { sourcesOf } from '../../../panels/sources.ts';
import { toSource } from '../../../panels/state.ts';
import type { GroupedRow, GroupedRows, RowsRequest } from '../../../repositories/panel-rows.ts';
import type { PanelScope } from '../../../repositories/panel-scope.ts';
import { builder } from '../../builder.ts';
import type { GraphQLContext } from '../../context.ts';
import { readPage, toPage, type Page } from '../connection.ts';
import { PeriodInput, readPeriod } from '../period-input.ts';

const GRANULARITY_DESCRIPTIONS: { readonly [G in GranularityValue]: string } = {
  day: 'Day by day',
  week: 'Weeks, which begin on Monday; the first and last are cut to the period',
  month: 'Months of the calendar; the first and last are cut to the period',
};

export const Granularity = enumOf(
  'Granularity',
  'How the days of a period are put together.',
  GRANULARITIES,
  GRANULARITY_DESCRIPTIONS,
);

/** What a panel's rows can be grouped by, in its own words. */
export function groupByEnum<G extends string>(
  name: string,
  groups: readonly G[],
  descriptions: { readonly [K in G]: string },
) {
  return enumOf(name, 'What rows are grouped by.', groups, descriptions);
}

/** Values in capital letters */
function enumOf<V extends string>(
  name: string,
  description: string,
  values: readonly V[],
  descriptions: { readonly [K in V]: string },
) {
  return builder.enumType(name, {
    description,
    values: Object.fromEntries(
      values.map((value) => [value.toUpperCase(), { value, description: descriptions[value] }]),
    ),
  });
}

/** Arguments of every panel's rows, besides how they are grouped. */
export const rowsArgs = builder.args((t) => ({
  period: t.field({ type: PeriodInput, description: 'Days that the rows are of' }),
  granularity: t.field({
    type: Granularity,
    required: true,
    defaultValue: 'day',
    description: 'How these days are put together',
  }),
}));

/** A row with the name of its group that clients see. */
export type PanelRowShape<Figures = object> = GroupedRow & Figures & { readonly groupKey: string };

/** What the totals of a page need. */
export interface RowsScope {
  readonly scope: PanelScope;
  readonly sources: readonly PanelSourceShape[];
}

export const PanelRow = builder.interfaceRef<PanelRowShape>('PanelRow').implement({
  description: 'Figures of one group within one day, week or month. There is none where nothing happened.',
  fields: (t) => ({
    from: t.expose('from', { type: 'Date', description: 'First day' }),
    to: t.expose('to', { type: 'Date', description: 'Last day' }),
    key: t.exposeString('groupKey', {
      description:
        'Identifies the group among the others; empty for what has no name, and when nothing is grouped',
    }),
    label: t.exposeString('label', { description: 'Name of the group, for people' }),
  }),
});

export const TOTAL_COUNT = { nullable: false, description: 'Rows of all pages' } as const;
export const TOTALS = 'Of the whole period, whatever the page';
export const SOURCES = 'The accounts behind it';

interface RowsArgs<GroupBy> {
  readonly period?: PeriodInputValue | null | undefined;
  readonly granularity: GranularityValue;
  readonly groupBy: GroupBy;
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
}

const rowKey = z.object({ from: z.string().refine(isDate), key: z.string().max(2_000) });

/** One page of a panel's rows, of the accounts that count. */
export async function rowsPage<GroupBy extends string, Figures extends object>(
  { db, clock, limits, principal: { organization } }: GraphQLContext,
  panel: PanelKey,
  rows: GroupedRows<GroupBy, Figures>,
  { period, granularity, groupBy, ...args }: RowsArgs<GroupBy>,
): Promise<Page<PanelRowShape<Figures>> & RowsScope> {
  const list = `${panel}-${granularity}-${groupBy}`;
  const request = readPage({ limits }, args, list, rowKey);
  const now = clock.now();
  const days = readPeriod(period, { timeZone: organization.timeZone, now });
  const { reports, counted } = await sourcesOf(db, organization.id, panel, now);
  const scope = { organizationId: organization.id, connectionIds: counted, ...days };
  const asked: RowsRequest = { ...scope, granularity, after: request.after, limit: request.first + 1 };
  const found = await rows.page(db, groupBy, asked);
  return {
    ...toPage({
      list,
      request,
      rows: found.map((row) => ({ ...row, ...namesOf(groupBy, row) })),
      keyOf: ({ from, key }) => ({ from, key }),
      totalCount: () => rows.count(db, groupBy, { ...scope, granularity }),
    }),
    scope,
    sources: reports.map(toSource),
  };
}

/** Whose keys begin with the uuid of a connection */
const OF_SOURCES: readonly string[] = ['source', 'campaign', 'account', 'product'];
const UUID_LENGTH = 36;
const NO_PRODUCT = 'Shipping, taxes and others';

function namesOf(groupBy: string, { key, label }: GroupedRow): { groupKey: string; label: string } {
  if (groupBy === 'none') return { groupKey: '', label: 'All' };
  const groupKey = OF_SOURCES.includes(groupBy)
    ? `${toPublicId('connection', key.slice(0, UUID_LENGTH))}${key.slice(UUID_LENGTH).replace(' ', '/')}`
    : key;
  return { groupKey, label: label === '' ? (groupBy === 'product' ? NO_PRODUCT : 'Unknown') : label };
}
