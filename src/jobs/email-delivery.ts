import { z } from 'zod';
import { defineJob } from './define.ts';

/** Sends one notice to its recipient by mail. Of itself it tells nobody. */
export const emailDelivery = defineJob({
  kind: 'email_delivery',
  version: 1,
  queue: 'internal',
  title: 'Send an e-mail',
  input: z.object({ notificationId: z.uuid() }),
  output: z.object({ sent: z.boolean() }),
  // For about five hours.
  retry: { maxAttempts: 9, backoff: { baseMs: 60_000, maxMs: 7_200_000 } },
  timeoutMs: 90_000,
  startable: 'internal',
});
