import type { PanelReading } from '../../../panels/reading.ts';
import type { SupportValues } from '../../../panels/support.ts';
import { builder } from '../../builder.ts';
import { BEFORE, comparisonOf } from './comparison.ts';
import { Panel } from './panel.ts';
import { SupportComparison } from './support-figures.ts';

const SupportPoint = builder.objectRef<SupportValues['series'][number]>('SupportPoint').implement({
  description: 'Requests of one day.',
  fields: (t) => ({
    date: t.expose('date', { type: 'Date', description: "Day in the organization's time zone" }),
    opened: t.expose('opened', { type: 'SafeInt', description: 'Tickets opened on that day' }),
    solved: t.expose('solved', { type: 'SafeInt', description: 'Tickets solved on that day' }),
  }),
});

export const SupportPanel = builder.objectRef<PanelReading<SupportValues>>('SupportPanel').implement({
  description: 'Requests for help.',
  interfaces: [Panel],
  fields: (t) => ({
    opened: t.field({
      type: 'SafeInt',
      nullable: true,
      description: 'Tickets opened in the period',
      resolve: ({ values }) => values?.opened,
    }),
    solved: t.field({
      type: 'SafeInt',
      nullable: true,
      description: 'Tickets solved in the period',
      resolve: ({ values }) => values?.solved,
    }),
    open: t.field({
      type: 'SafeInt',
      nullable: true,
      description: 'At the end of the period',
      resolve: ({ values }) => values?.open,
    }),
    firstResponseMinutesMedian: t.field({
      type: 'Float',
      nullable: true,
      description: 'Half of the tickets were answered sooner',
      resolve: ({ values }) => values?.firstResponseMinutesMedian,
    }),
    satisfactionPercent: t.field({
      type: 'Float',
      nullable: true,
      description: 'Share of good ratings among the rated tickets',
      resolve: ({ values }) => values?.satisfactionPercent,
    }),
    before: t.field({
      type: SupportComparison,
      nullable: true,
      description: BEFORE,
      resolve: (reading, _args, ctx) => comparisonOf('support', reading, ctx),
    }),
    series: t.field({
      type: [SupportPoint],
      description: 'One point per day of the period, oldest first',
      resolve: ({ values }) => values?.series ?? [],
    }),
  }),
});
