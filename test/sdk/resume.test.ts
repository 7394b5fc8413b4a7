import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { createClient, MillraceConnectionError, MillraceError } from '../../src/sdk/index.ts';
import { resumed } from '../../src/sdk/resume.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { addEvent, seedEvents, seedJob } from '../support/job-rows.ts';
import { waitFor } from '../support/wait.ts';
import { openWire } from '../support/wire.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

describe.each(['ws', 'sse'] as const)('over %s', (transport) => {
  test('a stream whose wire is cut goes on after the last event, with none missing and none twice', async () => {
    await using wire = await openWire(api.url);
    const client = createClient({ url: wire.url, token: api.tokens.viewer, webSocketImpl: WebSocket });
    const job = await seedJob(api.database.db, api.organization.id, { status: 'running' });
    await seedEvents(api.database.db, job, 50, 'running');
    const seqs: number[] = [];
    const reading = (async () => {
      for await (const { seq } of client.jobs.watch(job.id, { transport })) seqs.push(seq);
    })();
    await waitFor(() => seqs.length === 50);
    wire.cut();
    await addEvent(api.database.db, job, 51, 'running');
    await waitFor(() => seqs.length === 51);
    wire.cut();
    await addEvent(api.database.db, job, 52, 'completed');
    await reading;
    expect(seqs).toEqual(Array.from({ length: 52 }, (_, index) => index + 1));
    await client.close();
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

test('a stream that is asked for too fast is opened again when the server said', async () => {
  vi.useFakeTimers();
  try {
    let opened = 0;
    const extensions = { code: 'RATE_LIMITED', retryAfterSeconds: 7 };
    const open = async function* (): AsyncGenerator<number> {
      opened += 1;
      if (opened < 2) throw new MillraceError('too fast', [{ message: 'too fast', extensions }]);
      yield opened;
    };
    const value = resumed(open).next();
    await vi.advanceTimersByTimeAsync(6_900);
    expect(opened).toBe(1);
    await vi.advanceTimersByTimeAsync(100);
    expect(await value).toEqual({ done: false, value: 2 });
  } finally {
    vi.useRealTimers();
  }
});

test('a stream that the server refuses is not', async () => {
  const next = () => Promise.reject(new MillraceError('no', [], 'NOT_FOUND'));
  const refuse = (): AsyncIterable<number> => ({ [Symbol.asyncIterator]: () => ({ next }) });
  await expect(resumed(refuse).next()).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('a stream that stands for a minute without a value has not failed, however often it is cut after that', async () => {
  vi.useFakeTimers();
  try {
    let cuts = 0;
    const open = async function* (): AsyncGenerator<string> {
      if (cuts === 50) yield 'at last';
      await new Promise((resolve) => setTimeout(resolve, 60_000));
      cuts += 1;
      throw new MillraceConnectionError('cut');
    };
    const value = resumed(open).next();
    await vi.advanceTimersByTimeAsync(60 * 60_000);
    expect(await value).toEqual({ done: false, value: 'at last' });
  } finally {
    vi.useRealTimers();
  }
});

test('a stream that breaks as soon as it is opened is given up after twenty tries', async () => {
  vi.useFakeTimers();
  try {
    let tries = 0;
    const next = () => {
      tries += 1;
      return Promise.reject(new MillraceConnectionError('cut'));
    };
    const value = resumed((): AsyncIterable<number> => ({ [Symbol.asyncIterator]: () => ({ next }) })).next();
    const given = expect(value).rejects.toThrow('cut');
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    await given;
    expect(tries).toBe(20);
  } finally {
    vi.useRealTimers();
  }
});
