import { aggregation, onePerPanel } from './aggregation.ts';
import { defineJob } from './define.ts';

/** Fills the traffic panel. */
export const trafficAggregation = defineJob({
  ...aggregation,
  kind: 'traffic_aggregation',
  title: 'Refresh the traffic panel',
  uniqueKey: onePerPanel('traffic'),
});
