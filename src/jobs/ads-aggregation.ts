import { aggregation, onePerPanel } from './aggregation.ts';
import { defineJob } from './define.ts';

/** Fills the ads panel. */
export const adsAggregation = defineJob({
  ...aggregation,
  kind: 'ads_aggregation',
  title: 'Refresh the ads panel',
  uniqueKey: onePerPanel('ads'),
});
