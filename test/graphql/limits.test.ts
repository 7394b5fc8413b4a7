import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { createClient, type Client } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startApi, type GraphQLAnswer, type TestApi } from '../support/api.ts';
import { waitFor } from '../support/wait.ts';

const VIEWER = '{ viewer { role } }';
const FOLLOW = 'subscription { jobsChanged { job { id } } }';
const LIMITS = {
  LIMIT_DEPTH: '5',
  LIMIT_ALIASES: '3',
  LIMIT_DIRECTIVES: '2',
  LIMIT_TOKENS: '100',
  LIMIT_COST: '500',
  LIMIT_POINTS_PER_SECOND: '100',
  LIMIT_PAGE_SIZE: '60',
  LIMIT_BODY_BYTES: '4096',
  LIMIT_BATCH_SIZE: '3',
  LIMIT_MESSAGE_BYTES: '2048',
  LIMIT_OPERATIONS_PER_SOCKET: '2',
  LIMIT_SOCKETS_PER_ORGANIZATION: '2',
  LIMIT_SUBSCRIPTIONS_PER_ORGANIZATION: '3',
  LIMIT_OPERATION_SECONDS: '1',
  LIMIT_REQUEST_SECONDS: '1',
  LIMIT_CONNECTION_INIT_SECONDS: '1',
};

let api: TestApi;
beforeAll(async () => {
  api = await startApi({ environment: LIMITS });
});
afterAll(() => api.close());

const post = (body: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(api.graphqlUrl, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${api.tokens.viewer}`,
      ...headers,
    },
    body,
  });

const refusal = ({ errors, data }: GraphQLAnswer) => ({
  data,
  code: errors[0]?.extensions['code'],
  message: errors[0]?.message,
});

describe('a document', () => {
  test.each([
    [
      'too deep',
      '{ jobs { edges { node { parent { parent { id } } } } } }',
      'The document has fields nested 6 deep; at most 5 are allowed.',
    ],
    [
      'full of aliases',
      '{ a: viewer { role } b: viewer { role } c: viewer { role } d: viewer { role } }',
      'The document has 4 aliases; at most 3 are allowed.',
    ],
    [
      'full of directives',
      '{ viewer { role @include(if: true) @skip(if: false) } __typename @include(if: true) }',
      'The document has 3 directives; at most 2 are allowed.',
    ],
    [
      'too long',
      `{ ${'__typename '.repeat(101)} }`,
      'The document has more tokens than are read; at most 100 are allowed.',
    ],
    [
      'too dear',
      '{ jobs(first: 60) { edges { node { items(first: 10) { totalCount } } } } }',
      'The operation costs 780 points; at most 500 are allowed. Ask for smaller pages or fewer lists.',
    ],
  ])('that is %s', async (_what, query, message) => {
    expect(refusal(await api.ask(query))).toEqual({ data: null, code: 'LIMIT_EXCEEDED', message });
  });

  test('with a page that is too large, by the name of its argument', async () => {
    expect(refusal(await api.ask('{ jobs(first: 61) { totalCount } }'))).toEqual({
      data: null,
      code: 'BAD_USER_INPUT',
      message: 'first: expected 1 to 60, got 61.',
    });
  });

  test('is refused on a socket by the same text', async () => {
    await using socket = connect('stranger');
    await expect(
      socket.run('{ jobs { edges { node { parent { parent { id } } } } } }'),
    ).rejects.toMatchObject([{ message: 'The document has fields nested 6 deep; at most 5 are allowed.' }]);
  });
});

describe('the cost of an operation', () => {
  const costOf = async (query: string, variables = {}): Promise<unknown> => {
    const response = await post(JSON.stringify({ query, variables }), {
      authorization: `Bearer ${api.tokens.admin}`,
    });
    const { extensions, errors } = (await response.json()) as {
      extensions?: { cost?: { requested: number } };
      errors?: { extensions: { cost?: { requested: number } } }[];
    };
    return extensions?.cost?.requested ?? errors?.[0]?.extensions.cost?.requested;
  };

  test.each([
    ['one object', VIEWER, {}, 1],
    ['objects in objects', '{ viewer { organization { name } user { email } } }', {}, 3],
    ['single values', '{ __typename }', {}, 1],
    ['a page by its size', '{ jobs(first: 7) { edges { cursor } } }', {}, 14],
    ['a page that does not say its size', '{ jobs { totalCount } }', {}, 50],
    ['a page whose size is null', '{ jobs(first: null) { totalCount } }', {}, 50],
    ['a variable', 'query ($n: Int) { jobs(first: $n) { totalCount } }', { n: 9 }, 9],
    ['the default of a variable', 'query ($n: Int = 8) { jobs(first: $n) { totalCount } }', {}, 8],
    [
      'lists in lists',
      '{ jobs(first: 5) { edges { node { items(first: 3) { totalCount } } } } }',
      {},
      5 * (1 + 1 + 1 + 3),
    ],
    [
      'what is skipped',
      'query ($no: Boolean!) { viewer { role } jobs @skip(if: $no) { totalCount } }',
      { no: true },
      1,
    ],
    ['a negative size, which is an error later', '{ jobs(first: -1000) { edges { cursor } } }', {}, 2],
  ])('counts %s', async (_what, query, variables, points) => {
    expect(await costOf(query, variables)).toBe(points);
  });

  test('follows the variables, though the document is the same', async () => {
    const query = 'query ($n: Int) { jobs(first: $n) { totalCount } }';
    expect(await Promise.all([1, 2, 3].map((n) => costOf(query, { n })))).toEqual([1, 2, 3]);
  });

  test('of fragments that unfold without end is refused before it is counted', async () => {
    const fragments = Array.from(
      { length: 14 },
      (_, n) => `fragment F${n} on Viewer { ...F${n + 1} ...F${n + 1} }`,
    );
    const bomb = `{ viewer { ...F0 } } ${fragments.join(' ')} fragment F14 on Viewer { role }`;
    await using wide = await startApi();
    expect(refusal(await wide.ask(bomb))).toEqual({
      data: null,
      code: 'LIMIT_EXCEEDED',
      message:
        'The operation costs more than can be counted; at most 100,000 are allowed. Ask for smaller pages or fewer lists.',
    });
  });
});

describe('a request', () => {
  test('with a body that is too large', async () => {
    const response = await post(JSON.stringify({ query: `${VIEWER} #${'x'.repeat(5_000)}` }));
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({
      errors: [
        {
          message: "The request's body is too large; at most 4,096 bytes are allowed.",
          extensions: { code: 'LIMIT_EXCEEDED' },
        },
      ],
    });
  });

  test('with a body of unknown length that is too large, and one that is not', async () => {
    const inChunks = (query: string): Promise<Response> =>
      fetch(
        new Request(api.graphqlUrl, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${api.tokens.viewer}` },
          body: new Blob([JSON.stringify({ query })]).stream(),
          // The types of fetch do not know what it asks for with a stream.
          ...{ duplex: 'half' },
        }),
      );
    const within = await inChunks(VIEWER);
    expect(await within.json()).toMatchObject({ data: { viewer: { role: 'VIEWER' } } });
    const beyond = await inChunks(`${VIEWER} #${'x'.repeat(5_000)}`);
    expect(beyond.status).toBe(413);
    expect(await beyond.json()).toMatchObject({
      errors: [{ message: "The request's body is too large; at most 4,096 bytes are allowed." }],
    });
  });

  test('with more operations than a batch may have', async () => {
    const batch = (size: number): string =>
      JSON.stringify(Array.from({ length: size }, () => ({ query: VIEWER })));
    const within = await post(batch(3));
    expect(await within.json()).toMatchObject(
      Array.from({ length: 3 }, () => ({ data: { viewer: { role: 'VIEWER' } } })),
    );
    const beyond = await post(batch(4));
    expect(beyond.status).toBe(413);
    expect(await beyond.json()).toMatchObject({
      errors: [
        {
          message: 'The request has too many operations; at most 3 are allowed in one.',
          extensions: { code: 'LIMIT_EXCEEDED' },
        },
      ],
    });
  });

  test('that is not sent to its end is cut off', async () => {
    const { port } = new URL(api.url);
    const socket = connectTcp(Number(port), '127.0.0.1');
    const head = [
      'POST /graphql HTTP/1.1',
      'Host: localhost',
      'Content-Type: application/json',
      'Content-Length: 100',
    ];
    socket.write(`${head.join('\r\n')}\r\nAuthorization: Bearer ${api.tokens.viewer}\r\n\r\n{"query":`);
    await once(socket, 'close');
  });

  test('tells what is left of the window, and beyond it when to come again', async () => {
    await using own = await startApi({ environment: { LIMIT_POINTS_PER_SECOND: '10' } });
    const ask = (query: string): Promise<Response> =>
      fetch(own.graphqlUrl, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${own.tokens.viewer}` },
        body: JSON.stringify({ query }),
      });
    const first = await ask('{ jobs(first: 60) { totalCount } }');
    expect(first.headers.get('ratelimit-policy')).toBe('"points";q=100;w=10');
    expect(first.headers.get('ratelimit')).toBe('"points";r=40;t=10');
    expect(await first.json()).toMatchObject({
      extensions: {
        cost: { requested: 60, maximum: 100_000, window: { limit: 100, remaining: 40, resetSeconds: 10 } },
      },
    });
    const second = await ask('{ jobs(first: 60) { totalCount } }');
    expect(second.status).toBe(429);
    expect(Number(second.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await second.json()).toMatchObject({
      errors: [
        {
          message: expect.stringMatching(
            /^The 100 points of this window are used up\. Try again in \d+ s\.$/,
          ),
          extensions: { code: 'RATE_LIMITED', retryAfterSeconds: expect.any(Number) },
        },
      ],
    });
    expect((await own.ask(VIEWER, {}, 'admin')).data).not.toBeNull();
  });
});

describe('a socket', () => {
  test('that does not say who it is, is closed', async () => {
    const socket = new WebSocket(api.graphqlUrl.replace('http', 'ws'), 'graphql-transport-ws');
    expect(await closeOf(socket)).toEqual([4408, 'Connection initialisation timeout']);
  });

  test('that sends too much at once is closed', async () => {
    const socket = new WebSocket(api.graphqlUrl.replace('http', 'ws'), 'graphql-transport-ws');
    socket.on('open', () => socket.send('x'.repeat(3_000)));
    expect((await closeOf(socket))[0]).toBe(1009);
  });

  test('runs only so many operations at once', async () => {
    await using socket = connect('viewer');
    socket.follow();
    socket.follow();
    await waitFor(() => api.app.openStreams === 2);
    await expect(socket.run(VIEWER)).rejects.toMatchObject([
      { message: 'At most 2 operations may run on one socket.', extensions: { code: 'LIMIT_EXCEEDED' } },
    ]);
  });

  test('of an organization that has its number of them is closed, until another is', async () => {
    const [one, two] = [connect('viewer'), connect('viewer')];
    await Promise.all([one.run(VIEWER), two.run(VIEWER)]);
    const third = connect('viewer');
    const closed: unknown = await third.run(VIEWER).catch((event: unknown) => event);
    expect(closed).toHaveProperty('code', 1013);
    expect(closed).toHaveProperty('reason', 'At most 2 sockets per organization');
    await using another = connect('stranger');
    await another.run(VIEWER);
    await Promise.all([one, third].map((socket) => socket[Symbol.asyncDispose]()));
    await using fourth = connect('viewer', 5);
    await fourth.run(VIEWER);
    await two[Symbol.asyncDispose]();
  });
});

test('a subscription that comes to nothing takes no place', async () => {
  await using socket = connect('stranger');
  for (let time = 0; time < 4; time += 1) {
    expect(await socket.run('subscription { jobEvents(id: "nonsense") { seq } }')).toMatchObject({
      errors: [{ extensions: { code: 'NOT_FOUND' } }],
    });
  }
});

test('an organization has its number of subscriptions, over whichever transport', async () => {
  await using first = connect('viewer');
  await using second = connect('viewer');
  [first, first, second].forEach((socket) => socket.follow());
  await waitFor(() => api.app.openStreams === 3);
  const message =
    'At most 3 subscriptions of one organization may be open. End one before you begin another.';
  expect(await second.run(FOLLOW)).toMatchObject({
    errors: [{ message, extensions: { code: 'LIMIT_EXCEEDED' } }],
  });
  const overSse = await post(JSON.stringify({ query: FOLLOW }), { accept: 'text/event-stream' });
  expect(await overSse.text()).toContain(message);
});

describe('an operation that takes too long', () => {
  test('is given up with a text that says so', async () => {
    const answer = await api.database.db.transaction(async (tx) => {
      await tx.query('LOCK TABLE products IN ACCESS EXCLUSIVE MODE');
      return api.ask('{ products(first: 1) { totalCount } }');
    });
    expect(answer.status).toBe(503);
    expect(refusal(answer)).toEqual({
      data: null,
      code: 'TIMEOUT',
      message: 'The operation had no answer after 1 s and was given up. A mutation may still take effect.',
    });
  });
});

type Role = 'viewer' | 'stranger';

/** A client of graphql-ws that takes every close for the end, or tries again so often. */
function connect(role: Role, retryAttempts = 0) {
  const client: Client = createClient({
    url: api.graphqlUrl.replace('http', 'ws'),
    webSocketImpl: WebSocket,
    retryAttempts,
    lazy: true,
    lazyCloseTimeout: 60_000,
    shouldRetry: () => true,
    connectionParams: { token: api.tokens[role] },
    onNonLazyError: () => undefined,
  });
  const run = (query: string): Promise<unknown> =>
    new Promise((resolve, reject) => {
      client.subscribe({ query }, { next: resolve, error: reject, complete: () => undefined });
    });
  const follow = (): void => {
    client.subscribe(
      { query: FOLLOW },
      { next: () => undefined, error: () => undefined, complete: () => undefined },
    );
  };
  return {
    run,
    follow,
    [Symbol.asyncDispose]: async () => {
      await client.dispose();
    },
  };
}

function closeOf(socket: WebSocket): Promise<[number, string]> {
  return new Promise((resolve) => {
    socket.on('error', () => undefined);
    socket.once('close', (code, reason) => resolve([code, reason.toString()]));
  });
}
