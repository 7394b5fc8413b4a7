import { changePercent } from '../../../panels/comparison.ts';
import type { TrafficValues } from '../../../panels/traffic.ts';
import { builder } from '../../builder.ts';
import { CHANGE, COMPARISON, PanelComparison, type Comparison } from './comparison.ts';

export const TrafficFigures = builder.objectRef<Omit<TrafficValues, 'series'>>('TrafficFigures').implement({
  description: 'Visits of some days.',
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

export const TrafficComparison = builder.objectRef<Comparison<TrafficValues>>('TrafficComparison').implement({
  description: COMPARISON,
  interfaces: [PanelComparison],
  fields: (t) => ({
    figures: t.field({
      type: TrafficFigures,
      description: 'Of that period',
      resolve: ({ before }) => before,
    }),
    sessionsChangePercent: t.field({
      type: 'Float',
      nullable: true,
      description: CHANGE,
      resolve: ({ now, before }) => changePercent(now.sessions, before.sessions),
    }),
    pageviewsChangePercent: t.field({
      type: 'Float',
      nullable: true,
      description: CHANGE,
      resolve: ({ now, before }) => changePercent(now.pageviews, before.pageviews),
    }),
    usersChangePercent: t.field({
      type: 'Float',
      nullable: true,
      description: CHANGE,
      resolve: ({ now, before }) => changePercent(now.users, before.users),
    }),
  }),
});
