import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient, MillraceUserError, type MillraceClient } from '../../src/sdk/index.ts';
import { startApi, type TestApi } from '../support/api.ts';

let api: TestApi;
let admin: MillraceClient;
beforeAll(async () => {
  api = await startApi();
  admin = createClient({ url: api.graphqlUrl, token: api.tokens.admin });
});
afterAll(async () => {
  await admin.close();
  await api.close();
});

test('queues are listed with counts and figures, and steered by name', async () => {
  const queues = await admin.queues.list({ window: 'LAST_HOUR' });
  expect(queues.map(({ name }) => name)).toEqual(['default', 'long_running', 'scheduled']);
  expect(queues[0]).toMatchObject({
    counts: { pending: 0 },
    metrics: { finishedCount: 0, wait: null },
    workers: [],
  });
  expect(await admin.queues.pause('default', { reason: 'lunch' })).toMatchObject({
    state: 'PAUSED',
    pauseReason: 'lunch',
  });
  expect(await admin.queues.drain('default')).toMatchObject({ state: 'DRAINED' });
  expect(await admin.queues.setConcurrency('default', 3)).toMatchObject({ concurrency: 3 });
  expect(await admin.queues.resume('default')).toMatchObject({ state: 'ACTIVE', concurrency: 3 });
  expect(await admin.queues.workers({ alive: true })).toMatchObject({ totalCount: 0, edges: [] });
});

test('a queue that does not exist is a user error', async () => {
  await expect(admin.queues.pause('nothing')).rejects.toThrow(MillraceUserError);
});
