import { z } from 'zod';
import { defineJob } from './define.ts';

/** Before each further attempt, in ms, as Standard Webhooks has it: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 10 h. */
export const WEBHOOK_DELAYS_MS: readonly number[] = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000].map(
  (seconds) => seconds * 1_000,
);

/** Brings one delivery of a webhook to its endpoint. Of itself it tells nobody. */
export const webhookDelivery = defineJob({
  kind: 'webhook_delivery',
  version: 1,
  queue: 'internal',
  title: 'Deliver a webhook',
  input: z.object({ deliveryId: z.uuid() }),
  output: z.object({ responseCode: z.int().nullable() }),
  // The handler says when to try again; the backoff is for what it did not mean, such as a database that is away.
  retry: { maxAttempts: WEBHOOK_DELAYS_MS.length + 1, backoff: { baseMs: 5_000, maxMs: 36_000_000 } },
  timeoutMs: 30_000,
  startable: 'internal',
});
