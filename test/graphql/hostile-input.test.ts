import { once } from 'node:events';
import { IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApi, type TestApi } from '../support/api.ts';
import { leaksOf } from '../support/leaks.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const PRODUCTS = 'query ($vendors: [String!]) { products(filter: { vendors: $vendors }) { totalCount } }';
const CREATE_KEY = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { token } }';

describe('a text that PostgreSQL cannot hold is BAD_USER_INPUT and names its place', () => {
  test.each([
    ['a NUL in a variable', PRODUCTS, { vendors: ['Acme', 'a\u0000b'] }, ['vendors', '1']],
    ['half of a pair in a variable', PRODUCTS, { vendors: ['\ud83d'] }, ['vendors', '0']],
    ['deep in an input', CREATE_KEY, { input: { name: 'x\u0000', role: 'VIEWER' } }, ['input', 'name']],
    [
      'in the document',
      String.raw`{ products(filter: { search: "abc\u0000" }) { totalCount } }`,
      {},
      ['filter', 'search'],
    ],
    ['in an id', 'query ($id: ID!) { job(id: $id) { id } }', { id: 'job_\udc00' }, ['id']],
  ])('%s', async (_name, query, variables, argument) => {
    const { data, errors } = await api.ask(query, variables, 'admin');
    expect(data).toBeNull();
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', argument } }]);
    expect(errors[0]?.message).toBe(
      `${argument.join('.')}: expected text without U+0000 and without half of a surrogate pair.`,
    );
  });

  test('whole pairs and all other characters are taken', async () => {
    const { data, errors } = await api.ask(PRODUCTS, { vendors: ['💥\u0001\uffff é'] });
    expect(errors).toEqual([]);
    expect(data).toEqual({ products: { totalCount: 0 } });
  });

  test('variables as deep as a body allows are looked through', async () => {
    const deep = `${'{"a":'.repeat(100_000)}"\\u0000"${'}'.repeat(100_000)}`;
    const response = await fetch(api.graphqlUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${api.tokens.viewer}` },
      body: `{"query":"{ __typename }","variables":${deep}}`,
    });
    expect(response.status).toBeLessThan(500);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
  });
});

test.each([
  'subscription { notificationAdded @skip(if: true) { id } }',
  'subscription { ... @include(if: false) { notificationAdded { id } } }',
  'subscription { ...F } fragment F on Subscription { notificationAdded @include(if: true) { id } }',
])('a subscription whose field may be left out is refused: %s', async (query) => {
  const { errors } = await api.ask(query);
  expect(errors).toMatchObject([
    { message: 'The field of a subscription cannot be left out: expected no @skip and no @include.' },
  ]);
});

test.each([
  ['fields', `{ ${'a { '.repeat(1_900)}`],
  ['lists', `{ jobs(first: ${'['.repeat(3_000)}`],
  ['objects', `{ jobs(filter: ${'{a:'.repeat(1_200)}`],
])('%s nested beyond what a stack takes are LIMIT_EXCEEDED', async (_name, query) => {
  const { errors } = await api.ask(query);
  expect(errors).toMatchObject([
    {
      message: 'The document is nested more than 150 deep in braces, brackets and parentheses.',
      extensions: { code: 'LIMIT_EXCEEDED' },
    },
  ]);
});

test('a body that is no JSON is BAD_REQUEST, without what the parser said and quoted', async () => {
  const response = await fetch(api.graphqlUrl, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${api.tokens.viewer}`,
    },
    body: '{"query": secret',
  });
  expect(response.status).toBe(400);
  const body = await response.text();
  expect(JSON.parse(body)).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
  expect(body).not.toContain('originalError');
  expect(body).not.toContain('secret');
  expect(leaksOf(body)).toEqual([]);
});

test.each(['%/x', 'a/b', 'a b', '[', 'user@host', 'a#b'])(
  'a request with the Host %j is BAD_REQUEST, in our words',
  async (host) => {
    const sent = request(api.graphqlUrl, {
      method: 'POST',
      headers: { host, 'content-type': 'application/json', authorization: `Bearer ${api.tokens.viewer}` },
    });
    const answered: Promise<unknown[]> = once(sent, 'response');
    sent.end('{"query":"{ __typename }"}');
    const [response] = await answered;
    if (!(response instanceof IncomingMessage)) throw new Error('expected a response');
    const body = await text(response);
    expect(response.statusCode).toBe(400);
    expect(JSON.parse(body)).toEqual({ code: 'BAD_REQUEST', message: 'The header Host names no host.' });
  },
);
