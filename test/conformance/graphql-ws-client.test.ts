import { createClient, type Client, type ClientOptions } from 'graphql-ws';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startApi, type TestApi } from '../support/api.ts';
import { addEvent, seedEvents, seedJob } from '../support/job-rows.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { waitFor } from '../support/wait.ts';

/** graphql-ws' own client as a peer that knows nothing of this server. */

let api: TestApi;
let proxy: TcpProxy;
const clients: Client[] = [];
beforeAll(async () => {
  api = await startApi();
  proxy = await startTcpProxy(api.graphqlUrl);
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map(async (client) => client.dispose()));
});
afterAll(async () => {
  await proxy.close();
  await api.close();
});

function connect(options: Partial<ClientOptions> = {}): { client: Client; happened: string[] } {
  const happened: string[] = [];
  const client = createClient({
    url: api.graphqlUrl.replace('http', 'ws'),
    connectionParams: { token: api.tokens.viewer },
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    onNonLazyError: () => undefined,
    ...options,
    on: {
      connected: () => void happened.push('connected'),
      closed: (event) => void happened.push(`closed ${(event as { code: number }).code}`),
    },
  });
  clients.push(client);
  return { client, happened };
}

const QUERY = { query: '{ viewer { role } }' };
const answerTo = (role: string): unknown => expect.objectContaining({ data: { viewer: { role } } });
const ANSWER = answerTo('VIEWER');

async function all(results: AsyncIterable<unknown>): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const value of results) values.push(value);
  return values;
}

async function runningJob() {
  const job = await seedJob(api.database.db, api.organization.id, { status: 'running' });
  await seedEvents(api.database.db, job, 1, 'running');
  return job;
}

const jobEvents = (id: string) => ({
  query: 'subscription ($id: ID!) { jobEvents(id: $id) { seq } }',
  variables: { id },
});

describe('graphql-ws’ client', () => {
  it('that is lazy opens a socket for its operations, and closes it with 1000 after the last', async () => {
    const { client, happened } = connect({ lazy: true, lazyCloseTimeout: 0 });
    expect(happened).toEqual([]);
    expect(await Promise.all([all(client.iterate(QUERY)), all(client.iterate(QUERY))])).toEqual([
      [ANSWER],
      [ANSWER],
    ]);
    await waitFor(() => happened.includes('closed 1000'));
    expect(happened).toEqual(['connected', 'closed 1000']);
  });

  it('that is not lazy connects at once and stays', async () => {
    const { client, happened } = connect({ lazy: false });
    await waitFor(() => happened.includes('connected'));
    expect(await all(client.iterate(QUERY))).toEqual([ANSWER]);
    expect(await all(client.iterate(QUERY))).toEqual([ANSWER]);
    expect(happened).toEqual(['connected']);
  });

  it('keeps alive by pings of its own', async () => {
    let pongs = 0;
    const client = createClient({
      url: api.graphqlUrl.replace('http', 'ws'),
      connectionParams: { token: api.tokens.viewer },
      webSocketImpl: WebSocket,
      lazy: false,
      keepAlive: 20,
      on: { pong: (received) => (received ? (pongs += 1) : undefined) },
    });
    clients.push(client);
    await waitFor(() => pongs >= 3);
    expect(await all(client.iterate(QUERY))).toEqual([ANSWER]);
  });

  it('whose link breaks connects again with a new token, and asks for its subscriptions again', async () => {
    let tokensAsked = 0;
    const { client, happened } = connect({
      url: proxy.url.replace('http', 'ws'),
      connectionParams: () => {
        tokensAsked += 1;
        return { token: tokensAsked === 1 ? api.tokens.viewer : api.tokens.member };
      },
      retryAttempts: 5,
      retryWait: () => Promise.resolve(),
      shouldRetry: () => true,
    });
    const job = await runningJob();
    const events = client.iterate(jobEvents(job.id));
    const first = { data: { jobEvents: { seq: 1 } } };
    expect((await events.next()).value).toEqual(first);
    proxy.halfOpen();
    proxy.restore();
    // It begins anew: the log has it all.
    expect((await events.next()).value).toEqual(first);
    expect(tokensAsked).toBe(2);
    expect(happened).toEqual(['connected', 'closed 1006', 'connected']);
    await waitFor(() => api.app.openStreams === 1);
    await addEvent(api.database.db, job, 2, 'completed');
    expect(await all(events)).toEqual([{ data: { jobEvents: { seq: 2 } } }]);
    expect(await all(client.iterate({ query: '{ viewer { role } }' }))).toEqual([answerTo('MEMBER')]);
  });

  it('tells the errors of one operation to that one alone', async () => {
    const { client, happened } = connect({ lazy: false });
    const job = await runningJob();
    const events = client.iterate(jobEvents(job.id));
    await events.next();
    await expect(all(client.iterate({ query: '{ nothing }' }))).rejects.toMatchObject([
      { extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } },
    ]);
    await addEvent(api.database.db, job, 2, 'completed');
    expect(await all(events)).toEqual([{ data: { jobEvents: { seq: 2 } } }]);
    expect(happened).toEqual(['connected']);
  });

  it('that leaves a subscription leaves nothing of it behind', async () => {
    const { client, happened } = connect({ lazy: false });
    const events = client.iterate(jobEvents((await runningJob()).id));
    await events.next();
    expect(api.app.openStreams).toBe(1);
    await events.return?.();
    await waitFor(() => api.app.openStreams === 0);
    expect(happened).toEqual(['connected']);
  });
});
