import type { PanelReading } from '../../../panels/reading.ts';
import type { TrafficValues } from '../../../panels/traffic.ts';
import { builder } from '../../builder.ts';
import { BEFORE, comparisonOf } from './comparison.ts';
import { Panel } from './panel.ts';
import { TrafficComparison } from './traffic-figures.ts';

const TrafficPoint = builder.objectRef<TrafficValues['series'][number]>('TrafficPoint').implement({
  description: 'Visits of one day.',
  fields: (t) => ({
    date: t.expose('date', { type: 'Date', description: "Day in the organization's time zone" }),
    sessions: t.expose('sessions', { type: 'SafeInt', description: 'Visits' }),
    users: t.expose('users', {
      type: 'SafeInt',
      nullable: true,
      description: 'Distinct visitors of that day',
    }),
    pageviews: t.expose('pageviews', { type: 'SafeInt', description: 'Pages seen' }),
  }),
});

export const TrafficPanel = builder.objectRef<PanelReading<TrafficValues>>('TrafficPanel').implement({
  description: 'Visits to the web sites.',
  interfaces: [Panel],
  fields: (t) => ({
    sessions: t.field({
      type: 'SafeInt',
      nullable: true,
      description: 'Visits',
      resolve: ({ values }) => values?.sessions,
    }),
    pageviews: t.field({
      type: 'SafeInt',
      nullable: true,
      description: 'Pages seen',
      resolve: ({ values }) => values?.pageviews,
    }),
    users: t.field({
      type: 'SafeInt',
      nullable: true,
      description:
        'Distinct users cannot be added up over days: null for a window the provider gave no total for',
      resolve: ({ values }) => values?.users,
    }),
    before: t.field({
      type: TrafficComparison,
      nullable: true,
      description: BEFORE,
      resolve: (reading, _args, ctx) => comparisonOf('traffic', reading, ctx),
    }),
    series: t.field({
      type: [TrafficPoint],
      description: 'One point per day of the period, oldest first',
      resolve: ({ values }) => values?.series ?? [],
    }),
  }),
});
