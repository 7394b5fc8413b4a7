import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type TestApi } from '../support/api.ts';
import { RawSocket } from '../support/raw-socket.ts';

/**
 * The messages and close codes of GraphQL over WebSocket, each as one conversation:
 * https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
 */

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});

interface Send {
  readonly sends: unknown;
}
interface Get {
  readonly gets: object;
}
interface Close {
  readonly code: number;
  readonly reason: string;
}
type Step = Send | Get | Close;
type Conversation = readonly [name: string, steps: readonly Step[]];

const send = (sends: unknown): Send => ({ sends });
const get = (gets: object): Get => ({ gets });
const closed = (code: number, reason: string): Close => ({ code, reason });

/** Stands for a token that is let in; rows are made before there is one. */
const TOKEN = '<token>';
const init = (payload: unknown = { token: TOKEN }) => send({ type: 'connection_init', payload });
const subscribe = (id: unknown, payload: unknown) => send({ id, type: 'subscribe', payload });
const QUERY = { query: '{ viewer { role } }' };
const MUTATION = { query: 'mutation { cancelJob(id: "nonsense") { userErrors { code } } }' };
const ROLE = { data: { viewer: { role: 'MEMBER' } } };

const acknowledged = [init(), get({ type: 'connection_ack' })];
const bad = closed(4400, 'Invalid message received');

/** After each of these the socket is closed with 4400: before it is initialised and after. */
const badMessages: readonly (readonly [name: string, message: unknown])[] = [
  ['a text that is not JSON', 'connection_init'],
  ['an empty text', ''],
  ['JSON that ends too early', '{"type":"ping"'],
  ['null', 'null'],
  ['a number', '1'],
  ['a string', '"ping"'],
  ['a list', '[{"type":"ping"}]'],
  ['bytes, be they JSON', Buffer.from('{"type":"ping"}')],
  ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x00])],
  ['an object without a type', {}],
  ['a type that is null', { type: null }],
  ['a type that is empty', { type: '' }],
  ['a type that is a number', { type: 1 }],
  ['a type that is unknown', { type: 'subscribed' }],
  ['a type in other letters', { type: 'PING' }],
  ['a type of the older protocol', { type: 'start', id: '1', payload: QUERY }],
  ['a type that every object has', { type: 'constructor' }],
  ['an init whose payload is a text', { type: 'connection_init', payload: 'token' }],
  ['an init whose payload is a list', { type: 'connection_init', payload: [] }],
  ['an init whose payload is a number', { type: 'connection_init', payload: 1 }],
  ['a ping whose payload is a text', { type: 'ping', payload: 'x' }],
  ['a ping whose payload is a list', { type: 'ping', payload: [] }],
  ['a pong whose payload is a boolean', { type: 'pong', payload: true }],
  ['a subscribe without an id', { type: 'subscribe', payload: QUERY }],
  ['a subscribe whose id is null', { type: 'subscribe', id: null, payload: QUERY }],
  ['a subscribe whose id is empty', { type: 'subscribe', id: '', payload: QUERY }],
  ['a subscribe whose id is a number', { type: 'subscribe', id: 1, payload: QUERY }],
  ['a subscribe whose id is an object', { type: 'subscribe', id: {}, payload: QUERY }],
  ['a subscribe without a payload', { type: 'subscribe', id: '1' }],
  ['a subscribe whose payload is null', { type: 'subscribe', id: '1', payload: null }],
  ['a subscribe whose payload is a text', { type: 'subscribe', id: '1', payload: '{ viewer { role } }' }],
  ['a subscribe whose payload is a list', { type: 'subscribe', id: '1', payload: [QUERY] }],
  ['a subscribe without a query', { type: 'subscribe', id: '1', payload: {} }],
  ['a subscribe whose query is null', { type: 'subscribe', id: '1', payload: { query: null } }],
  ['a subscribe whose query is an object', { type: 'subscribe', id: '1', payload: { query: {} } }],
  ['variables that are a text', { type: 'subscribe', id: '1', payload: { ...QUERY, variables: '{}' } }],
  ['variables that are a list', { type: 'subscribe', id: '1', payload: { ...QUERY, variables: [] } }],
  [
    'an operation name that is a number',
    { type: 'subscribe', id: '1', payload: { ...QUERY, operationName: 1 } },
  ],
  ['extensions that are a list', { type: 'subscribe', id: '1', payload: { ...QUERY, extensions: [] } }],
  ['a complete without an id', { type: 'complete' }],
  ['a complete whose id is empty', { type: 'complete', id: '' }],
  ['a complete whose id is a number', { type: 'complete', id: 1 }],
  ['a next that has no payload', { type: 'next', id: '1' }],
  ['an error whose payload is no list', { type: 'error', id: '1', payload: {} }],
];

const closings = conversations([
  ['subscribe before init', subscribe('1', QUERY), closed(4401, 'Unauthorized')],
  ['subscribe after init, before the ack', init(), subscribe('1', QUERY), closed(4401, 'Unauthorized')],
  ['an init without a payload', send({ type: 'connection_init' }), closed(4403, 'Forbidden')],
  ['an init with null for a payload', init(null), closed(4403, 'Forbidden')],
  ['an init without a token', init({}), closed(4403, 'Forbidden')],
  ['a token that is no text', init({ token: 1 }), closed(4403, 'Forbidden')],
  [
    'a token that nobody issued',
    init({ token: 'mlr_nonsense' }),
    closed(4403, 'UNAUTHENTICATED: This token is unknown, was revoked or has expired.'),
  ],
  [
    'an organization that is not the token’s',
    init({ token: TOKEN, organization: 'x' }),
    closed(4403, 'FORBIDDEN: This token opens another organization.'),
  ],
  ['a second init', ...acknowledged, init(), closed(4429, 'Too many initialisation requests')],
  ['a second init before the ack', init(), init(), closed(4429, 'Too many initialisation requests')],
  [
    'no init, only pings',
    send({ type: 'ping' }),
    get({ type: 'pong' }),
    closed(4408, 'Connection initialisation timeout'),
  ],
  [
    'an id that is under way',
    ...acknowledged,
    subscribe('same', { query: 'subscription { jobsChanged { matches } }' }),
    subscribe('same', QUERY),
    closed(4409, 'Subscriber for same already exists'),
  ],
  [
    'an id that is under way, of a query',
    ...acknowledged,
    subscribe('same', QUERY),
    subscribe('same', QUERY),
    closed(4409, 'Subscriber for same already exists'),
  ],
  [
    'an id that is under way and very long: a close tells at most 123 bytes',
    ...acknowledged,
    subscribe('é'.repeat(100), QUERY),
    subscribe('é'.repeat(100), QUERY),
    closed(4409, `Subscriber for ${'é'.repeat(26)}`),
  ],
  ['a message of more than 128 KiB', ...acknowledged, send('x'.repeat(128 * 1024 + 1)), closed(1009, '')],
  ['a message of the server: connection_ack', ...acknowledged, send({ type: 'connection_ack' }), bad],
  ['a message of the server: next', ...acknowledged, send({ type: 'next', id: '1', payload: {} }), bad],
  [
    'a message of the server: error',
    ...acknowledged,
    send({ type: 'error', id: '1', payload: [{ message: 'x' }] }),
    bad,
  ],
]);

const next = (id: string, payload: object) => get({ id, type: 'next', payload });
const complete = (id: string) => get({ id, type: 'complete' });
const failed = (id: string, code: string) => get({ id, type: 'error', payload: [{ extensions: { code } }] });
const PING = [
  send({ type: 'ping', payload: { still: 'here' } }),
  get({ type: 'pong', payload: { still: 'here' } }),
];

const exchanges = conversations([
  ['a ping before init', send({ type: 'ping' }), get({ type: 'pong' })],
  ['a ping with a payload', ...acknowledged, ...PING],
  [
    'a ping whose payload is null',
    ...acknowledged,
    send({ type: 'ping', payload: null }),
    get({ type: 'pong' }),
  ],
  ['a pong that nobody asked for', send({ type: 'pong', payload: { at: 1 } }), ...acknowledged, ...PING],
  [
    'an init with more than is known',
    init({ token: TOKEN, organization: null, theme: 'dark' }),
    get({ type: 'connection_ack' }),
  ],
  ['a query', ...acknowledged, subscribe('q', QUERY), next('q', ROLE), complete('q'), ...PING],
  [
    'a mutation',
    ...acknowledged,
    subscribe('m', MUTATION),
    next('m', { data: { cancelJob: { userErrors: [{ code: 'NOT_FOUND' }] } } }),
    complete('m'),
    ...PING,
  ],
  [
    'one of several operations, by name, with variables and extensions',
    ...acknowledged,
    subscribe('n', {
      query: 'query A { viewer { role } } query B($id: ID!) { job(id: $id) { id } }',
      operationName: 'A',
      variables: null,
      extensions: { any: 'thing' },
    }),
    next('n', ROLE),
    complete('n'),
  ],
  [
    'null for all that may be left out',
    ...acknowledged,
    subscribe('n', { ...QUERY, operationName: null, variables: null, extensions: null }),
    next('n', ROLE),
    complete('n'),
  ],
  [
    'a subscription that ends by itself, with an error in its result',
    ...acknowledged,
    subscribe('s', { query: 'subscription { jobEvents(id: "nonsense") { seq } }' }),
    next('s', { errors: [{ extensions: { code: 'NOT_FOUND' } }] }),
    complete('s'),
    ...PING,
  ],
  [
    'no GraphQL',
    ...acknowledged,
    subscribe('e', { query: '{ viewer {' }),
    failed('e', 'GRAPHQL_PARSE_FAILED'),
    ...PING,
  ],
  [
    'an empty query',
    ...acknowledged,
    subscribe('e', { query: '' }),
    failed('e', 'GRAPHQL_PARSE_FAILED'),
    ...PING,
  ],
  [
    'a field that is not there',
    ...acknowledged,
    subscribe('e', { query: '{ nothing }' }),
    failed('e', 'GRAPHQL_VALIDATION_FAILED'),
    ...PING,
  ],
  [
    'an operation that is not there',
    ...acknowledged,
    subscribe('e', { query: 'query A { viewer { role } }', operationName: 'B' }),
    get({ id: 'e', type: 'error', payload: [{ extensions: { code: 'BAD_USER_INPUT' } }] }),
    ...PING,
  ],
  [
    'an id again after its operation is complete, and after its error',
    ...acknowledged,
    subscribe('again', QUERY),
    next('again', ROLE),
    complete('again'),
    subscribe('again', { query: '{ nothing }' }),
    failed('again', 'GRAPHQL_VALIDATION_FAILED'),
    subscribe('again', QUERY),
    next('again', ROLE),
    complete('again'),
  ],
  [
    'ids that every object has',
    ...acknowledged,
    ...['__proto__', 'constructor', 'toString'].flatMap((id) => [
      subscribe(id, QUERY),
      next(id, ROLE),
      complete(id),
    ]),
  ],
  [
    'complete of an id that nobody knows',
    ...acknowledged,
    send({ id: 'unknown', type: 'complete' }),
    ...PING,
  ],
  ['complete before init', send({ id: 'unknown', type: 'complete' }), ...acknowledged],
  [
    'complete after the server’s own complete',
    ...acknowledged,
    subscribe('c', QUERY),
    next('c', ROLE),
    complete('c'),
    send({ id: 'c', type: 'complete' }),
    ...PING,
  ],
  [
    'complete of one that is under way: no complete comes back',
    ...acknowledged,
    subscribe('c', { query: 'subscription { jobsChanged { matches } }' }),
    send({ id: 'c', type: 'complete' }),
    ...PING,
  ],
]);

const url = (): string => api.graphqlUrl;
const withToken = (sends: unknown): unknown =>
  typeof sends === 'object' && !Buffer.isBuffer(sends)
    ? JSON.stringify(sends).replace(TOKEN, api.tokens.member)
    : sends;

async function hold(steps: readonly Step[], protocols?: string[]): Promise<void> {
  await using socket = await RawSocket.open(url(), protocols);
  for (const step of steps) {
    if ('sends' in step) socket.send(withToken(step.sends));
    else if ('gets' in step) expect(await socket.next()).toMatchObject(step.gets);
    else expect(await socket.closed).toEqual(step);
  }
  expect(socket.unread).toEqual([]);
}

function conversations(rows: readonly (readonly [name: string, ...steps: Step[]])[]): Conversation[] {
  return rows.map(([name, ...steps]) => [name, steps]);
}

let held = 0;
const all = badMessages.length * 2 + closings.length + exchanges.length;
afterAll(async () => {
  process.stdout.write(`graphql-ws conversations: ${held} of ${all} as the protocol says\n`);
  await api.close();
});
const passes = async (steps: readonly Step[]): Promise<void> => {
  await hold(steps);
  held += 1;
};

describe('a socket is closed with 4400 by', () => {
  it.each(badMessages)('%s, before init', async (_name, message) => passes([send(message), bad]));
  it.each(badMessages)('%s, after the ack', async (_name, message) =>
    passes([...acknowledged, send(message), bad]),
  );
});

describe('a socket is closed by', () => {
  it.concurrent.each(closings)('%s', async (_name, steps) => passes(steps));
});

describe('a socket lasts after', () => {
  it.each(exchanges)('%s', async (_name, steps) => passes(steps));
});
