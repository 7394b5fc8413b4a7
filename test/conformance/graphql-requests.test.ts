import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type TestApi } from '../support/api.ts';

/** What a request to /graphql may look like, and what the answer to any other says: https://graphql.github.io/graphql-over-http/draft/ */

let api: TestApi;
let passed = 0;
beforeAll(async () => {
  api = await startApi();
});
afterAll(async () => {
  process.stdout.write(`requests to /graphql: ${passed} of ${requests.length} as they should be\n`);
  await api.close();
});

interface Asked {
  readonly method?: string;
  readonly search?: string;
  readonly type?: string | null;
  readonly accept?: string;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

const query = '{ viewer { role } }';
const json = (body: unknown): string => JSON.stringify(body);
const search = (params: Record<string, string>): string => `?${new URLSearchParams(params).toString()}`;
const MUTATION = 'mutation { cancelJob(id: "x") { userErrors { code } } }';
const GRAPHQL = 'application/graphql-response+json';
const form =
  '--b\r\ncontent-disposition: form-data; name="operations"\r\n\r\n{"query":"{ viewer { role } }"}\r\n--b--\r\n';

const ANY = /^/;
type Row = readonly [name: string, asked: Asked, status: number, said?: RegExp];
const requests: readonly Row[] = [
  ['a query by POST', { body: json({ query }) }, 200],
  ['a query by GET', { method: 'GET', search: search({ query }) }, 200],
  [
    'a query by GET with variables',
    {
      method: 'GET',
      search: search({ query: 'query ($id: ID!) { job(id: $id) { id } }', variables: '{"id":"x"}' }),
    },
    200,
  ],
  [
    'a query by GET with variables that are no JSON',
    { method: 'GET', search: search({ query, variables: '{' }), accept: GRAPHQL },
    400,
    /variables/i,
  ],
  ['a mutation by POST', { body: json({ query: MUTATION }) }, 200],
  ['a mutation by GET', { method: 'GET', search: search({ query: MUTATION }) }, 405, /mutation/i],
  ['GET without a query', { method: 'GET', accept: GRAPHQL }, 400, /query/i],
  ['GET with an empty query', { method: 'GET', search: '?query=', accept: GRAPHQL }, 400, /\w/],
  ['HEAD', { method: 'HEAD', search: search({ query }) }, 405],
  ['PUT', { method: 'PUT', body: json({ query }) }, 405, /POST/],
  ['PATCH', { method: 'PATCH', body: json({ query }) }, 405, /POST/],
  ['DELETE', { method: 'DELETE' }, 405, /POST/],
  ['a form with a file', { type: 'multipart/form-data; boundary=b', body: form }, 415, /createStagedUpload/],
  ['text/plain', { type: 'text/plain', body: json({ query }) }, 415, /application\/json/],
  ['XML', { type: 'application/xml', body: '<query/>' }, 415, /application\/json/],
  [
    'no content type',
    { type: null, body: new TextEncoder().encode(json({ query })) },
    415,
    /application\/json/,
  ],
  ['JSON in UTF-8, said so', { type: 'application/json; charset=utf-8', body: json({ query }) }, 200],
  [
    'JSON in UTF-8, said so loudly',
    { type: 'APPLICATION/JSON; CHARSET="UTF-8"', body: json({ query }) },
    200,
  ],
  [
    'letters beyond ASCII',
    {
      body: json({
        query: 'query ($q: String) { products(filter: { search: $q }) { totalCount } }',
        variables: { q: 'Größe 你好 🎈' },
      }),
    },
    200,
  ],
  ['an empty body', { body: '' }, 400, /\w/],
  ['a body that is no JSON', { body: '{"query":' }, 400, /JSON/],
  ['a body that is a text', { body: '"x"' }, 400, /\w/],
  ['a body that is null', { body: 'null' }, 400, /\w/],
  ['a body without a query', { body: json({ variables: {} }), accept: GRAPHQL }, 400, /query/i],
  ['a query that is a number', { body: json({ query: 1 }), accept: GRAPHQL }, 400, /query/i],
  [
    'variables that are a text',
    { body: json({ query, variables: 'x' }), accept: GRAPHQL },
    400,
    /variables/i,
  ],
  ['variables that are a list', { body: json({ query, variables: [] }), accept: GRAPHQL }, 400, /variables/i],
  [
    'an operation name that is a number',
    { body: json({ query, operationName: 1 }), accept: GRAPHQL },
    400,
    /operation/i,
  ],
  [
    'extensions that are a text',
    { body: json({ query, extensions: 'x' }), accept: GRAPHQL },
    400,
    /extensions/i,
  ],
  ['a parameter that nobody knows', { body: json({ query, other: 1 }), accept: GRAPHQL }, 400, /other/],
  [
    'no GraphQL, for graphql-response+json',
    { body: json({ query: '{' }), accept: GRAPHQL },
    400,
    /Syntax Error/,
  ],
  ['no GraphQL, for JSON', { body: json({ query: '{' }), accept: 'application/json' }, 200, /Syntax Error/],
  [
    'an unknown field, for graphql-response+json',
    { body: json({ query: '{ nothing }' }), accept: GRAPHQL },
    400,
    /nothing/,
  ],
  [
    'an unknown field, for JSON',
    { body: json({ query: '{ nothing }' }), accept: 'application/json' },
    200,
    /nothing/,
  ],
  [
    'an error of a field, for graphql-response+json',
    { body: json({ query: '{ jobs(first: 1000) { totalCount } }' }), accept: GRAPHQL },
    200,
    /first/,
  ],
  [
    'one of several operations that is not named',
    { body: json({ query: `query A ${query} query B ${query}` }), accept: GRAPHQL },
    400,
    /operation/i,
  ],
  ['an Accept that nothing fits', { body: json({ query }), accept: 'image/png' }, 406, /Accept/],
  [
    'a subscription whose answer is to be JSON',
    { body: json({ query: 'subscription { jobsChanged { matches } }' }), accept: 'application/json' },
    406,
    /text\/event-stream/,
  ],
  [
    'a subscription whose answer is to be multipart',
    { body: json({ query: 'subscription { jobsChanged { matches } }' }), accept: 'multipart/mixed' },
    406,
    /text\/event-stream/,
  ],
];

describe('a request to /graphql', () => {
  it.each(requests.map(([name, asked, status, said = ANY]) => [name, asked, status, said] as const))(
    '%s',
    async (_name, asked, status, said) => {
      const { method = 'POST', type = 'application/json', accept = '*/*', body } = asked;
      const response = await fetch(`${api.graphqlUrl}${asked.search ?? ''}`, {
        method,
        headers: {
          authorization: `Bearer ${api.tokens.member}`,
          accept,
          ...(type === null || body === undefined ? {} : { 'content-type': type }),
        },
        ...(body === undefined ? {} : { body }),
      });
      const text = await response.text();
      expect({ status: response.status, text }).toEqual({ status, text: expect.stringMatching(said) });
      if (method !== 'HEAD') {
        const [contentType] = (response.headers.get('content-type') ?? '').split(';');
        expect([GRAPHQL, 'application/json']).toContain(contentType);
        expect(Object.keys(JSON.parse(text) as object)).toContain(
          status === 200 && said === ANY ? 'data' : 'errors',
        );
      }
      if (status === 405) expect(response.headers.get('allow')).toContain('POST');
      passed += 1;
    },
  );
});
