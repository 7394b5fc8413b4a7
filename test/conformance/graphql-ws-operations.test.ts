import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { insertApiKey, revokeApiKey } from '../../src/repositories/api-keys.ts';
import { trafficLoad, trafficPanel } from '../panels/support.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { Gate } from '../support/gate.ts';
import { addEvent, seedEvents, seedJob } from '../support/job-rows.ts';
import { RawSocket } from '../support/raw-socket.ts';
import { waitFor } from '../support/wait.ts';

/** How operations on one socket go beside, after and instead of each other, by graphql-ws' PROTOCOL.md. */

let api: TestApi;
/** Queries of the traffic panel wait here. */
let gate = new Gate();
let waiting = 0;
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
afterAll(() => api.close());

const SLOW = { query: '{ dashboard { traffic { sessions } } }' };
const QUICK = { query: '{ viewer { role } }' };
const QUICK_ANSWER = [
  { type: 'next', payload: { data: { viewer: { role: 'MEMBER' } } } },
  { type: 'complete' },
];

async function connect(token = api.tokens.member): Promise<RawSocket> {
  const socket = await RawSocket.open(api.graphqlUrl);
  socket.send({ type: 'connection_init', payload: { token } });
  expect(await socket.next()).toEqual({ type: 'connection_ack' });
  return socket;
}

const subscribe = (socket: RawSocket, id: string, payload: object): void =>
  socket.send({ id, type: 'subscribe', payload });

/** The pong comes behind all that was sent before it. */
async function nothingMoreOn(socket: RawSocket): Promise<void> {
  socket.send({ type: 'ping' });
  expect(await socket.next()).toEqual({ type: 'pong' });
}

const jobEvents = (id: string) => ({
  query: 'subscription ($id: ID!) { jobEvents(id: $id) { seq } }',
  variables: { id },
});

async function runningJob() {
  const job = await seedJob(api.database.db, api.organization.id, { status: 'running' });
  await seedEvents(api.database.db, job, 1, 'running');
  return job;
}

const event = (id: string, seq: number) => ({ id, type: 'next', payload: { data: { jobEvents: { seq } } } });

describe('operations beside each other', () => {
  it('are answered as they are done, not as they were asked', async () => {
    await using socket = await connect();
    subscribe(socket, 'slow', SLOW);
    await waitFor(() => waiting === 1);
    subscribe(socket, 'quick', QUICK);
    expect(await socket.untilEnd('quick')).toMatchObject(QUICK_ANSWER);
    gate.open();
    expect(await socket.untilEnd('slow')).toMatchObject([
      { type: 'next', payload: { data: { dashboard: { traffic: { sessions: 12 } } } } },
      { type: 'complete' },
    ]);
    await nothingMoreOn(socket);
  });

  it('a subscription goes on while queries, mutations and mistakes come and go', async () => {
    await using socket = await connect();
    const job = await runningJob();
    subscribe(socket, 'events', jobEvents(job.id));
    expect(await socket.next()).toEqual(event('events', 1));
    subscribe(socket, 'query', QUICK);
    expect(await socket.untilEnd('query')).toMatchObject(QUICK_ANSWER);
    subscribe(socket, 'mistake', { query: '{ nothing }' });
    expect(await socket.untilEnd('mistake')).toMatchObject([{ type: 'error' }]);
    subscribe(socket, 'mutation', { query: 'mutation { cancelJob(id: "x") { userErrors { code } } }' });
    expect(await socket.untilEnd('mutation')).toMatchObject([{ type: 'next' }, { type: 'complete' }]);
    await addEvent(api.database.db, job, 2, 'completed');
    expect(await socket.untilEnd('events')).toEqual([event('events', 2), { id: 'events', type: 'complete' }]);
    await nothingMoreOn(socket);
  });

  it('two subscriptions to the same get the same, each under its id', async () => {
    await using socket = await connect();
    const job = await runningJob();
    subscribe(socket, 'a', jobEvents(job.id));
    subscribe(socket, 'b', jobEvents(job.id));
    const first = [await socket.next(), await socket.next()];
    expect(first).toHaveLength(2);
    expect(first).toEqual(expect.arrayContaining([event('a', 1), event('b', 1)]));
    await addEvent(api.database.db, job, 2, 'completed');
    const rest = [await socket.next(), await socket.next(), await socket.next(), await socket.next()];
    for (const id of ['a', 'b']) {
      expect(rest.filter((message) => message.id === id)).toEqual([event(id, 2), { id, type: 'complete' }]);
    }
  });
});

describe('what a client has completed', () => {
  it('a query that is still under way gives neither result nor complete', async () => {
    await using socket = await connect();
    subscribe(socket, 'slow', SLOW);
    await waitFor(() => waiting === 1);
    socket.send({ id: 'slow', type: 'complete' });
    await nothingMoreOn(socket);
    gate.open();
    subscribe(socket, 'after', SLOW);
    expect(await socket.untilEnd('after')).toHaveLength(2);
    expect(socket.unread).toEqual([]);
  });

  it('a subscription gives no event more, and its stream is let go', async () => {
    await using socket = await connect();
    const job = await runningJob();
    subscribe(socket, 'gone', jobEvents(job.id));
    expect(await socket.next()).toEqual(event('gone', 1));
    subscribe(socket, 'stays', jobEvents(job.id));
    expect(await socket.next()).toEqual(event('stays', 1));
    socket.send({ id: 'gone', type: 'complete' });
    await waitFor(() => api.app.openStreams === 1);
    await addEvent(api.database.db, job, 2, 'completed');
    expect(await socket.next()).toEqual(event('stays', 2));
    expect(await socket.next()).toEqual({ id: 'stays', type: 'complete' });
    await nothingMoreOn(socket);
    await waitFor(() => api.app.openStreams === 0);
  });

  it('a query’s id may be another operation’s at once, which alone is answered', async () => {
    await using socket = await connect();
    subscribe(socket, 'id', SLOW);
    await waitFor(() => waiting === 1);
    socket.send({ id: 'id', type: 'complete' });
    const job = await runningJob();
    subscribe(socket, 'id', jobEvents(job.id));
    expect(await socket.next()).toEqual(event('id', 1));
    gate.open();
    subscribe(socket, 'other', SLOW);
    expect((await socket.untilEnd('other')).map(({ type }) => type)).toEqual(['next', 'complete']);
    await addEvent(api.database.db, job, 2, 'completed');
    expect(await socket.next()).toEqual(event('id', 2));
    expect(await socket.next()).toEqual({ id: 'id', type: 'complete' });
    await nothingMoreOn(socket);
  });

  it('a subscription’s id may be another’s at once, which goes on and can be completed too', async () => {
    await using socket = await connect();
    const job = await runningJob();
    for (let time = 0; time < 5; time += 1) {
      subscribe(socket, 'id', jobEvents(job.id));
      expect(await socket.next()).toEqual(event('id', 1));
      socket.send({ id: 'id', type: 'complete' });
    }
    subscribe(socket, 'id', jobEvents(job.id));
    expect(await socket.next()).toEqual(event('id', 1));
    await waitFor(() => api.app.openStreams === 1);
    await nothingMoreOn(socket);
    socket.send({ id: 'id', type: 'complete' });
    await waitFor(() => api.app.openStreams === 0);
    await nothingMoreOn(socket);
  });

  it('before the server has looked at it, it is not run to its end', async () => {
    await using socket = await connect();
    const job = await runningJob();
    subscribe(socket, 'id', jobEvents(job.id));
    socket.send({ id: 'id', type: 'complete' });
    subscribe(socket, 'id', QUICK);
    expect(await socket.untilEnd('id')).toMatchObject(QUICK_ANSWER);
    await nothingMoreOn(socket);
    await waitFor(() => api.app.openStreams === 0);
  });
});

describe('a socket that is being closed', () => {
  it('does nothing for what comes behind the message that it is closed for', async () => {
    await using socket = await connect();
    socket.socket.pause();
    socket.send('nonsense');
    const job = await seedJob(api.database.db, api.organization.id, { status: 'pending' });
    subscribe(socket, 'm', {
      query: 'mutation ($id: ID!) { cancelJob(id: $id) { job { status } userErrors { code } } }',
      variables: { id: job.id },
    });
    socket.socket.resume();
    expect(await socket.closed).toMatchObject({ code: 4400 });
    expect(socket.unread).toEqual([]);
    const { data } = await api.ask('query ($id: ID!) { job(id: $id) { status cancelRequestedAt } }', {
      id: job.id,
    });
    expect(data).toEqual({ job: { status: 'PENDING', cancelRequestedAt: null } });
  });

  it('gives nothing more of its operations once its token is revoked, and is closed with 4403', async () => {
    const { id, token } = await insertApiKey(api.database.db, {
      organizationId: api.organization.id,
      userId: null,
      name: 'short-lived',
      role: 'viewer',
    });
    await using socket = await connect(token);
    subscribe(socket, 'events', jobEvents((await runningJob()).id));
    expect(await socket.next()).toEqual(event('events', 1));
    await revokeApiKey(api.database.db, { organizationId: api.organization.id, id, revokedBy: 'api:test' });
    expect(await socket.closed).toEqual({
      code: 4403,
      reason: 'UNAUTHENTICATED: This token is unknown, was revoked or has expired.',
    });
    expect(socket.unread).toEqual([]);
    await waitFor(() => api.app.openStreams === 0);
  });

  it.each([1000, 1001, 4000])('by its client with %i lets go of all that was under way', async (code) => {
    await using socket = await connect();
    subscribe(socket, 'events', jobEvents((await runningJob()).id));
    subscribe(socket, 'slow', SLOW);
    expect(await socket.next()).toEqual(event('events', 1));
    socket.socket.close(code);
    expect(await socket.closed).toMatchObject({ code });
    await waitFor(() => api.app.openStreams === 0);
    gate.open();
  });
});

describe('the handshake', () => {
  it.each([[[]], [['graphql-ws']], [['json', 'graphql-transport-ws2']]])(
    'with the subprotocols %j ends in 4406, or is refused',
    async (protocols) => {
      const outcome = RawSocket.open(api.graphqlUrl, protocols).then(({ closed }) => closed);
      if (protocols.length === 0) {
        expect(await outcome).toEqual({ code: 4406, reason: 'Subprotocol not acceptable' });
      } else await expect(outcome).rejects.toThrow('Server sent no subprotocol');
    },
  );

  it('takes graphql-transport-ws among others', async () => {
    await using socket = await RawSocket.open(api.graphqlUrl, ['graphql-ws', 'graphql-transport-ws', 'json']);
    expect(socket.socket.protocol).toBe('graphql-transport-ws');
  });
});
