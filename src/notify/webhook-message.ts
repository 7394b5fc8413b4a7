import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { toPublicId } from '../domain/ids.ts';

const SECRET_BYTES = 32;

/** A new signing secret, as receivers configure it: `whsec_` and base64. */
export function newWebhookSecret(): string {
  return `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
}

interface Message {
  /** uuid of the event */
  readonly eventId: string;
  readonly sentAt: Date;
  readonly body: string;
}

/** Headers of Standard Webhooks; while a secret is being replaced, both sign. */
export function webhookHeaders(
  { eventId, sentAt, body }: Message,
  secrets: readonly string[],
): Record<string, string> {
  const id = toPublicId('webhookEvent', eventId);
  return {
    'content-type': 'application/json',
    'user-agent': 'Millrace-Webhooks/1',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1_000)),
    'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, sentAt, body)).join(' '),
  };
}
