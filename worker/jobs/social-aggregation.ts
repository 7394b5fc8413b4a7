import { aggregate } from './aggregation/aggregate.ts';

export const aggregateSocial = aggregate('social');
