import { aggregate } from './aggregation/aggregate.ts';

export const aggregateAds = aggregate('ads');
