import { ALL_TOGETHER, BY_SOURCE, groupedRows } from './panel-rows.ts';

export const SUPPORT_GROUPS = ['none', 'channel', 'source'] as const;
export type SupportGroup = (typeof SUPPORT_GROUPS)[number];

export interface SupportRowFigures {
  readonly opened: number;
  readonly solved: number;
  readonly good: number;
  readonly bad: number;
  /** How many first replies fell into each bucket (src/domain/histogram.ts), day by day; null: none did */
  readonly replies: readonly Readonly<Record<string, number>>[] | null;
}

const COUNTS = ['opened', 'solved', 'good', 'bad'];

export const supportRows = groupedRows<SupportGroup, SupportRowFigures>(
  {
    name: 'support',
    table: 'support_days',
    groupings: { none: ALL_TOGETHER, source: BY_SOURCE, channel: { key: 'channel', label: 'channel' } },
    figures: () =>
      `${COUNTS.map((column) => `sum(${column})::float8 AS ${column}`).join(', ')},
       jsonb_agg(first_replies) FILTER (WHERE first_replies <> '{}') AS replies`,
  },
  SUPPORT_GROUPS,
);
