import { z } from 'zod';
import { defineJob } from './define.ts';

/** Makes the days of agents anew from their runs, in the organization's time zone as it is now. */
export const agentAggregation = defineJob({
  kind: 'agent_aggregation',
  version: 1,
  queue: 'default',
  title: 'Refresh the figures of agents',
  input: z.object({}),
  output: z.object({
    days: z.int().meta({ description: 'Days that were made anew' }),
    moved: z.int().meta({ description: 'Runs that count on another day than before', graphql: 'SafeInt' }),
  }),
  retry: { maxAttempts: 5, backoff: { baseMs: 1_000, maxMs: 60_000 } },
  timeoutMs: 2 * 60 * 60_000,
  startable: 'internal',
});
