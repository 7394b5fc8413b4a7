import { aggregation, onePerPanel } from './aggregation.ts';
import { defineJob } from './define.ts';

/** Fills the social panel. */
export const socialAggregation = defineJob({
  ...aggregation,
  kind: 'social_aggregation',
  title: 'Refresh the social panel',
  uniqueKey: onePerPanel('social'),
});
