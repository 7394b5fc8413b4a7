import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { insertApiKey, revokeApiKey } from '../../src/repositories/api-keys.ts';
import { EventStreams } from '../../src/graphql/sse/event-streams.ts';
import { trafficLoad, trafficPanel } from '../panels/support.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { readEvents } from '../support/event-stream.ts';
import { Gate } from '../support/gate.ts';
import { addEvent, seedEvents, seedJob } from '../support/job-rows.ts';
import { waitFor } from '../support/wait.ts';

/** GraphQL over Server-Sent Events in single connection mode: https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md */

let api: TestApi;
/** Queries of the traffic panel wait here. */
let gate = new Gate();
let waiting = 0;
const leaving = new AbortController();
beforeAll(async () => {
  const traffic = trafficPanel(async () => {
    waiting += 1;
    await gate.opened;
    return trafficLoad;
  });
  api = await startApi({ panels: { traffic } });
});
beforeEach(() => {
  gate = new Gate();
  waiting = 0;
});
let passed = 0;
afterAll(async () => {
  process.stdout.write(`graphql-sse requests: ${passed} of ${requests.length} as the protocol says\n`);
  leaving.abort();
  await api.close();
});

interface Asked {
  readonly method: string;
  readonly token?: string | null;
  /** The stream's */
  readonly stream?: string;
  readonly search?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

const ask = ({ method, token = api.tokens.member, stream, search = '', headers, body, signal }: Asked) =>
  fetch(`${api.graphqlUrl}/stream${search}`, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(stream === undefined ? {} : { 'x-graphql-event-stream-token': stream }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    signal: signal ?? leaving.signal,
  });

const EVENTS = { accept: 'text/event-stream' };

async function reserve(token?: string): Promise<string> {
  const response = await ask({ method: 'PUT', ...(token === undefined ? {} : { token }) });
  expect(response.status).toBe(201);
  expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  return response.text();
}

async function connect(stream: string, options: Partial<Asked> = {}) {
  const response = await ask({ method: 'GET', stream, headers: EVENTS, ...options });
  expect(response.status).toBe(200);
  const events = readEvents(response);
  return { response, next: async () => (await events.next()).value };
}

const operation = (id: unknown, query: string, variables?: object) => ({
  query,
  variables,
  extensions: { operationId: id },
});
const start = (stream: string, id: unknown, query: string, variables?: object) =>
  ask({ method: 'POST', stream, body: operation(id, query, variables) });

const QUERY = '{ viewer { role } }';
const MUTATION = 'mutation { cancelJob(id: "nonsense") { userErrors { code } } }';
const SLOW = '{ dashboard { traffic { sessions } } }';
const EVENTS_OF = 'subscription ($id: ID!) { jobEvents(id: $id) { seq } }';
const encoded = (value: object): string => encodeURIComponent(JSON.stringify(value));

/** What is asked of a stream that is reserved, and the status of the answer. */
const requests: readonly (readonly [name: string, status: number, asked: Asked])[] = [
  ['reserve a stream', 201, { method: 'PUT' }],
  ['reserve a stream, as text/plain', 201, { method: 'PUT', headers: { accept: 'text/plain' } }],
  ['reserve a stream, as JSON', 406, { method: 'PUT', headers: { accept: 'application/json' } }],
  ['reserve a stream, with no token', 401, { method: 'PUT', token: null }],
  ['reserve a stream, with a token that nobody issued', 401, { method: 'PUT', token: 'nonsense' }],
  ['reserve a stream of another organization', 403, { method: 'PUT', headers: { 'x-organization': 'x' } }],
  ['connect', 200, { method: 'GET', stream: '*', headers: EVENTS }],
  [
    'connect, with the stream’s token in the address',
    200,
    { method: 'GET', search: '?token=*', headers: EVENTS },
  ],
  ['connect to a stream that is not there', 404, { method: 'GET', stream: 'x', headers: EVENTS }],
  ['connect, with no token of one’s own', 401, { method: 'GET', stream: '*', headers: EVENTS, token: null }],
  ['a query', 202, { method: 'POST', stream: '*', body: operation('1', QUERY) }],
  [
    'a query, with the stream’s token in the address',
    202,
    { method: 'POST', search: '?token=*', body: operation('1', QUERY) },
  ],
  [
    'a query by GET',
    202,
    {
      method: 'GET',
      stream: '*',
      search: `?query=${encodeURIComponent(QUERY)}&extensions=${encoded({ operationId: '1' })}`,
    },
  ],
  ['a mutation', 202, { method: 'POST', stream: '*', body: operation('1', MUTATION) }],
  [
    'a mutation by GET',
    405,
    {
      method: 'GET',
      stream: '*',
      search: `?query=${encodeURIComponent(MUTATION)}&extensions=${encoded({ operationId: '1' })}`,
    },
  ],
  [
    'a subscription',
    202,
    { method: 'POST', stream: '*', body: operation('1', EVENTS_OF, { id: 'nonsense' }) },
  ],
  [
    'a subscription that defers',
    202,
    { method: 'POST', stream: '*', body: operation('1', '{ viewer { ... @defer { role } } }') },
  ],
  ['an operation without a stream', 400, { method: 'POST', body: operation('1', QUERY) }],
  [
    'an operation on a stream that is not there',
    404,
    { method: 'POST', stream: 'x', body: operation('1', QUERY) },
  ],
  [
    'an operation with no token of one’s own',
    401,
    { method: 'POST', stream: '*', token: null, body: operation('1', QUERY) },
  ],
  ['an operation without an id', 400, { method: 'POST', stream: '*', body: { query: QUERY } }],
  ['an operation whose id is empty', 400, { method: 'POST', stream: '*', body: operation('', QUERY) }],
  ['an operation whose id is a number', 400, { method: 'POST', stream: '*', body: operation(1, QUERY) }],
  [
    'an operation without a query',
    400,
    { method: 'POST', stream: '*', body: { extensions: { operationId: '1' } } },
  ],
  ['no GraphQL', 400, { method: 'POST', stream: '*', body: operation('1', '{ viewer {') }],
  ['a field that is not there', 400, { method: 'POST', stream: '*', body: operation('1', '{ nothing }') }],
  ['a body that is no JSON', 400, { method: 'POST', stream: '*', body: '{"query":' }],
  [
    'a body of another type',
    415,
    { method: 'POST', stream: '*', body: '{}', headers: { 'content-type': 'application/xml' } },
  ],
  [
    'a body of more than a megabyte',
    413,
    { method: 'POST', stream: '*', body: operation('1', `${QUERY} #${'x'.repeat(1_100_000)}`) },
  ],
  ['stop an operation that is not there', 200, { method: 'DELETE', stream: '*', search: '?operationId=1' }],
  ['stop no operation', 400, { method: 'DELETE', stream: '*' }],
  ['stop an operation without a stream', 400, { method: 'DELETE', search: '?operationId=1' }],
  [
    'stop an operation on a stream that is not there',
    404,
    { method: 'DELETE', stream: 'x', search: '?operationId=1' },
  ],
  [
    'stop an operation with no token of one’s own',
    401,
    { method: 'DELETE', stream: '*', token: null, search: '?operationId=1' },
  ],
  ['PATCH', 405, { method: 'PATCH', stream: '*' }],
  ['HEAD', 405, { method: 'HEAD', stream: '*' }],
];

describe('a request to /graphql/stream', () => {
  it.each(requests)('%s: %i', async (_name, status, asked) => {
    const stream = await reserve();
    const response = await ask({
      ...asked,
      ...(asked.stream === '*' ? { stream } : {}),
      ...(asked.search === undefined ? {} : { search: asked.search.replace('*', stream) }),
    });
    expect(response.status).toBe(status);
    if (status >= 400 && asked.method !== 'HEAD' && status !== 415) {
      const { errors } = (await response.json()) as { errors: { message: string; extensions: object }[] };
      expect(errors[0]?.message).toMatch(/\w/);
    } else await response.body?.cancel();
    passed += 1;
  });
});

describe('one event stream', () => {
  it('gives each operation’s results under its id, and its complete behind them', async () => {
    const stream = await reserve();
    const { response, next } = await connect(stream);
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(response.headers.get('cache-control')).toContain('no-transform');
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    await start(stream, 'q', QUERY);
    expect(await next()).toMatchObject({
      event: 'next',
      data: { id: 'q', payload: { data: { viewer: { role: 'MEMBER' } } } },
    });
    expect(await next()).toEqual({ event: 'complete', data: { id: 'q' } });
    await start(stream, 'q', EVENTS_OF, { id: 'nonsense' });
    expect(await next()).toMatchObject({
      event: 'next',
      data: { id: 'q', payload: { errors: [{ extensions: { code: 'NOT_FOUND' } }] } },
    });
    expect(await next()).toEqual({ event: 'complete', data: { id: 'q' } });
  });

  it('is connected once: a second connection is a conflict, and the first goes on', async () => {
    const stream = await reserve();
    const { next } = await connect(stream);
    expect((await ask({ method: 'GET', stream, headers: EVENTS })).status).toBe(409);
    await start(stream, 'q', QUERY);
    expect(await next()).toMatchObject({ event: 'next', data: { id: 'q' } });
  });

  it('gives what was asked before it was connected', async () => {
    const stream = await reserve();
    expect((await start(stream, 'early', QUERY)).status).toBe(202);
    const { next } = await connect(stream);
    expect(await next()).toMatchObject({ event: 'next', data: { id: 'early' } });
    expect(await next()).toEqual({ event: 'complete', data: { id: 'early' } });
  });

  it('refuses an id that is under way with 409, and takes it again afterwards', async () => {
    const stream = await reserve();
    const { next } = await connect(stream);
    const slow = start(stream, 'id', SLOW);
    await waitFor(() => waiting === 1);
    const again = await start(stream, 'id', QUERY);
    expect(again.status).toBe(409);
    gate.open();
    expect((await slow).status).toBe(202);
    expect(await next()).toMatchObject({ event: 'next', data: { id: 'id' } });
    expect(await next()).toEqual({ event: 'complete', data: { id: 'id' } });
    expect((await start(stream, 'id', QUERY)).status).toBe(202);
  });

  it('a query that is stopped before it is done is answered with 204, and says nothing', async () => {
    const stream = await reserve();
    const { next } = await connect(stream);
    const slow = start(stream, 'slow', SLOW);
    await waitFor(() => waiting === 1);
    expect((await ask({ method: 'DELETE', stream, search: '?operationId=slow' })).status).toBe(200);
    await start(stream, 'slow', QUERY);
    gate.open();
    expect((await slow).status).toBe(204);
    expect(await next()).toMatchObject({ data: { id: 'slow', payload: { data: { viewer: {} } } } });
    expect(await next()).toEqual({ event: 'complete', data: { id: 'slow' } });
  });

  it('follows jobs to their end; one that is stopped is let go at once', async () => {
    const { db } = api.database;
    const job = await seedJob(db, api.organization.id, { status: 'running' });
    await seedEvents(db, job, 1, 'running');
    const stream = await reserve();
    const { next } = await connect(stream);
    for (const id of ['stays', 'goes']) {
      expect((await start(stream, id, EVENTS_OF, { id: job.id })).status).toBe(202);
      expect(await next()).toEqual({
        event: 'next',
        data: { id, payload: { data: { jobEvents: { seq: 1 } } } },
      });
    }
    await ask({ method: 'DELETE', stream, search: '?operationId=goes' });
    await waitFor(() => api.app.openStreams === 1);
    await addEvent(db, job, 2, 'completed');
    expect(await next()).toMatchObject({ event: 'next', data: { id: 'stays' } });
    expect(await next()).toEqual({ event: 'complete', data: { id: 'stays' } });
    await waitFor(() => api.app.openStreams === 0);
  });

  it('whose reader goes away leaves nothing behind, and its token is of no use any more', async () => {
    const { db } = api.database;
    const job = await seedJob(db, api.organization.id, { status: 'running' });
    await seedEvents(db, job, 1, 'running');
    const stream = await reserve();
    const gone = new AbortController();
    const { next } = await connect(stream, { signal: gone.signal });
    await start(stream, 'events', EVENTS_OF, { id: job.id });
    await next();
    expect(api.app.openStreams).toBe(1);
    gone.abort();
    await waitFor(() => api.app.openStreams === 0);
    expect((await start(stream, 'more', QUERY)).status).toBe(404);
  });
});

describe('whose stream it is', () => {
  it.each(['viewer', 'stranger'] as const)('another’s (%s) is as one that does not exist', async (role) => {
    const stream = await reserve();
    const token = api.tokens[role];
    const asked: Asked[] = [
      { method: 'GET', headers: EVENTS },
      { method: 'POST', body: operation('1', QUERY) },
      { method: 'DELETE', search: '?operationId=1' },
    ];
    for (const each of asked) expect((await ask({ ...each, stream, token })).status).toBe(404);
    await connect(stream);
  });

  it('it is cut when its key is revoked', async () => {
    const { id, token } = await insertApiKey(api.database.db, {
      organizationId: api.organization.id,
      userId: null,
      name: 'short-lived',
      role: 'viewer',
    });
    const stream = await reserve(token);
    const { next } = await connect(stream, { token });
    await revokeApiKey(api.database.db, { organizationId: api.organization.id, id, revokedBy: 'api:test' });
    await expect(next()).rejects.toThrow('terminated');
  });

  it('a viewer may not change anything by it', async () => {
    const token = api.tokens.viewer;
    const stream = await reserve(token);
    const { next } = await connect(stream, { token });
    await ask({ method: 'POST', stream, token, body: operation('m', MUTATION) });
    expect(await next()).toMatchObject({
      data: { id: 'm', payload: { errors: [{ extensions: { code: 'FORBIDDEN' } }] } },
    });
  });
});

describe('streams are bounded', () => {
  const credentials = { token: 'x', organization: null };

  it('a reservation that nobody uses is over after its time', async () => {
    const streams = new EventStreams({ reservedMs: 20, maxPerOrganization: 10 });
    let closed = 0;
    const stream = streams.reserve('a', credentials, () => (closed += 1));
    expect(streams.find(stream?.token ?? '', credentials)).toBe(stream);
    await waitFor(() => closed === 1);
    expect(streams.open).toBe(0);
  });

  it('there are so many at most, and so many of one organization', () => {
    const streams = new EventStreams({ max: 3, maxPerOrganization: 2 });
    const reserveFor = (organizationId: string) =>
      streams.reserve(organizationId, credentials, () => undefined);
    const first = reserveFor('a');
    expect([reserveFor('a'), reserveFor('b')]).not.toContain(null);
    expect([reserveFor('a'), reserveFor('b'), reserveFor('c')]).toEqual([null, null, null]);
    first?.close();
    expect(reserveFor('a')).not.toBeNull();
  });

  it('a hundred operations run on one', async () => {
    const stream = await reserve();
    await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        start(stream, `${n}`, 'subscription { jobsChanged { matches } }').then(({ status }) => {
          expect(status).toBe(202);
        }),
      ),
    );
    expect((await start(stream, 'more', QUERY)).status).toBe(429);
  });
});
