import { aggregate } from './aggregation/aggregate.ts';

export const aggregateTraffic = aggregate('traffic');
