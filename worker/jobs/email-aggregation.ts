import { aggregate } from './aggregation/aggregate.ts';

export const aggregateEmail = aggregate('email');
