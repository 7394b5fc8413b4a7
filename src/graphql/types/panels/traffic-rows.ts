import { readTraffic } from '../../../panels/traffic.ts';
import {
  TRAFFIC_GROUPS,
  trafficRows,
  type TrafficGroup,
  type TrafficRowFigures,
} from '../../../repositories/panel-traffic-rows.ts';
import { needs } from '../../authorization/rules.ts';
import { builder } from '../../builder.ts';
import { connectionType, pageArgs } from '../connection.ts';
import { PanelSource } from './panel.ts';
import { TrafficFigures } from './traffic-figures.ts';
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

const GROUP_DESCRIPTIONS: { readonly [G in TrafficGroup]: string } = {
  none: 'Everything together',
  channel: 'Where visitors came from, in the words of the provider',
  source: 'The connected account',
};

const TrafficGroupBy = groupByEnum('TrafficGroupBy', TRAFFIC_GROUPS, GROUP_DESCRIPTIONS);

const TrafficRow = builder.objectRef<PanelRowShape<TrafficRowFigures>>('TrafficRow').implement({
  description: 'Visits of one group within one day, week or month.',
  interfaces: [PanelRow],
  fields: (t) => ({
    sessions: t.expose('sessions', { type: 'SafeInt', description: 'Visits' }),
    pageviews: t.expose('pageviews', { type: 'SafeInt', description: 'Pages seen' }),
    users: t.expose('users', {
      type: 'SafeInt',
      nullable: true,
      description:
        'Distinct visitors of exactly these days, as one provider counts them; null where none does',
    }),
  }),
});

const TrafficRows = connectionType<PanelRowShape<TrafficRowFigures>, RowsScope>(
  'TrafficRow',
  (t) => t.field({ type: TrafficRow, description: 'One row', resolve: ({ node }) => node }),
  { description: 'Visits in rows, the earliest first, then by key.', totalCount: TOTAL_COUNT },
);
builder.objectFields(TrafficRows, (t) => ({
  totals: t.field({
    type: TrafficFigures,
    description: TOTALS,
    resolve: ({ scope }, _args, { db }) => readTraffic(db, scope),
  }),
  sources: t.field({ type: [PanelSource], description: SOURCES, resolve: ({ sources }) => [...sources] }),
}));

builder.queryField('traffic', (t) =>
  t.field({
    extensions: needs('read'),
    type: TrafficRows,
    description: 'Visits in detail: figures by day, week or month, and by group',
    args: {
      ...rowsArgs,
      groupBy: t.arg({
        type: TrafficGroupBy,
        required: true,
        defaultValue: 'none',
        description: 'What rows are grouped by',
      }),
      ...pageArgs,
    },
    resolve: (_root, args, ctx) => rowsPage(ctx, 'traffic', trafficRows, args),
  }),
);
