import { createHmac, timingSafeEqual } from 'node:crypto';
import { eventId, type ProviderWebhook } from '../connector.ts';
import { shopifyCredentials } from './credentials.ts';

/** By what a topic begins with: "refunds/create" changes an order. */
const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['orders', 'orders'],
  ['refunds', 'orders'],
  ['products', 'products'],
  ['customers', 'customers'],
]);

/**
 * The app's client secret signs the body alone: neither the topic, which says only where to look, nor a time. Topics
 * that concern no entity (app/uninstalled) are events without any.
 * @see https://shopify.dev/docs/apps/build/webhooks/verify-deliveries
 */
export const shopifyWebhook: ProviderWebhook = {
  verify({ body, headers, secrets }) {
    const given = Buffer.from(headers['x-shopify-hmac-sha256'] ?? '', 'base64');
    const isSigned = secrets.some((secret) => {
      const expected = createHmac('sha256', secret).update(body).digest();
      return given.length === expected.length && timingSafeEqual(given, expected);
    });
    if (!isSigned) return null;
    const { data: id } = eventId.safeParse(headers['x-shopify-webhook-id']);
    if (id === undefined) return null;
    const [family = ''] = (headers['x-shopify-topic'] ?? '').split('/');
    const entity = ENTITIES.get(family);
    return { id, entities: entity === undefined ? [] : [entity] };
  },
  secretIn(given) {
    const { data: credentials } = shopifyCredentials.safeParse(given);
    return credentials && 'clientSecret' in credentials ? credentials.clientSecret : null;
  },
};
