import { aggregate } from './aggregation/aggregate.ts';

export const aggregateSupport = aggregate('support');
