import { ALL_TOGETHER, byKeyOfSource, BY_SOURCE, groupedRows } from './panel-rows.ts';

export const REVENUE_GROUPS = ['none', 'channel', 'product', 'source'] as const;
export type RevenueGroup = (typeof REVENUE_GROUPS)[number];

/** Sales of one group; amounts are exact decimals, by currency in the order of the codes. */
export interface RevenueRowFigures {
  readonly money: readonly {
    readonly currency: string;
    readonly gross: string;
    readonly refunds: string;
    readonly net: string;
  }[];
  /** With the product among others, when grouped by product */
  readonly orders: number;
  /** Pieces sold; null: not grouped by product */
  readonly units: number | null;
}

export const revenueRows = groupedRows<RevenueGroup, RevenueRowFigures>(
  {
    name: 'revenue',
    table: (groupBy) => (groupBy === 'product' ? 'product_revenue_days' : 'revenue_days'),
    groupings: {
      none: ALL_TOGETHER,
      source: BY_SOURCE,
      channel: { key: 'channel', label: 'channel' },
      product: byKeyOfSource('product_key', 'product'),
    },
    inner: (groupBy) => `(
      SELECT bucket, ends, key, max(label) AS label, currency, sum(gross) AS gross, sum(refunds) AS refunds, sum(orders) AS orders,
             ${groupBy === 'product' ? 'sum(units)' : 'NULL::numeric'} AS units
      FROM scoped GROUP BY bucket, ends, key, currency
    )`,
    figures: () => `
      jsonb_agg(jsonb_build_object('currency', currency, 'gross', gross::text, 'refunds', refunds::text,
                                   'net', (gross - refunds)::text) ORDER BY currency) AS money,
      sum(orders)::float8 AS orders, sum(units)::float8 AS units`,
  },
  REVENUE_GROUPS,
);
