import { afterAll, beforeAll, expect, test } from 'vitest';
import { createClient, type MillraceClient } from '../../src/sdk/index.ts';
import { startApi, type TestApi } from '../support/api.ts';

let api: TestApi;
let admin: MillraceClient;
beforeAll(async () => {
  api = await startApi();
  admin = createClient({ url: api.graphqlUrl, token: api.tokens.admin });
});
afterAll(() => api.close());

test('what was sent to an endpoint is listed, and of what is no endpoint nothing', async () => {
  const { endpoint } = await admin.webhooks.create({ url: 'http://127.0.0.1:64999/hook' });
  const sent = await admin.webhooks.sendTest(endpoint.id);
  const page = await admin.webhooks.deliveries({ id: endpoint.id, first: 10 });
  expect(page?.totalCount).toBe(1);
  expect(page?.edges[0]?.node).toMatchObject({ id: sent.id, eventType: 'test' });
  expect(await admin.webhooks.deliveries({ id: sent.id })).toBeNull();
  expect(await admin.webhooks.deliveries({ id: 'whe_01h455vb4pex5vsknk084sn02q' })).toBeNull();
});
