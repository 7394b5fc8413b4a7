import { afterEach, describe, expect, it } from 'vitest';
import {
  closeShopify,
  collect,
  idsOf,
  openShopify,
  ordersOf,
  withOrders,
} from '../../support/providers/shopify-connection.ts';

afterEach(closeShopify);

describe('an answer that is none', () => {
  it.each([
    ['HTTP 502 as HTML', { status: 502, text: '<html>Bad gateway</html>' }],
    ['HTTP 503 as JSON', { status: 503, json: { errors: 'Unavailable' } }],
    ['malformed JSON', { text: '{"data":{"orders":' }],
    ['a truncated body', { json: { data: { orders: { nodes: [] } } }, isTruncated: true }],
    ['one without data', { json: {} }],
    [
      'an internal error',
      { json: { errors: [{ message: 'Internal', extensions: { code: 'INTERNAL_SERVER_ERROR' } }] } },
    ],
  ])('is asked again: %s', async (_name, answer) => {
    const { mock, pull } = await openShopify({ records: withOrders(ordersOf(1)) });
    mock.next(answer);
    const { pages } = await collect(pull());
    expect(idsOf(pages)).toHaveLength(1);
    expect(mock.requests).toHaveLength(2);
  });

  it('five times over is a failure that may pass', async () => {
    const { mock, pull } = await openShopify();
    mock.next(...Array.from({ length: 5 }, () => ({ status: 502, text: 'Bad gateway' })));
    const { error } = await collect(pull());
    expect(error).toMatchObject({ kind: 'transient', message: 'Shopify answered HTTP 502.' });
    expect(mock.requests).toHaveLength(5);
  });

  it('of another form is not asked again', async () => {
    const { mock, pull } = await openShopify();
    mock.next({ json: { data: { orders: { nodes: 7 } } } });
    const { error } = await collect(pull());
    expect(error?.kind).toBe('bad_request');
    expect(mock.requests).toHaveLength(1);
  });

  it('that sends us to another host is not followed', async () => {
    const { mock, pull } = await openShopify();
    const other = await openShopify();
    mock.next({ status: 307, headers: { location: `${other.mock.url}/admin/api/2026-10/graphql.json` } });
    const { error } = await collect(pull());
    expect(error?.kind).toBe('bad_request');
    expect(other.mock.requests).toEqual([]);
  });

  it.each([
    [401, 'auth_expired', 'Shopify refused the access token: No'],
    [402, 'bad_request', 'The Shopify shop is frozen: No'],
    [404, 'bad_request', 'Shopify knows no such shop: No'],
    [423, 'bad_request', 'The Shopify shop is locked: No'],
    [400, 'bad_request', 'Shopify refused the request: No'],
  ])('HTTP %i is %s', async (status, kind, message) => {
    const { mock, pull } = await openShopify();
    mock.next({ status, json: { errors: 'No' }, headers: { 'x-request-id': 'request-9' } });
    const { error } = await collect(pull());
    expect(error).toMatchObject({ kind, message, requestId: 'request-9' });
  });

  it('is told in no more than 200 characters', async () => {
    const { mock, pull } = await openShopify();
    mock.next({ json: { errors: [{ message: 'x'.repeat(5_000) }] } });
    const { error } = await collect(pull());
    expect(error?.message).toBe(`Shopify refused the query: ${'x'.repeat(200)}`);
  });
});
