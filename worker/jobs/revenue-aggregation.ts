import { aggregate } from './aggregation/aggregate.ts';

export const aggregateRevenue = aggregate('revenue');
