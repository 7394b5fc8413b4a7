import { z } from 'zod';
import { defineJob } from './define.ts';

/** Does nothing, all the way through: what its round takes is a metric of the whole loop. */
export const canary = defineJob({
  kind: 'canary',
  version: 1,
  queue: 'internal',
  title: 'Canary',
  input: z.object({}),
  output: z.object({}),
  retry: { maxAttempts: 1, backoff: { baseMs: 1_000, maxMs: 1_000 } },
  timeoutMs: 10_000,
  // One at a time: where no worker gets to it, no others pile up behind it.
  uniqueKey: () => 'canary',
  startable: 'internal',
});
