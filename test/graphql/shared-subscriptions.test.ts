import type { ExecutionResult } from 'graphql';
import { createClient as createSocket, type Client } from 'graphql-ws';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { Groups } from '../../src/graphql/sharing/groups.ts';
import { latestStream, type LatestGroup } from '../../src/graphql/sharing/latest.ts';
import { openBus } from '../../src/events/index.ts';
import type { BusAdapter } from '../../src/events/adapter.ts';
import { readConfig } from '../../src/config.ts';
import { announce } from '../../src/queue/announce.ts';
import { settle } from '../events/manual-timer.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { seedEvents, seedJob, type SeededJob } from '../support/job-rows.ts';
import { silentLog } from '../support/log.ts';
import { appendRawEvent } from '../support/raw-job.ts';
import { waitFor } from '../support/wait.ts';

let api: TestApi;
let bus: BusAdapter;
const clients: Client[] = [];
beforeAll(async () => {
  api = await startApi();
  const { broker } = readConfig(api.environment);
  bus = await openBus({
    broker,
    directDatabaseUrl: api.database.url,
    applicationName: 'a-worker',
    log: silentLog,
  });
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map(async (client) => client.dispose()));
  await waitFor(() => api.app.openStreams === 0);
});
afterAll(async () => {
  await bus.close();
  await api.close();
});

function socket(role: keyof TestApi['tokens'] = 'viewer'): Client {
  const client = createSocket({
    url: api.graphqlUrl.replace('http', 'ws'),
    connectionParams: { token: api.tokens[role] },
    webSocketImpl: WebSocket,
    retryAttempts: 0,
  });
  clients.push(client);
  return client;
}

interface Reader {
  readonly got: unknown[];
  readonly ended: Promise<void>;
}

/** Everything that a subscription sends, as it comes. */
function read(client: Client, query: string, variables: Record<string, unknown>): Reader {
  const got: unknown[] = [];
  const ended = new Promise<void>((resolve, reject) => {
    client.subscribe(
      { query, variables },
      {
        next: ({ data, errors }) => got.push(errors ?? Object.values(data ?? {})[0]),
        error: (error: unknown) => reject(error instanceof Error ? error : new Error(JSON.stringify(error))),
        complete: resolve,
      },
    );
  });
  ended.catch(() => undefined);
  return { got, ended };
}

async function runningJob(events: number): Promise<SeededJob> {
  const job = await seedJob(api.database.db, api.organization.id, { status: 'running' });
  await seedEvents(api.database.db, job, events, 'running');
  return job;
}

/** Writes an event and tells of it, as a worker does. */
async function write(
  job: SeededJob,
  message: string,
  status: 'running' | 'completed' = 'running',
): Promise<void> {
  const event = await appendRawEvent(api.database.db, job.uuid, {
    type: status === 'running' ? 'progress' : 'status',
    attempt: 1,
    status,
    progressPercent: null,
    message,
    level: null,
    errorCode: null,
  });
  announce(bus, { organizationId: api.organization.id, jobId: job.uuid, events: [event] });
}

const EVENTS = 'subscription ($id: ID!, $after: Int!) { jobEvents(id: $id, after: $after) { seq message } }';
const PROGRESS = 'subscription ($id: ID!) { jobProgress(id: $id) { id status progressMessage } }';

describe('subscribers who ask the same', () => {
  test('get each event once and in order, wherever they began', async () => {
    const job = await runningJob(20);
    const [one, two] = [socket(), socket()];
    const readers = [0, 5, 19, 20].flatMap((after) => [
      { after, reader: read(one, EVENTS, { id: job.id, after }) },
      { after, reader: read(two, EVENTS, { id: job.id, after }) },
    ]);
    await waitFor(() => readers.every(({ after, reader }) => reader.got.length === 20 - after));
    for (let seq = 21; seq < 60; seq += 1) await write(job, 'x'.repeat(seq % 7 === 0 ? 2_000 : 5));
    const late = { after: 30, reader: read(socket(), EVENTS, { id: job.id, after: 30 }) };
    await write(job, 'done', 'completed');
    await Promise.all([...readers, late].map(({ reader }) => reader.ended));
    for (const { after, reader } of [...readers, late]) {
      const seqs = reader.got.map((event) => (event as { seq: number }).seq);
      expect(seqs).toEqual(Array.from({ length: 60 - after }, (_, index) => after + index + 1));
    }
  });

  test('and those who ask it in other words get what they asked for', async () => {
    const job = await runningJob(1);
    const client = socket();
    const plain = read(client, EVENTS, { id: job.id, after: 1 });
    const other = read(client, 'subscription ($id: ID!) { it: jobEvents(id: $id, after: 1) { message } }', {
      id: job.id,
    });
    const chosen = (seq: boolean): Reader =>
      read(
        client,
        'subscription ($id: ID!, $seq: Boolean!) { jobEvents(id: $id, after: 1) { message seq @include(if: $seq) } }',
        { id: job.id, seq },
      );
    const [without, including] = [chosen(false), chosen(true)];
    await waitFor(() => api.app.openStreams === 4);
    await write(job, 'two', 'completed');
    await Promise.all([plain, other, without, including].map(({ ended }) => ended));
    expect(plain.got).toEqual([{ seq: 2, message: 'two' }]);
    expect(other.got).toEqual([{ message: 'two' }]);
    expect(without.got).toEqual([{ message: 'two' }]);
    expect(including.got).toEqual([{ seq: 2, message: 'two' }]);
  });

  test('of a job’s progress share one stream, and each gets the state it came to and the last', async () => {
    const job = await runningJob(1);
    const client = socket();
    const readers = Array.from({ length: 20 }, () => read(client, PROGRESS, { id: job.id }));
    await waitFor(() => readers.every(({ got }) => got.length === 1));
    expect(api.app.openStreams).toBe(1);
    // Nothing tells of it: whoever comes now must see it all the same.
    await api.database.db.query(`UPDATE jobs SET progress_message = 'quiet' WHERE id = $1`, [job.uuid]);
    const late = read(socket(), PROGRESS, { id: job.id });
    await waitFor(() => late.got.length === 1);
    expect(late.got).toEqual([expect.objectContaining({ progressMessage: 'quiet' })]);
    await write(job, 'done', 'completed');
    await Promise.all([...readers, late].map(({ ended }) => ended));
    for (const { got } of [...readers, late]) expect(got.at(-1)).toMatchObject({ status: 'COMPLETED' });
  });

  test('of another organization are refused, also while the stream is shared by those who may', async () => {
    const job = await runningJob(1);
    const allowed = read(socket(), EVENTS, { id: job.id, after: 0 });
    const followed = read(socket(), PROGRESS, { id: job.id });
    await waitFor(() => allowed.got.length === 1 && followed.got.length === 1);
    const stranger = socket('stranger');
    const refused = [
      read(stranger, EVENTS, { id: job.id, after: 0 }),
      read(stranger, PROGRESS, { id: job.id }),
    ];
    await Promise.all(refused.map(({ ended }) => ended));
    for (const { got } of refused) expect(JSON.stringify(got)).toContain('"code":"NOT_FOUND"');
  });

  test('may leave one by one, and the last one ends the stream', async () => {
    const job = await runningJob(1);
    const [founder, other] = [socket(), socket()];
    const first = read(founder, PROGRESS, { id: job.id });
    await waitFor(() => first.got.length === 1);
    const second = read(other, PROGRESS, { id: job.id });
    await waitFor(() => second.got.length === 1);
    founder.terminate();
    await write(job, 'half');
    await waitFor(() => second.got.length === 2);
    other.terminate();
    await waitFor(() => api.app.openStreams === 0);
  });
});

describe('the latest result, shared', () => {
  /** An execution that the test answers, one after the other. */
  function bundle() {
    const groups = new Groups<LatestGroup>();
    const answers: ((name: string) => void)[] = [];
    const execute = (): Promise<ExecutionResult> =>
      new Promise((resolve) => answers.push((name) => resolve({ data: { name } })));
    const values: ((done: boolean) => void)[] = [];
    const source: AsyncIterable<unknown> = {
      [Symbol.asyncIterator]: () => ({
        next: () =>
          new Promise((resolve) => {
            values.push((done) => resolve(done ? { done, value: undefined } : { done, value: {} }));
          }),
      }),
    };
    const member = () => latestStream(source, groups, 'key', execute);
    return { groups, answers, values, member };
  }

  test('is one that was asked for after its reader came', async () => {
    const { answers, values, member } = bundle();
    const early = member().next();
    values.shift()?.(false);
    await settle();
    const late = member().next();
    answers.shift()?.('before');
    await settle();
    answers.shift()?.('after');
    expect((await early).value).toEqual({ data: { name: 'before' } });
    expect((await late).value).toEqual({ data: { name: 'after' } });
  });

  test('reaches a reader who came while the source ended', async () => {
    const { groups, answers, values, member } = bundle();
    const early = member();
    const first = early.next();
    values.shift()?.(false);
    await settle();
    answers.shift()?.('one');
    await first;
    await settle();
    const late = member();
    const waiting = late.next();
    values.shift()?.(true);
    await settle();
    answers.shift()?.('two');
    expect((await waiting).value).toEqual({ data: { name: 'two' } });
    expect((await late.next()).done).toBe(true);
    expect((await early.next()).done).toBe(true);
    expect(groups.size).toBe(0);
  });
});
