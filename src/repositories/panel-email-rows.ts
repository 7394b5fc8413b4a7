import { ALL_TOGETHER, BY_SOURCE, byKeyOfSource, groupedRows } from './panel-rows.ts';

export const EMAIL_GROUPS = ['none', 'campaign', 'source'] as const;
export type EmailGroup = (typeof EMAIL_GROUPS)[number];

export interface EmailRowFigures {
  readonly sent: number;
  readonly opens: number;
  readonly clicks: number;
  readonly unsubscribes: number;
  readonly bounces: number;
}

const COUNTS = ['sent', 'opens', 'clicks', 'unsubscribes', 'bounces'];

export const emailRows = groupedRows<EmailGroup, EmailRowFigures>(
  {
    name: 'email',
    table: 'email_days',
    groupings: {
      none: ALL_TOGETHER,
      source: BY_SOURCE,
      campaign: byKeyOfSource('campaign_key', 'campaign'),
    },
    figures: () => COUNTS.map((column) => `sum(${column})::float8 AS ${column}`).join(', '),
  },
  EMAIL_GROUPS,
);
