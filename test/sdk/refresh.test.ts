import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { insertApiKey, revokeApiKey } from '../../src/repositories/api-keys.ts';
import { createClient } from '../../src/sdk/index.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { addEvent, seedEvents, seedJob } from '../support/job-rows.ts';
import { waitFor } from '../support/wait.ts';
import { openWire } from '../support/wire.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

/** Keeps the codes that sockets are closed with. */
const closeCodes: number[] = [];
class ObservedWebSocket extends WebSocket {
  constructor(address: string, protocols?: string | string[]) {
    super(address, protocols);
    this.on('close', (code) => closeCodes.push(code));
  }
}

const newKey = () =>
  insertApiKey(api.database.db, {
    organizationId: api.organization.id,
    userId: null,
    name: 'watcher',
    role: 'viewer',
  });
const revoke = (id: string) =>
  revokeApiKey(api.database.db, { organizationId: api.organization.id, id, revokedBy: 'api:test' });

async function runningJob(events: number) {
  const job = await seedJob(api.database.db, api.organization.id, { status: 'running' });
  await seedEvents(api.database.db, job, events, 'running');
  return job;
}

const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);

describe.each(['ws', 'sse'] as const)('over %s', (transport) => {
  const open = (token: string | (() => Promise<string>), url = api.graphqlUrl) =>
    createClient({ url, token, webSocketImpl: ObservedWebSocket });

  test('a stream whose key is revoked asks for the next one and goes on, with no event missing and none twice', async () => {
    let key = await newKey();
    let asked = 0;
    const client = open(async () => {
      asked += 1;
      return key.token;
    });
    closeCodes.length = 0;
    const job = await runningJob(20);
    const seqs: number[] = [];
    const reading = (async () => {
      for await (const { seq } of client.jobs.watch(job.id, { transport })) seqs.push(seq);
    })();
    await waitFor(() => seqs.length === 20);
    expect(asked).toBe(1);
    const old = key;
    key = await newKey();
    await revoke(old.id);
    await addEvent(api.database.db, job, 21, 'running');
    await waitFor(() => asked === 2);
    await addEvent(api.database.db, job, 22, 'running');
    await waitFor(() => seqs.length === 22);
    await addEvent(api.database.db, job, 23, 'completed');
    await reading;
    expect(seqs).toEqual(upTo(23));
    if (transport === 'ws') expect(closeCodes[0]).toBe(4403);
    await client.close();
  });

  test('a stream goes on when the key is revoked while its wire is cut', async () => {
    await using wire = await openWire(api.url);
    let key = await newKey();
    const client = open(async () => key.token, wire.url);
    const job = await runningJob(5);
    const seqs: number[] = [];
    const reading = (async () => {
      for await (const { seq } of client.jobs.watch(job.id, { transport })) seqs.push(seq);
    })();
    await waitFor(() => seqs.length === 5);
    await revoke(key.id);
    key = await newKey();
    wire.cut();
    await addEvent(api.database.db, job, 6, 'completed');
    await reading;
    expect(seqs).toEqual(upTo(6));
    await client.close();
  });

  test('a giver of tokens that knows no better one is asked three times, then the refusal is told', async () => {
    const key = await newKey();
    await revoke(key.id);
    let asked = 0;
    const client = open(async () => {
      asked += 1;
      return key.token;
    });
    const events = client.jobs.watch((await runningJob(1)).id, { transport })[Symbol.asyncIterator]();
    await expect(events.next()).rejects.toMatchObject({ name: 'MillraceError', code: 'UNAUTHENTICATED' });
    expect(asked).toBe(3);
    await client.close();
  });

  test('what a giver of tokens throws ends the stream', async () => {
    const client = open(() => Promise.reject(new Error('signed out')));
    const events = client.jobs.watch((await runningJob(1)).id, { transport })[Symbol.asyncIterator]();
    await expect(events.next()).rejects.toThrow('signed out');
    await client.close();
  });

  test('a token that is a text is not tried again once it is revoked', async () => {
    const key = await newKey();
    const client = open(key.token);
    const events = client.jobs.watch((await runningJob(1)).id, { transport })[Symbol.asyncIterator]();
    await events.next();
    const next = events.next();
    await revoke(key.id);
    await expect(next).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await client.close();
  });

  test('a signal ends a stream with its reason, and its connection', async () => {
    await using wire = await openWire(api.url);
    const client = open(api.tokens.viewer, wire.url);
    const stop = new AbortController();
    const job = await runningJob(1);
    const events = client.jobs.watch(job.id, { transport, signal: stop.signal })[Symbol.asyncIterator]();
    expect((await events.next()).value).toMatchObject({ seq: 1 });
    expect(wire.open).toBe(1);
    const waiting = events.next();
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    // Node's fetch may open a spare connection then: it is the stream's own that counts.
    await waitFor(() => wire.closed === 1);
  });

  test('a signal that fires between two tries ends the waiting', async () => {
    const wire = await openWire(api.url);
    const client = open(api.tokens.viewer, wire.url);
    const stop = new AbortController();
    const job = await runningJob(1);
    const events = client.jobs.watch(job.id, { transport, signal: stop.signal })[Symbol.asyncIterator]();
    await events.next();
    const waiting = events.next();
    await wire[Symbol.asyncDispose]();
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });

  test('a loop that is left early ends its connection too', async () => {
    await using wire = await openWire(api.url);
    const client = open(api.tokens.viewer, wire.url);
    const job = await runningJob(3);
    for await (const { seq } of client.jobs.watch(job.id, { transport })) if (seq === 2) break;
    await waitFor(() => wire.closed === 1);
  });
});
