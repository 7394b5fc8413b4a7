import { changePercent } from '../../../panels/comparison.ts';
import type { EmailValues } from '../../../panels/email.ts';
import { builder } from '../../builder.ts';
import { CHANGE, COMPARISON, PanelComparison, type Comparison } from './comparison.ts';

export const EmailFigures = builder.objectRef<Omit<EmailValues, 'series'>>('EmailFigures').implement({
  description: 'Mailings and what came of them of some days.',
  fields: (t) => ({
    sent: t.expose('sent', { type: 'SafeInt', description: 'Messages sent' }),
    opens: t.expose('opens', { type: 'SafeInt', description: 'Messages opened' }),
    clicks: t.expose('clicks', { type: 'SafeInt', description: 'Links followed' }),
    unsubscribes: t.expose('unsubscribes', { type: 'SafeInt', description: 'Recipients who left' }),
  }),
});

export const EmailComparison = builder.objectRef<Comparison<EmailValues>>('EmailComparison').implement({
  description: COMPARISON,
  interfaces: [PanelComparison],
  fields: (t) => ({
    figures: t.field({ type: EmailFigures, description: 'Of that period', resolve: ({ before }) => before }),
    sentChangePercent: t.field({
      type: 'Float',
      nullable: true,
      description: CHANGE,
      resolve: ({ now, before }) => changePercent(now.sent, before.sent),
    }),
    opensChangePercent: t.field({
      type: 'Float',
      nullable: true,
      description: CHANGE,
      resolve: ({ now, before }) => changePercent(now.opens, before.opens),
    }),
    clicksChangePercent: t.field({
      type: 'Float',
      nullable: true,
      description: CHANGE,
      resolve: ({ now, before }) => changePercent(now.clicks, before.clicks),
    }),
    unsubscribesChangePercent: t.field({
      type: 'Float',
      nullable: true,
      description: CHANGE,
      resolve: ({ now, before }) => changePercent(now.unsubscribes, before.unsubscribes),
    }),
  }),
});
