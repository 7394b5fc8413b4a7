import type { EmailValues } from '../../../panels/email.ts';
import type { PanelReading } from '../../../panels/reading.ts';
import { builder } from '../../builder.ts';
import { BEFORE, comparisonOf } from './comparison.ts';
import { Panel } from './panel.ts';
import { EmailComparison } from './email-figures.ts';

const EmailPoint = builder.objectRef<EmailValues['series'][number]>('EmailPoint').implement({
  description: 'Mailings of one day.',
  fields: (t) => ({
    date: t.expose('date', { type: 'Date', description: "Day in the organization's time zone" }),
    sent: t.expose('sent', { type: 'SafeInt', description: 'Messages sent' }),
    opens: t.expose('opens', { type: 'SafeInt', description: 'Messages opened' }),
    clicks: t.expose('clicks', { type: 'SafeInt', description: 'Links followed' }),
  }),
});

export const EmailPanel = builder.objectRef<PanelReading<EmailValues>>('EmailPanel').implement({
  description: 'Mailings and what came of them.',
  interfaces: [Panel],
  fields: (t) => ({
    sent: t.field({
      type: 'SafeInt',
      nullable: true,
      description: 'Messages sent',
      resolve: ({ values }) => values?.sent,
    }),
    opens: t.field({
      type: 'SafeInt',
      nullable: true,
      description: 'Messages opened',
      resolve: ({ values }) => values?.opens,
    }),
    clicks: t.field({
      type: 'SafeInt',
      nullable: true,
      description: 'Links followed',
      resolve: ({ values }) => values?.clicks,
    }),
    unsubscribes: t.field({
      type: 'SafeInt',
      nullable: true,
      description: 'Recipients who left',
      resolve: ({ values }) => values?.unsubscribes,
    }),
    before: t.field({
      type: EmailComparison,
      nullable: true,
      description: BEFORE,
      resolve: (reading, _args, ctx) => comparisonOf('email', reading, ctx),
    }),
    series: t.field({
      type: [EmailPoint],
      description: 'One point per day of the period, oldest first',
      resolve: ({ values }) => values?.series ?? [],
    }),
  }),
});
