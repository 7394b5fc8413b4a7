import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { createClient, MillraceError, type MillraceClient } from '../../src/sdk/index.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { seedEvents, seedJob } from '../support/job-rows.ts';

let api: TestApi;
let client: MillraceClient;
beforeAll(async () => {
  api = await startApi();
  client = createClient({ url: api.graphqlUrl, token: api.tokens.viewer, webSocketImpl: WebSocket });
});
afterAll(async () => {
  await client.close();
  await api.close();
});

async function finishedJob(events: number) {
  const job = await seedJob(api.database.db, api.organization.id, { status: 'running' });
  await seedEvents(api.database.db, job, events, 'completed');
  return job;
}

describe.each(['ws', 'sse'] as const)('over %s', (transport) => {
  test('a settled job’s events come all, in order, and the stream ends', async () => {
    const job = await finishedJob(250);
    const seqs = [];
    for await (const event of client.jobs.watch(job.id, { transport })) seqs.push(event.seq);
    expect(seqs).toEqual(Array.from({ length: 250 }, (_, index) => index + 1));
  });

  test('only events after the given one come', async () => {
    const job = await finishedJob(20);
    const events = [];
    for await (const event of client.jobs.watch(job.id, { transport, after: 17 })) events.push(event);
    expect(events.map(({ seq }) => seq)).toEqual([18, 19, 20]);
    expect(events.at(-1)).toMatchObject({ type: 'STATUS', status: 'COMPLETED', progressPercent: 100 });
    for await (const event of client.jobs.watch(job.id, { transport, after: 20 }))
      expect.unreachable(`got ${event.seq}`);
  });

  test('progress gives the job as it is and ends with a settled one', async () => {
    const job = await finishedJob(3);
    const seen = [];
    for await (const { id, status } of client.jobs.progress(job.id, { transport })) seen.push({ id, status });
    expect(seen).toEqual([{ id: job.id, status: 'COMPLETED' }]);
  });

  test('a job that does not exist, or is another organization’s, is an error and no endless wait', async () => {
    const foreign = await finishedJob(3);
    const stranger = createClient({
      url: api.graphqlUrl,
      token: api.tokens.stranger,
      webSocketImpl: WebSocket,
    });
    for (const id of [foreign.id, 'job_01h455vb4pex5vsknk084sn02q', 'nonsense']) {
      const events = stranger.jobs.watch(id, { transport })[Symbol.asyncIterator]();
      await expect(events.next()).rejects.toMatchObject({ name: 'MillraceError', code: 'NOT_FOUND' });
    }
    await stranger.close();
  });

  test('a token that is unknown ends the stream with UNAUTHENTICATED', async () => {
    const nobody = createClient({ url: api.graphqlUrl, token: 'nonsense', webSocketImpl: WebSocket });
    const events = nobody.jobs.watch((await finishedJob(1)).id, { transport })[Symbol.asyncIterator]();
    await expect(events.next()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await expect(events.next()).resolves.toMatchObject({ done: true });
    await nobody.close();
  });

  test('a signal ends a stream that waits', async () => {
    const job = await seedJob(api.database.db, api.organization.id, { status: 'running' });
    await seedEvents(api.database.db, job, 1, 'running');
    const stop = new AbortController();
    const events = client.jobs.watch(job.id, { transport, signal: stop.signal })[Symbol.asyncIterator]();
    expect((await events.next()).value).toMatchObject({ seq: 1 });
    const waiting = events.next();
    stop.abort(new MillraceError('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });
});
