import { aggregation, onePerPanel } from './aggregation.ts';
import { defineJob } from './define.ts';

/** Fills the revenue panel. */
export const revenueAggregation = defineJob({
  ...aggregation,
  kind: 'revenue_aggregation',
  title: 'Refresh the revenue panel',
  uniqueKey: onePerPanel('revenue'),
});
