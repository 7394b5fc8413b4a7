import { aggregation, onePerPanel } from './aggregation.ts';
import { defineJob } from './define.ts';

/** Fills the email panel. */
export const emailAggregation = defineJob({
  ...aggregation,
  kind: 'email_aggregation',
  title: 'Refresh the email panel',
  uniqueKey: onePerPanel('email'),
});
