import { createServer, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { createClient, MillraceError } from '../../src/sdk/index.ts';
import { resumed } from '../../src/sdk/resume.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { seedEvents, seedJob, type SeededJob } from '../support/job-rows.ts';
import { waitFor } from '../support/wait.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

/** A wire between client and server that a test can cut. */
interface Wire {
  readonly url: string;
  cut(): void;
  close(): Promise<void>;
}

async function openWire(target: string): Promise<Wire> {
  const { hostname, port } = new URL(target);
  const open = new Set<Socket>();
  const server: Server = createServer();
  // Bytes only: the wire knows neither HTTP nor WebSocket.
  server.removeAllListeners('connection');
  server.on('connection', (near: Socket) => {
    const far = connect(Number(port), hostname);
    for (const socket of [near, far]) {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        open.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: own } = server.address() as AddressInfo;
  const cut = (): void => open.forEach((socket) => socket.destroy());
  return {
    url: `http://127.0.0.1:${own}/graphql`,
    cut,
    close: async () => {
      server.close();
      cut();
      await once(server, 'close');
    },
  };
}

async function addEvent(job: SeededJob, seq: number, status: string): Promise<void> {
  const { db } = api.database;
  await db.query(
    `INSERT INTO job_events (job_id, seq, type, attempt, status) VALUES ($1, $2, 'status', 1, $3::job_status)`,
    [job.uuid, seq, status],
  );
  await db.query(
    `UPDATE jobs SET last_seq = $2, status = $3::job_status, status_changed_at = now(),
            completed_at = CASE WHEN $3 = 'running' THEN NULL ELSE now() END WHERE id = $1`,
    [job.uuid, seq, status],
  );
}

describe.each(['ws', 'sse'] as const)('over %s', (transport) => {
  test('a stream whose wire is cut goes on after the last event, with none missing and none twice', async () => {
    const wire = await openWire(api.url);
    const client = createClient({ url: wire.url, token: api.tokens.viewer, webSocketImpl: WebSocket });
    const job = await seedJob(api.database.db, api.organization.id, { status: 'running' });
    await seedEvents(api.database.db, job, 50, 'running');
    const seqs: number[] = [];
    const reading = (async () => {
      for await (const { seq } of client.jobs.watch(job.id, { transport })) seqs.push(seq);
    })();
    await waitFor(() => seqs.length === 50);
    wire.cut();
    await addEvent(job, 51, 'running');
    await waitFor(() => seqs.length === 51);
    wire.cut();
    await addEvent(job, 52, 'completed');
    await reading;
    expect(seqs).toEqual(Array.from({ length: 52 }, (_, index) => index + 1));
    await client.close();
    await wire.close();
  });

  test('a server that goes away cuts its streams and does not end them', async () => {
    const other = await startApi();
    const client = createClient({
      url: other.graphqlUrl,
      token: other.tokens.viewer,
      webSocketImpl: WebSocket,
    });
    const job = await seedJob(other.database.db, other.organization.id, { status: 'running' });
    await seedEvents(other.database.db, job, 3, 'running');
    const stop = new AbortController();
    const seqs: number[] = [];
    let ended = false;
    const reading = (async () => {
      for await (const { seq } of client.jobs.watch(job.id, { transport, signal: stop.signal }))
        seqs.push(seq);
      ended = true;
    })();
    await waitFor(() => seqs.length === 3);
    const startedAt = performance.now();
    await other.close();
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    await expect(fetch(`${other.url}/healthz`)).rejects.toThrow();
    expect(ended).toBe(false);
    stop.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
    await client.close();
  });
});

test('a stream that the server cannot open for want of its database is opened again', async () => {
  let opened = 0;
  const open = async function* (): AsyncGenerator<number> {
    opened += 1;
    if (opened < 3) throw new MillraceError('try again', [], 'UNAVAILABLE');
    yield opened;
  };
  const values = [];
  for await (const value of resumed(open)) values.push(value);
  expect(values).toEqual([3]);
});

test('a stream that the server refuses is not', async () => {
  const next = () => Promise.reject(new MillraceError('no', [], 'NOT_FOUND'));
  const refuse = (): AsyncIterable<number> => ({ [Symbol.asyncIterator]: () => ({ next }) });
  await expect(resumed(refuse).next()).rejects.toMatchObject({ code: 'NOT_FOUND' });
});
