import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { eventId, type ProviderWebhook } from '../connector.ts';

/** As Stripe's own libraries have it: who recorded a delivery cannot send it again later, in s. */
const TOLERANCE_SECONDS = 300;

const event = z.object({ id: eventId, type: z.string() });

/** Beginnings of the types of events that come with a movement of the balance (https://docs.stripe.com/api/events/types). */
const MOVING = ['charge.', 'refund.', 'payout.', 'transfer.', 'topup.', 'balance.', 'application_fee.'];

interface Signature {
  readonly timestamp: string;
  /** Two while a secret is being replaced */
  readonly candidates: readonly string[];
}

/**
 * Stripe-Signature (https://docs.stripe.com/webhooks/signature): `t` in s since 1970, and HMAC-SHA-256 over it, a full
 * stop and the body, in hex, as `v1`. A clock that differs by more than the tolerance is not believed either way.
 */
export const webhook: ProviderWebhook = {
  verify({ body, headers, secrets, now }) {
    const signature = signatureOf(headers['stripe-signature'] ?? '');
    if (!signature) return null;
    const ageSeconds = now.getTime() / 1_000 - Number(signature.timestamp);
    if (Math.abs(ageSeconds) > TOLERANCE_SECONDS) return null;
    const isSigned = secrets.some((secret) => {
      const hmac = createHmac('sha256', secret).update(`${signature.timestamp}.`).update(body);
      const expected = hmac.digest('hex');
      return signature.candidates.some((candidate) => isSame(expected, candidate));
    });
    if (!isSigned) return null;
    const parsed = event.safeParse(parseJson(body));
    if (!parsed.success) return null;
    const { id, type } = parsed.data;
    return { id, entities: MOVING.some((start) => type.startsWith(start)) ? ['balance_transactions'] : [] };
  },
};

/** Null for a header without a time, or with two. Schemes of other names are not looked at: `v0` is for tests. */
function signatureOf(header: string): Signature | null {
  const parts = header.split(',').map((part) => part.trim().split('='));
  const valuesOf = (scheme: string) =>
    parts.flatMap(([name, value]) => (name === scheme && value ? [value] : []));
  const [timestamp, ...others] = valuesOf('t');
  if (timestamp === undefined || others.length > 0 || !/^\d{1,12}$/.test(timestamp)) return null;
  return { timestamp, candidates: valuesOf('v1') };
}

function isSame(expected: string, given: string): boolean {
  const [left, right] = [Buffer.from(expected), Buffer.from(given)];
  return left.byteLength === right.byteLength && timingSafeEqual(left, right);
}

function parseJson(body: Buffer): unknown {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return value;
  } catch {
    return null;
  }
}
