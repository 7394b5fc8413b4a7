import { aggregation, onePerPanel } from './aggregation.ts';
import { defineJob } from './define.ts';

/** Fills the support panel. */
export const supportAggregation = defineJob({
  ...aggregation,
  kind: 'support_aggregation',
  title: 'Refresh the support panel',
  uniqueKey: onePerPanel('support'),
});
