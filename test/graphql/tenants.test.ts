import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newUuid, toPublicId, type IdType } from '../../src/domain/ids.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { seedJob } from '../support/job-rows.ts';

let api: TestApi;
/** Things of the first organization; the asking is done by the stranger. */
const foreign: Partial<Record<IdType, string>> = {};

beforeAll(async () => {
  api = await startApi();
  const { db } = api.database;
  const organizationId = api.organization.id;
  const job = await seedJob(db, organizationId, { status: 'failed' });
  const [upload, file, product, variant] = [newUuid(), newUuid(), newUuid(), newUuid()];
  const schedule = newUuid();
  await db.query(
    `INSERT INTO uploads (id, organization_id, filename, content_type, storage_key, received_at, expires_at)
     VALUES ($1, $2, 'a.csv', 'text/csv', 'key', now(), now() + interval '1 day')`,
    [upload, organizationId],
  );
  await db.query(
    `INSERT INTO stored_files (id, organization_id, job_id, role, filename, content_type, byte_size, sha256, storage_key)
     VALUES ($1, $2, $3, 'output', 'a.csv', 'text/csv', 1, 'aa', 'key')`,
    [file, organizationId, job.uuid],
  );
  await db.query(
    `INSERT INTO products (id, organization_id, handle, title, status, search_text) VALUES ($1, $2, 'h', 'T', 'active', 't')`,
    [product, organizationId],
  );
  await db.query(
    `INSERT INTO product_variants (id, organization_id, product_id, variant_key) VALUES ($1, $2, $3, 'sku:1')`,
    [variant, organizationId, product],
  );
  await db.query(
    `INSERT INTO schedules (id, organization_id, name, kind, version, input, every_seconds, next_due_at, created_by)
     VALUES ($1, $2, 'nightly', 'product_import', 1, '{}', 60, now() + interval '1 day', 'api:test')`,
    [schedule, organizationId],
  );
  const { rows } = await db.query<{ id: string }>(
    'SELECT user_id AS id FROM memberships WHERE organization_id = $1 LIMIT 1',
    [organizationId],
  );
  const ids: Partial<Record<IdType, string>> = {
    job: job.uuid,
    upload,
    file,
    product,
    variant,
    schedule,
    organization: organizationId,
    user: rows[0]?.id ?? '',
  };
  for (const type of [
    'job',
    'upload',
    'file',
    'product',
    'variant',
    'schedule',
    'organization',
    'user',
  ] as const) {
    foreign[type] = toPublicId(type, ids[type] ?? '');
  }
});
afterAll(() => api.close());

const NODE = 'query ($id: ID!) { node(id: $id) { __typename id } }';

test.each(['job', 'file', 'product', 'variant', 'schedule', 'organization', 'user'] as const)(
  'node finds a %s of one’s own organization only',
  async (type) => {
    const id = foreign[type];
    const own = await api.ask(NODE, { id });
    expect(own.data).toMatchObject({ node: { id } });
    const strange = await api.ask(NODE, { id }, 'stranger');
    const missing = await api.ask(NODE, { id: toPublicId(type, newUuid()) }, 'stranger');
    expect(strange).toEqual({ status: 200, data: { node: null }, errors: [] });
    expect(missing).toEqual(strange);
  },
);

test.each([
  '',
  'nonsense',
  'job_',
  'job_00000000000000000000000000',
  'xyz_01h455vb4pex5vsknk084sn02q',
  'JOB_01h455vb4pex5vsknk084sn02q',
  '1',
])('node(id: %j) is null and no error', async (id) => {
  expect(await api.ask(NODE, { id })).toEqual({ status: 200, data: { node: null }, errors: [] });
});

/** Every operation that takes an id, with the field whose answer is compared. */
const OPERATIONS: readonly (readonly [string, IdType, string])[] = [
  ['job', 'job', 'query ($id: ID!) { job(id: $id) { id } }'],
  [
    'jobs(filter: parentId)',
    'job',
    'query ($id: ID!) { jobs(filter: { parentId: $id }) { totalCount edges { node { id } } } }',
  ],
  [
    'cancelJob',
    'job',
    'mutation ($id: ID!) { cancelJob(id: $id) { job { id } userErrors { field code message } } }',
  ],
  [
    'retryJob',
    'job',
    'mutation ($id: ID!) { retryJob(id: $id) { job { id } userErrors { field code message } } }',
  ],
  [
    'retryFailedItems',
    'job',
    'mutation ($id: ID!) { retryFailedItems(id: $id) { job { id } userErrors { field code message } } }',
  ],
  [
    'startProductImport',
    'upload',
    'mutation ($id: ID!) { startProductImport(input: { source: { uploadId: $id } }) { job { id } userErrors { field code message } } }',
  ],
  ['schedule', 'schedule', 'query ($id: ID!) { schedule(id: $id) { id } }'],
  [
    'createSchedule',
    'upload',
    'mutation ($id: ID!) { createSchedule(input: { name: "x", timing: { every: { seconds: 60 } }, job: { productImport: { source: { uploadId: $id } } } }) { schedule { id } userErrors { field code message } } }',
  ],
  [
    'updateSchedule',
    'schedule',
    'mutation ($id: ID!) { updateSchedule(id: $id, input: { name: "x" }) { schedule { id } userErrors { field code message } } }',
  ],
  [
    'pauseSchedule',
    'schedule',
    'mutation ($id: ID!) { pauseSchedule(id: $id) { schedule { id } userErrors { field code message } } }',
  ],
  [
    'resumeSchedule',
    'schedule',
    'mutation ($id: ID!) { resumeSchedule(id: $id) { schedule { id } userErrors { field code message } } }',
  ],
  [
    'deleteSchedule',
    'schedule',
    'mutation ($id: ID!) { deleteSchedule(id: $id) { deletedScheduleId userErrors { field code message } } }',
  ],
  [
    'runScheduleNow',
    'schedule',
    'mutation ($id: ID!) { runScheduleNow(id: $id) { job { id } userErrors { field code message } } }',
  ],
];

describe.each(OPERATIONS)('%s', (_name, type, operation) => {
  test('answers for another organization’s id exactly as for one that does not exist', async () => {
    const strange = await api.ask(operation, { id: foreign[type] }, 'stranger');
    const missing = await api.ask(operation, { id: toPublicId(type, newUuid()) }, 'stranger');
    const nonsense = await api.ask(operation, { id: 'nonsense' }, 'stranger');
    expect(strange.errors).toEqual([]);
    expect(strange).toEqual(missing);
    expect(strange).toEqual(nonsense);
    if (operation.startsWith('mutation')) expect(JSON.stringify(strange.data)).toContain('NOT_FOUND');
  });
});

test('another organization’s jobs, products and schedules are in no list', async () => {
  const { data } = await api.ask(
    '{ jobs { totalCount } products { totalCount } schedules { totalCount } }',
    {},
    'stranger',
  );
  expect(data).toEqual({
    jobs: { totalCount: 0 },
    products: { totalCount: 0 },
    schedules: { totalCount: 0 },
  });
});
