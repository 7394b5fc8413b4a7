import { readEmail } from '../../../panels/email.ts';
import {
  EMAIL_GROUPS,
  emailRows,
  type EmailGroup,
  type EmailRowFigures,
} from '../../../repositories/panel-email-rows.ts';
import { needs } from '../../authorization/rules.ts';
import { builder } from '../../builder.ts';
import { connectionType, pageArgs } from '../connection.ts';
import { PanelSource } from './panel.ts';
import { EmailFigures } from './email-figures.ts';
import {
  groupByEnum,
  PanelRow,
  rowsArgs,
  rowsPage,
  SOURCES,
  TOTAL_COUNT,
  TOTALS,
  type PanelRowShape,
  type RowsScope,
} from './rows.ts';

const GROUP_DESCRIPTIONS: { readonly [G in EmailGroup]: string } = {
  none: 'Everything together',
  campaign: 'The campaign',
  source: 'The connected account',
};

const EmailGroupBy = groupByEnum('EmailGroupBy', EMAIL_GROUPS, GROUP_DESCRIPTIONS);

const EmailRow = builder.objectRef<PanelRowShape<EmailRowFigures>>('EmailRow').implement({
  description: 'Mailings and what came of them of one group within one day, week or month.',
  interfaces: [PanelRow],
  fields: (t) => ({
    sent: t.expose('sent', { type: 'SafeInt', description: 'Messages sent' }),
    opens: t.expose('opens', { type: 'SafeInt', description: 'Messages opened' }),
    clicks: t.expose('clicks', { type: 'SafeInt', description: 'Links followed' }),
    unsubscribes: t.expose('unsubscribes', { type: 'SafeInt', description: 'Recipients who left' }),
    bounces: t.expose('bounces', { type: 'SafeInt', description: 'Messages that came back' }),
  }),
});

const EmailRows = connectionType<PanelRowShape<EmailRowFigures>, RowsScope>(
  'EmailRow',
  (t) => t.field({ type: EmailRow, description: 'One row', resolve: ({ node }) => node }),
  {
    description: 'Mailings and what came of them in rows, the earliest first, then by key.',
    totalCount: TOTAL_COUNT,
  },
);
builder.objectFields(EmailRows, (t) => ({
  totals: t.field({
    type: EmailFigures,
    description: TOTALS,
    resolve: ({ scope }, _args, { db }) => readEmail(db, scope),
  }),
  sources: t.field({ type: [PanelSource], description: SOURCES, resolve: ({ sources }) => [...sources] }),
}));

builder.queryField('email', (t) =>
  t.field({
    extensions: needs('read'),
    type: EmailRows,
    description: 'Mailings and what came of them in detail: figures by day, week or month, and by group',
    args: {
      ...rowsArgs,
      groupBy: t.arg({
        type: EmailGroupBy,
        required: true,
        defaultValue: 'none',
        description: 'What rows are grouped by',
      }),
      ...pageArgs,
    },
    resolve: (_root, args, ctx) => rowsPage(ctx, 'email', emailRows, args),
  }),
);
