import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { z } from 'zod';
import { isAudited, NOT_AUDITED } from '../../src/graphql/audit.ts';
import { schema } from '../../src/graphql/schema.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { operationOf, rootFieldsOf } from '../support/schema-operations.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi({ environment: { LIMIT_POINTS_PER_SECOND: '1000000' } });
});
afterAll(() => api.close());

const mutations = rootFieldsOf(schema).filter(({ root }) => root === 'Mutation');

interface Entry {
  readonly [column: string]: unknown;
  readonly actor: string;
  readonly action: string;
  readonly object_type: string | null;
  readonly object_id: string | null;
  readonly succeeded: boolean;
  readonly summary: string;
  readonly address: string | null;
  readonly user_agent: string | null;
  readonly request_id: string | null;
  readonly details: unknown;
}

async function entriesOf(action: string): Promise<Entry[]> {
  const { rows } = await api.database.db.query<Entry>(
    'SELECT * FROM activities WHERE organization_id = $1 AND action = $2 AND is_audit ORDER BY id',
    [api.organization.id, action],
  );
  return rows;
}

describe('each mutation of the schema', () => {
  test('has a hook, but those that are records themselves', () => {
    const without = mutations.filter(({ field }) => !isAudited(field)).map(({ field }) => field.name);
    expect(mutations.length).toBeGreaterThan(30);
    expect(without.sort()).toEqual([...NOT_AUDITED].sort());
  });

  test.each(
    mutations
      .filter(({ field }) => !NOT_AUDITED.has(field.name))
      .map((field) => [field.name, field] as const),
  )('%s leaves one entry', async (_name, mutation) => {
    const action = mutation.field.name;
    const before = (await entriesOf(action)).length;
    const { errors } = await api.ask(operationOf(mutation), {}, 'admin');
    // A sample that is no value of its type never comes to run.
    const ran = !errors.some(({ extensions }) => extensions['code'] === 'GRAPHQL_VALIDATION_FAILED');
    expect(ran).toBe(true);
    const entries = await entriesOf(action);
    expect(entries).toHaveLength(before + 1);
    expect(entries.at(-1)).toMatchObject({ action, address: '127.0.0.1' });
  });
});

const LOCAL = /^(::ffff:)?127\.0\.0\.1$/;

test('an entry tells who, from where, on what, and that it worked', async () => {
  const res = await fetch(api.graphqlUrl, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${api.tokens.admin}`,
      'content-type': 'application/json',
      'user-agent': 'audit-test/1',
      'x-forwarded-for': '203.0.113.9',
    },
    body: JSON.stringify({
      query: `mutation { createStagedUpload(input: { filename: "secret-name.csv", contentType: "text/csv" }) { upload { id } } }`,
    }),
  });
  const answer = z
    .object({ data: z.object({ createStagedUpload: z.object({ upload: z.object({ id: z.string() }) }) }) })
    .parse(await res.json());
  const entry = (await entriesOf('createStagedUpload')).at(-1);
  expect(entry).toMatchObject({
    actor: expect.stringMatching(/^(api|manual):/),
    object_type: 'upload',
    object_id: answer.data.createStagedUpload.upload.id,
    succeeded: true,
    summary: 'Create staged upload',
    address: expect.stringMatching(LOCAL),
    user_agent: 'audit-test/1',
    request_id: res.headers.get('x-request-id'),
  });
  expect(JSON.stringify(entry)).not.toContain('secret-name');
});

test('user errors and refusals are entries of what did not succeed, without what was sent', async () => {
  await api.ask(
    'mutation { cancelJob(id: "hunter2-not-an-id", reason: "hunter2") { userErrors { code } } }',
    {},
    'admin',
  );
  const cancelled = (await entriesOf('cancelJob')).at(-1);
  expect(cancelled).toMatchObject({
    succeeded: false,
    object_id: null,
    summary: 'Cancel job: NOT_FOUND',
    details: { errors: [{ code: 'NOT_FOUND', field: ['id'] }] },
  });
  const before = (await entriesOf('revokeApiKey')).length;
  const revoke = 'mutation { ...on Mutation { revokeApiKey(id: "hunter2") { userErrors { code } } } }';
  for (let time = 0; time < 3; time += 1) {
    const { errors } = await api.ask(revoke, {}, 'viewer');
    expect(errors[0]?.extensions['code']).toBe('FORBIDDEN');
  }
  const denied = await entriesOf('revokeApiKey');
  expect(denied).toHaveLength(before + 1);
  expect(denied.at(-1)).toMatchObject({ succeeded: false, summary: 'Revoke api key: FORBIDDEN' });
  const { rows } = await api.database.db.query<{ all: string }>(
    `SELECT string_agg(to_jsonb(activities)::text, ' ') AS all FROM activities`,
  );
  expect(rows[0]?.all).not.toContain('hunter2');
});

test('secrets that mutations take and give are in no entry', async () => {
  const { data } = await api.ask(
    `mutation { createWebhookEndpoint(input: { url: "https://user:p4ssw0rd@hooks.example.com/x?token=p4ssw0rd", eventTypes: [JOB_FAILED] }) { userErrors { message } }
       ok: createWebhookEndpoint(input: { url: "https://hooks.example.com/x?token=p4ssw0rd", eventTypes: [JOB_FAILED] }) { secret userErrors { message } } }`,
    {},
    'admin',
  );
  const secrets = JSON.stringify(data).match(/whsec_[\w+/=]+/g) ?? [];
  const { rows } = await api.database.db.query<{ all: string }>(
    `SELECT string_agg(to_jsonb(activities)::text, ' ') AS all FROM activities`,
  );
  expect(secrets).toHaveLength(1);
  for (const secret of ['p4ssw0rd', ...secrets, ...Object.values(api.tokens)])
    expect(rows[0]?.all).not.toContain(secret);
});

test('entries of one operation are written together, in order, over WebSocket too', async () => {
  const client = createClient({
    url: api.graphqlUrl.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: { token: api.tokens.admin },
    lazy: true,
    retryAttempts: 0,
  });
  const before = (await entriesOf('pauseQueue')).length;
  const results = client.iterate({
    query: `mutation { a: pauseQueue(name: "default") { userErrors { code } } b: resumeQueue(name: "default") { userErrors { code } } }`,
  });
  for await (const { errors } of results) expect(errors).toBeUndefined();
  await client.dispose();
  const [paused, resumed] = [
    (await entriesOf('pauseQueue')).slice(before),
    (await entriesOf('resumeQueue')).slice(-1),
  ];
  expect(paused).toHaveLength(1);
  expect(paused[0]).toMatchObject({
    object_type: 'queue',
    object_id: 'default',
    address: expect.stringMatching(LOCAL),
  });
  expect(resumed[0]?.request_id).toBe(paused[0]?.request_id);
  expect(resumed[0]?.['at']).not.toBeNull();
});

test('a mutation whose entry cannot be written is answered all the same', async () => {
  const { db } = api.database;
  await db.query('ALTER TABLE activities RENAME TO activities_away');
  try {
    const { data, errors } = await api.ask(
      'mutation { createStagedUpload(input: { filename: "a.csv", contentType: "text/csv" }) { upload { id } } }',
    );
    expect(errors).toEqual([]);
    expect(data).toMatchObject({ createStagedUpload: { upload: { id: expect.any(String) } } });
  } finally {
    await db.query('ALTER TABLE activities_away RENAME TO activities');
  }
});
