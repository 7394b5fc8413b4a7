import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { shopify } from '../../../src/connectors/shopify.ts';
import { NOW } from '../../support/providers/shopify-connection.ts';

describe('webhooks', () => {
  const secret = 'shpss_client_secret';
  const body = Buffer.from('{"id":1,"name":"Ü"}');
  const signature = createHmac('sha256', secret).update(body).digest('base64');
  const headers = {
    'x-shopify-hmac-sha256': signature,
    'x-shopify-webhook-id': 'delivery-1',
    'x-shopify-topic': 'orders/updated',
  };
  const verify = (more: {
    headers?: Record<string, string | undefined>;
    body?: Buffer;
    secrets?: readonly string[];
  }) => shopify.webhook?.verify({ body, headers, secrets: [secret], now: NOW, ...more });

  it.each([
    ['orders/updated', ['orders']],
    ['refunds/create', ['orders']],
    ['products/delete', ['products']],
    ['customers/update', ['customers']],
    ['app/uninstalled', []],
    [undefined, []],
  ])('of topic %s look at %j', (topic, entities) => {
    const event = verify({ headers: { ...headers, 'x-shopify-topic': topic } });
    expect(event).toEqual({ id: 'delivery-1', entities });
  });

  it('may be signed with the old secret for as long as both are known', () => {
    expect(verify({ secrets: ['shpss_new', secret] })?.id).toBe('delivery-1');
  });

  it('are signed with the client secret where the credentials have one, and nobody enters another', () => {
    const { secretIn } = shopify.webhook ?? {};
    expect(secretIn?.({ clientId: 'c', clientSecret: secret })).toBe(secret);
    expect(secretIn?.({ accessToken: 'shpat_custom' })).toBeNull();
    expect(secretIn?.(null)).toBeNull();
  });

  it.each([
    ['another body', { body: Buffer.from('{"id":2}') }],
    ['another secret', { secrets: ['shpss_another'] }],
    ['no secret at all', { secrets: [] }],
    ['no signature', { headers: { ...headers, 'x-shopify-hmac-sha256': undefined } }],
    ['a short signature', { headers: { ...headers, 'x-shopify-hmac-sha256': signature.slice(0, 20) } }],
    [
      'a signature in hex',
      { headers: { ...headers, 'x-shopify-hmac-sha256': Buffer.from(signature, 'base64').toString('hex') } },
    ],
    ['no id', { headers: { ...headers, 'x-shopify-webhook-id': undefined } }],
  ])('with %s are not Shopify’s', (_name, more) => {
    expect(verify(more)).toBeNull();
  });
});
