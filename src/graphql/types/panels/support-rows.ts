import { medianMinutes, readSupport, satisfactionPercent } from '../../../panels/support.ts';
import {
  SUPPORT_GROUPS,
  supportRows,
  type SupportGroup,
  type SupportRowFigures,
} from '../../../repositories/panel-support-rows.ts';
import { needs } from '../../authorization/rules.ts';
import { builder } from '../../builder.ts';
import { connectionType, pageArgs } from '../connection.ts';
import { PanelSource } from './panel.ts';
import { SupportFigures } from './support-figures.ts';
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

const GROUP_DESCRIPTIONS: { readonly [G in SupportGroup]: string } = {
  none: 'Everything together',
  channel: 'How the ticket came in',
  source: 'The connected account',
};

const SupportGroupBy = groupByEnum('SupportGroupBy', SUPPORT_GROUPS, GROUP_DESCRIPTIONS);

const SupportRow = builder.objectRef<PanelRowShape<SupportRowFigures>>('SupportRow').implement({
  description: 'Requests for help of one group within one day, week or month.',
  interfaces: [PanelRow],
  fields: (t) => ({
    opened: t.expose('opened', { type: 'SafeInt', description: 'Tickets opened' }),
    solved: t.expose('solved', { type: 'SafeInt', description: 'Tickets solved' }),
    firstResponseMinutesMedian: t.field({
      type: 'Float',
      nullable: true,
      description: 'Half of the tickets were answered sooner; null where none was',
      resolve: ({ replies }) => medianMinutes(replies ?? []),
    }),
    satisfactionPercent: t.field({
      type: 'Float',
      nullable: true,
      description: 'Share of good ratings among the rated tickets; null where none was rated',
      resolve: (row) => satisfactionPercent(row),
    }),
  }),
});

const SupportRows = connectionType<PanelRowShape<SupportRowFigures>, RowsScope>(
  'SupportRow',
  (t) => t.field({ type: SupportRow, description: 'One row', resolve: ({ node }) => node }),
  { description: 'Requests for help in rows, the earliest first, then by key.', totalCount: TOTAL_COUNT },
);
builder.objectFields(SupportRows, (t) => ({
  totals: t.field({
    type: SupportFigures,
    description: TOTALS,
    resolve: ({ scope }, _args, { db }) => readSupport(db, scope),
  }),
  sources: t.field({ type: [PanelSource], description: SOURCES, resolve: ({ sources }) => [...sources] }),
}));

builder.queryField('support', (t) =>
  t.field({
    extensions: needs('read'),
    type: SupportRows,
    description: 'Requests for help in detail: figures by day, week or month, and by group',
    args: {
      ...rowsArgs,
      groupBy: t.arg({
        type: SupportGroupBy,
        required: true,
        defaultValue: 'none',
        description: 'What rows are grouped by',
      }),
      ...pageArgs,
    },
    resolve: (_root, args, ctx) => rowsPage(ctx, 'support', supportRows, args),
  }),
);
