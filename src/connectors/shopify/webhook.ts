import { createHmac, timingSafeEqual } from 'node:crypto';
import type { ProviderWebhook } from '../connector.ts';

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
  verify({ body, headers, secret }) {
    const expected = createHmac('sha256', secret).update(body).digest();
    const given = Buffer.from(headers['x-shopify-hmac-sha256'] ?? '', 'base64');
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
    const id = headers['x-shopify-webhook-id'];
    if (!id) return null;
    const [family = ''] = (headers['x-shopify-topic'] ?? '').split('/');
    const entity = ENTITIES.get(family);
    return { id, entities: entity === undefined ? [] : [entity] };
  },
};
