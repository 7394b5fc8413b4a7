import { createClient as createSocket } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { createClient as createSdk } from '../../src/sdk/index.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { seedEvents, seedJob, type SeededJob } from '../support/job-rows.ts';
import { appendRawEvent } from '../support/raw-job.ts';
import { restartPort } from '../support/restart-port.ts';
import { COLLECTING_GARBAGE, spawnApi, type ApiProcess } from '../support/spawn-api.ts';
import { waitFor } from '../support/wait.ts';

/** Orchestrators kill what is still there after 30 s; ours is gone in half of it. */
const EXIT_MS = 15_000;

const READERS = 60;

const EVENTS = 'subscription ($id: ID!) { jobEvents(id: $id, after: 0) { seq message } }';

/** For the database, organization and tokens; what is stopped are processes of their own beside it. */
let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

async function write(job: SeededJob, message: string, status: 'running' | 'completed' = 'running') {
  return appendRawEvent(api.database.db, job.uuid, {
    type: status === 'running' ? 'log' : 'status',
    attempt: 1,
    status,
    progressPercent: null,
    message,
    level: null,
    errorCode: null,
  });
}

async function runningJob(): Promise<SeededJob> {
  const job = await seedJob(api.database.db, api.organization.id, { status: 'running' });
  await seedEvents(api.database.db, job, 1, 'running');
  return job;
}

interface SocketReader {
  readonly got: number[];
  readonly codes: number[];
  completed: boolean;
}

function readOverSocket(url: string, job: SeededJob): SocketReader {
  const reader: SocketReader = { got: [], codes: [], completed: false };
  const client = createSocket({
    url: url.replace('http', 'ws'),
    connectionParams: { token: api.tokens.viewer },
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    on: { closed: (event) => reader.codes.push((event as { code: number }).code) },
  });
  client.subscribe<{ jobEvents: { seq: number } }>(
    { query: EVENTS, variables: { id: job.id } },
    {
      next: ({ data }) => data && reader.got.push(data.jobEvents.seq),
      error: () => undefined,
      complete: () => (reader.completed = true),
    },
  );
  return reader;
}

/** A socket that asks for events and then takes nothing more from the network, not even a close. */
async function readNothing(url: string, job: SeededJob): Promise<WebSocket> {
  const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws');
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('open', resolve));
  const acknowledged = new Promise((resolve) => socket.once('message', resolve));
  socket.send(JSON.stringify({ type: 'connection_init', payload: { token: api.tokens.viewer } }));
  await acknowledged;
  socket.send(
    JSON.stringify({ id: '1', type: 'subscribe', payload: { query: EVENTS, variables: { id: job.id } } }),
  );
  await new Promise((resolve) => socket.once('message', resolve));
  socket.pause();
  return socket;
}

describe('an API process that gets SIGTERM', () => {
  test('sends what is due, closes sockets with 1001, and is gone in time', { timeout: 120_000 }, async () => {
    const process = await spawnApi(api.environment);
    const job = await runningJob();
    const readers = Array.from({ length: 20 }, () => readOverSocket(process.graphqlUrl, job));
    const stuck = await readNothing(process.graphqlUrl, job);
    await waitFor(() => readers.every(({ got }) => got.length === 1), { timeoutMs: 30_000 });
    // No hint tells of these: the process finds them in the log before it goes.
    for (let line = 0; line < 20; line += 1) await write(job, `line ${line}`);
    const startedAt = performance.now();
    expect(await process.stop()).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(EXIT_MS);
    await waitFor(() => readers.every(({ codes }) => codes.length > 0));
    for (const { got, codes, completed } of readers) {
      expect(got).toEqual(Array.from({ length: 21 }, (_, index) => index + 1));
      expect(codes).toEqual([1001]);
      expect(completed).toBe(false);
    }
    stuck.terminate();
  });

  test.each(['ws', 'sse'] as const)(
    'leaves readers over %s who go on at the next process with nothing lost',
    { timeout: 120_000 },
    async (transport) => {
      const port = await restartPort();
      const first = await spawnApi(api.environment, port);
      const job = await runningJob();
      const client = createSdk({ url: first.graphqlUrl, token: api.tokens.viewer, webSocketImpl: WebSocket });
      const got: number[] = [];
      const reading = (async () => {
        for await (const { seq } of client.jobs.watch(job.id, { transport })) got.push(seq);
      })();
      await waitFor(() => got.length === 1, { timeoutMs: 30_000 });
      await write(job, 'two');
      const next: { process?: ApiProcess } = {};
      await first.stop();
      await write(job, 'three');
      next.process = await spawnApi(api.environment, port);
      await waitFor(() => got.length === 3, { timeoutMs: 30_000 });
      await write(job, 'four', 'completed');
      await reading;
      expect(got).toEqual([1, 2, 3, 4]);
      await client.close();
      await next.process.stop();
    },
  );
});

test('readers that take nothing cost the API no memory', { timeout: 180_000 }, async () => {
  const process = await spawnApi(api.environment, 0, COLLECTING_GARBAGE);
  const job = await runningJob();
  const stuck = await Promise.all(
    Array.from({ length: READERS }, () => readNothing(process.graphqlUrl, job)),
  );
  const reader = readOverSocket(process.graphqlUrl, job);
  await waitFor(() => reader.got.length === 1, { timeoutMs: 30_000 });
  const before = await process.residentMegabytes();
  await api.database.db.query(
    `INSERT INTO job_events (job_id, seq, type, attempt, status, message)
     SELECT $1, n, 'log', 1, 'running', repeat('x', 1000) FROM generate_series(2, 10000) AS n`,
    [job.uuid],
  );
  await api.database.db.query('UPDATE jobs SET last_seq = 10000 WHERE id = $1', [job.uuid]);
  await waitFor(() => reader.got.length === 10_000, { timeoutMs: 60_000 });
  const after = await process.residentMegabytes();
  // 600 MB of events wait for them.
  expect(after - before).toBeLessThan(60);
  stuck.forEach((socket) => socket.terminate());
  await process.stop();
});
