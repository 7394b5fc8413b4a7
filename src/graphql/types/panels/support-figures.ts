import { changePercent } from '../../../panels/comparison.ts';
import type { SupportValues } from '../../../panels/support.ts';
import { builder } from '../../builder.ts';
import { CHANGE, COMPARISON, PanelComparison, type Comparison } from './comparison.ts';

export const SupportFigures = builder.objectRef<Omit<SupportValues, 'series'>>('SupportFigures').implement({
  description: 'Requests for help of some days.',
  fields: (t) => ({
    opened: t.expose('opened', { type: 'SafeInt', description: 'Tickets opened' }),
    solved: t.expose('solved', { type: 'SafeInt', description: 'Tickets solved' }),
    firstResponseMinutesMedian: t.expose('firstResponseMinutesMedian', {
      type: 'Float',
      nullable: true,
      description: 'Half of the tickets were answered sooner; null where none was',
    }),
    satisfactionPercent: t.expose('satisfactionPercent', {
      type: 'Float',
      nullable: true,
      description: 'Share of good ratings among the rated tickets; null where none was rated',
    }),
    open: t.expose('open', { type: 'SafeInt', description: 'Tickets open at the end' }),
  }),
});

export const SupportComparison = builder.objectRef<Comparison<SupportValues>>('SupportComparison').implement({
  description: COMPARISON,
  interfaces: [PanelComparison],
  fields: (t) => ({
    figures: t.field({
      type: SupportFigures,
      description: 'Of that period',
      resolve: ({ before }) => before,
    }),
    openedChangePercent: t.field({
      type: 'Float',
      nullable: true,
      description: CHANGE,
      resolve: ({ now, before }) => changePercent(now.opened, before.opened),
    }),
    solvedChangePercent: t.field({
      type: 'Float',
      nullable: true,
      description: CHANGE,
      resolve: ({ now, before }) => changePercent(now.solved, before.solved),
    }),
    firstResponseMinutesMedianChangePercent: t.field({
      type: 'Float',
      nullable: true,
      description: CHANGE,
      resolve: ({ now, before }) =>
        changePercent(now.firstResponseMinutesMedian, before.firstResponseMinutesMedian),
    }),
    satisfactionPercentChangePercent: t.field({
      type: 'Float',
      nullable: true,
      description: CHANGE,
      resolve: ({ now, before }) => changePercent(now.satisfactionPercent, before.satisfactionPercent),
    }),
    openChangePercent: t.field({
      type: 'Float',
      nullable: true,
      description: CHANGE,
      resolve: ({ now, before }) => changePercent(now.open, before.open),
    }),
  }),
});
