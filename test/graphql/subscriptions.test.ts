import { createClient as createSocket, type Client } from 'graphql-ws';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startApi, type TestApi } from '../support/api.ts';
import { seedEvents, seedJob } from '../support/job-rows.ts';
import { waitFor } from '../support/wait.ts';

let api: TestApi;
const clients: Client[] = [];
beforeAll(async () => {
  api = await startApi();
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map(async (client) => client.dispose()));
});
afterAll(() => api.close());

function socketClient(token: string | undefined, onClosed: (code: number) => void = () => undefined): Client {
  const client = createSocket({
    url: api.graphqlUrl.replace('http', 'ws'),
    connectionParams: token === undefined ? {} : { token },
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    on: { closed: (event) => onClosed((event as { code: number }).code) },
  });
  clients.push(client);
  return client;
}

const PROGRESS = 'subscription ($id: ID!) { jobProgress(id: $id) { id status } }';

describe('a WebSocket', () => {
  test.each([undefined, 'nonsense'])('with the token %j is closed with 4403', async (token) => {
    const codes: number[] = [];
    const client = socketClient(token, (code) => codes.push(code));
    await expect(client.iterate({ query: '{ viewer { role } }' }).next()).rejects.toMatchObject({
      code: 4403,
    });
    await waitFor(() => codes.includes(4403));
  });

  test('from a foreign page is refused, and from our own is not', async () => {
    const connect = (origin: string) =>
      new Promise<string>((resolve) => {
        const socket = new WebSocket(api.graphqlUrl.replace('http', 'ws'), 'graphql-transport-ws', {
          origin,
        });
        socket.on('open', () => {
          socket.close();
          resolve('open');
        });
        socket.on('error', (error) => resolve(error.message));
      });
    expect(await connect('https://evil.example')).toContain('403');
    expect(await connect('null')).toContain('403');
    expect(await connect(api.url)).toBe('open');
  });

  test('with a message larger than 128 KiB is closed', async () => {
    const codes: number[] = [];
    const client = socketClient(api.tokens.viewer, (code) => codes.push(code));
    await expect(
      client.iterate({ query: `{ viewer { role } } #${'x'.repeat(140_000)}` }).next(),
    ).rejects.toMatchObject({ code: 1009 });
    expect(codes).toEqual([1009]);
  });

  test('keeps its other operations when one is no GraphQL, unknown to the schema or too large', async () => {
    const job = await seedJob(api.database.db, api.organization.id, { status: 'running' });
    await seedEvents(api.database.db, job, 1, 'running');
    const client = socketClient(api.tokens.viewer);
    const stream = client.iterate({ query: PROGRESS, variables: { id: job.id } });
    expect((await stream.next()).value).toMatchObject({ data: { jobProgress: { status: 'RUNNING' } } });
    const wrong = [
      '{ viewer {',
      '{ nothing }',
      `{ viewer { role } ${'__typename '.repeat(5_000)} }`,
      'subscription { jobProgress(id: "nonsense") { id } }',
    ];
    for (const query of wrong) {
      const answer = await client
        .iterate({ query })
        .next()
        .catch((errors: unknown) => ({ value: { errors } }));
      const { errors } = answer.value as { errors: { extensions: object }[] };
      expect(errors[0]?.extensions).toHaveProperty('code');
      expect(errors[0]?.extensions).not.toHaveProperty('http');
    }
    await seedEventsAfter(job, 'completed');
    expect((await stream.next()).value).toMatchObject({ data: { jobProgress: { status: 'COMPLETED' } } });
    expect((await stream.next()).done).toBe(true);
  });

  test('a viewer may follow, and may not change anything', async () => {
    const client = socketClient(api.tokens.viewer);
    const { value } = await client
      .iterate({ query: 'mutation { cancelJob(id: "nonsense") { userErrors { code } } }' })
      .next();
    expect(value).toMatchObject({ data: null, errors: [{ extensions: { code: 'FORBIDDEN' } }] });
  });

  test('is closed at its next operation when its token was revoked', async () => {
    const { rows } = await api.database.db.query<{ id: string }>(
      `SELECT k.id FROM api_keys k WHERE organization_id = $1 AND role = 'admin'`,
      [api.organization.id],
    );
    const codes: number[] = [];
    const client = socketClient(api.tokens.admin, (code) => codes.push(code));
    const job = await seedJob(api.database.db, api.organization.id, { status: 'running' });
    await seedEvents(api.database.db, job, 1, 'running');
    await client.iterate({ query: PROGRESS, variables: { id: job.id } }).next();
    await api.database.db.query('UPDATE api_keys SET revoked_at = now() WHERE id = $1', [rows[0]?.id]);
    await waitFor(
      async () => {
        await client
          .iterate({ query: '{ viewer { role } }' })
          .next()
          .catch(() => undefined);
        return codes.includes(4403);
      },
      { timeoutMs: 15_000 },
    );
  });
});

async function seedEventsAfter(job: { uuid: string }, status: string): Promise<void> {
  const { db } = api.database;
  await db.query(
    `INSERT INTO job_events (job_id, seq, type, attempt, status) VALUES ($1, 2, 'status', 1, $2::job_status)`,
    [job.uuid, status],
  );
  await db.query(
    `UPDATE jobs SET last_seq = 2, status = $2::job_status, completed_at = now(), status_changed_at = now() WHERE id = $1`,
    [job.uuid, status],
  );
}

test('readers that go away while they wait leave no stream behind', async () => {
  await waitFor(() => api.app.openStreams === 0);
  const job = await seedJob(api.database.db, api.organization.id, { status: 'running' });
  await seedEvents(api.database.db, job, 1, 'running');
  const operations = [
    'subscription ($id: ID!) { it: jobEvents(id: $id) { seq } }',
    'subscription ($id: ID!) { it: jobProgress(id: $id) { id } }',
    'subscription ($id: ID) { it: jobsChanged(filter: { parentId: $id, statuses: [RUNNING] }) { matches } }',
  ];
  const gone = new AbortController();
  for (const query of operations) {
    const stream = socketClient(api.tokens.viewer).iterate({ query, variables: { id: job.id } });
    stream.next().catch(() => undefined);
    const response = await fetch(api.graphqlUrl, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        authorization: `Bearer ${api.tokens.viewer}`,
      },
      body: JSON.stringify({ query, variables: { id: job.id } }),
      signal: gone.signal,
    });
    response.text().catch(() => undefined);
  }
  // Both readers of jobProgress share one.
  await waitFor(() => api.app.openStreams === 2 * operations.length - 1);
  gone.abort();
  clients.splice(0).forEach((client) => client.terminate());
  await waitFor(() => api.app.openStreams === 0);
});

describe('Server-Sent Events', () => {
  const subscribe = (query: string, variables: object, token = api.tokens.viewer) =>
    fetch(api.graphqlUrl, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        authorization: `Bearer ${token}`,
      },
      body: JSON.stringify({ query, variables }),
    });

  test('are told not to be buffered or changed on their way', async () => {
    const job = await seedJob(api.database.db, api.organization.id);
    await seedEvents(api.database.db, job, 2, 'completed');
    const response = await subscribe('subscription ($id: ID!) { jobEvents(id: $id, after: 1) { seq } }', {
      id: job.id,
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    expect(response.headers.get('cache-control')).toContain('no-transform');
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    const body = await response.text();
    expect(body).toContain('data: {"data":{"jobEvents":{"seq":2}}}');
    expect(body).not.toContain('"seq":1');
    expect(body.trimEnd()).toMatch(/event: complete\ndata:?$/);
  });

  test('tell a mistake in the stream itself', async () => {
    const body = await (await subscribe('subscription { jobEvents(id: "nonsense") { seq } }', {})).text();
    expect(body).toContain('"code":"NOT_FOUND"');
  });

  test('need a token', async () => {
    const response = await subscribe('subscription { jobEvents(id: "x") { seq } }', {}, 'nonsense');
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
  });
});
