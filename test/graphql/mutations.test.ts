import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { createClient, MillraceUserError, type MillraceClient } from '../../src/sdk/index.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { seedJob } from '../support/job-rows.ts';
import { waitFor } from '../support/wait.ts';

let api: TestApi;
let client: MillraceClient;
beforeAll(async () => {
  api = await startApi({ environment: { UPLOAD_BYTES_MAX: '1000' } });
  client = createClient({ url: api.graphqlUrl, token: api.tokens.member, webSocketImpl: WebSocket });
});
afterAll(async () => {
  await client.close();
  await api.close();
});

const CSV = 'Handle,Title\nshirt,Shirt\n';
const upload = () => client.uploadFile(Buffer.from(CSV), 'products.csv');
const errorsOf = async (call: Promise<unknown>) => {
  const error: unknown = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(MillraceUserError);
  return error instanceof MillraceUserError ? error.errors : [];
};

describe('a staged upload', () => {
  test('takes the file at its signed address, once', async () => {
    const staged = await client.uploads.create({
      filename: 'a.csv',
      contentType: 'text/csv',
      byteSize: CSV.length,
    });
    expect(staged.url).toMatch(new RegExp(`^${api.url}/uploads/${staged.id}\\?`));
    expect(staged.headers).toEqual([{ name: 'content-type', value: 'text/csv' }]);
    expect(new Date(staged.expiresAt).getTime()).toBeGreaterThan(Date.now());
    await client.uploads.put(staged, CSV);
    await expect(client.uploads.put(staged, CSV)).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  test('takes a stream as it comes', async () => {
    async function* chunks() {
      yield Buffer.from(CSV.slice(0, 5));
      yield Buffer.from(CSV.slice(5));
    }
    const id = await client.uploadFile(chunks(), 'b.csv');
    const { rows } = await api.database.db.query(
      'SELECT byte_size::int AS size, content_type AS type FROM uploads ORDER BY id DESC LIMIT 1',
    );
    expect(id).toMatch(/^upl_/);
    expect(rows[0]).toEqual({ size: CSV.length, type: 'text/csv' });
  });

  test.each([
    [{ filename: '', contentType: 'text/csv' }, ['input', 'filename'], 'INVALID'],
    [{ filename: 'a.csv', contentType: 'csv' }, ['input', 'contentType'], 'INVALID'],
    [{ filename: 'a.csv', contentType: 'text/csv\r\nx: y' }, ['input', 'contentType'], 'INVALID'],
    [{ filename: 'a.csv', contentType: 'text/csv', byteSize: 0 }, ['input', 'byteSize'], 'INVALID'],
    [{ filename: 'a.csv', contentType: 'text/csv', byteSize: 1001 }, ['input', 'byteSize'], 'TOO_LARGE'],
  ])('%j is refused with the field that is wrong', async (input, field, code) => {
    expect(await errorsOf(client.uploads.create(input))).toEqual([
      { field, code, message: expect.any(String) },
    ]);
  });
});

describe('starting an import', () => {
  test('answers at once with the job, as its caller asked for it', async () => {
    const uploadId = await upload();
    const { job, replayed } = await client.jobs.start.productImport(
      {
        source: { uploadId },
        format: 'SHOPIFY_CSV',
        dryRun: true,
        mapping: [{ column: 'Name', field: 'title' }],
      },
      { priority: 'HIGH' },
    );
    expect(replayed).toBe(false);
    expect(job).toMatchObject({
      kind: 'PRODUCT_IMPORT',
      status: 'PENDING',
      queue: 'long_running',
      triggeredBy: expect.stringMatching(/^manual:member-/),
      input: {
        source: { uploadId },
        format: 'SHOPIFY_CSV',
        dryRun: true,
        mapping: [{ column: 'Name', field: 'title' }],
      },
      attempt: 0,
      result: null,
      pendingReason: { code: 'NO_CAPABLE_WORKER' },
      statusUrl: `${api.url}/jobs/${job.id}`,
    });
    const { data } = await api.ask(
      'query ($id: ID!) { job(id: $id) { events { totalCount edges { node { seq type status } } } } }',
      { id: job.id },
    );
    expect(data).toEqual({
      job: { events: { totalCount: 1, edges: [{ node: { seq: 1, type: 'STATUS', status: 'PENDING' } }] } },
    });
  });

  test('fills in what the caller left out', async () => {
    const uploadId = await upload();
    const { data, errors } = await api.ask(
      'mutation ($id: ID!) { startProductImport(input: { source: { uploadId: $id } }) { job { input } userErrors { code } } }',
      { id: uploadId },
    );
    expect(errors).toEqual([]);
    expect(data).toEqual({
      startProductImport: {
        job: { input: { source: { uploadId }, format: 'AUTO', dryRun: false } },
        userErrors: [],
      },
    });
  });

  test('names every field of the input that is wrong', async () => {
    const uploadId = await upload();
    const mapping = [
      { column: 'Name', field: 'title' },
      { column: '', field: 'x'.repeat(101) },
    ];
    expect(
      await errorsOf(
        client.jobs.start.productImport({ source: { uploadId }, format: 'AUTO', dryRun: false, mapping }),
      ),
    ).toEqual([
      { field: ['input', 'mapping', '1', 'column'], code: 'INVALID', message: expect.any(String) },
      { field: ['input', 'mapping', '1', 'field'], code: 'INVALID', message: expect.any(String) },
    ]);
    const options = { idempotencyKey: '' };
    const start = client.jobs.start.productImport(
      { source: { uploadId }, format: 'AUTO', dryRun: false },
      options,
    );
    expect(await errorsOf(start)).toMatchObject([{ field: ['options', 'idempotencyKey'], code: 'INVALID' }]);
    const cached = client.jobs.start.productImport(
      { source: { uploadId }, format: 'AUTO', dryRun: false },
      { maxAgeSeconds: 60 },
    );
    expect(await errorsOf(cached)).toMatchObject([{ field: ['options', 'maxAgeSeconds'], code: 'INVALID' }]);
  });

  test('needs exactly one source, and one whose file was put', async () => {
    const { errors } = await api.ask('mutation { startProductImport(input: { source: {} }) { job { id } } }');
    expect(errors[0]?.extensions).toMatchObject({ code: 'GRAPHQL_VALIDATION_FAILED' });
    const { id } = await client.uploads.create({ filename: 'a.csv', contentType: 'text/csv' });
    const start = client.jobs.start.productImport({
      source: { uploadId: id },
      format: 'AUTO',
      dryRun: false,
    });
    expect(await errorsOf(start)).toMatchObject([
      { field: ['input', 'source', 'uploadId'], code: 'INVALID' },
    ]);
  });

  test('with one idempotency key gives one job for one input, however often and at once', async () => {
    const uploadId = await upload();
    const start = (dryRun: boolean) =>
      client.jobs.start.productImport(
        { source: { uploadId }, format: 'AUTO', dryRun },
        { idempotencyKey: 'once' },
      );
    const started = await Promise.all(Array.from({ length: 20 }, () => start(true)));
    expect(new Set(started.map(({ job }) => job.id)).size).toBe(1);
    expect(started.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(started.filter(({ replayReason }) => replayReason === 'IDEMPOTENCY_KEY')).toHaveLength(19);
    expect(await errorsOf(start(false))).toMatchObject([
      { field: ['options', 'idempotencyKey'], code: 'IDEMPOTENCY_CONFLICT' },
    ]);
  });
});

describe('cancelling', () => {
  test('a waiting job ends it, with who and why; a second time it comes back unchanged with CONFLICT', async () => {
    const { job } = await client.jobs.start.productImport({
      source: { uploadId: await upload() },
      format: 'AUTO',
      dryRun: true,
    });
    const cancelled = await client.jobs.cancel(job.id, { reason: 'wrong file' });
    expect(cancelled).toMatchObject({
      id: job.id,
      status: 'CANCELLED',
      cancelReason: 'wrong file',
      pendingReason: null,
    });
    const { data } = await api.ask(
      'mutation ($id: ID!) { cancelJob(id: $id, reason: "again") { job { id status cancelReason } userErrors { field code } } }',
      { id: job.id },
    );
    expect(data).toEqual({
      cancelJob: {
        job: { id: job.id, status: 'CANCELLED', cancelReason: 'wrong file' },
        userErrors: [{ field: ['id'], code: 'CONFLICT' }],
      },
    });
  });

  test('for a reason longer than 500 characters is refused and changes nothing', async () => {
    const { job } = await client.jobs.start.productImport({
      source: { uploadId: await upload() },
      format: 'AUTO',
      dryRun: true,
    });
    expect(await errorsOf(client.jobs.cancel(job.id, { reason: 'x'.repeat(501) }))).toMatchObject([
      { field: ['reason'], code: 'INVALID' },
    ]);
    expect(await client.jobs.get(job.id)).toMatchObject({ status: 'PENDING' });
  });
});

describe('retrying', () => {
  test('starts a fresh job with the same input and leaves the old one as it was', async () => {
    const { job } = await client.jobs.start.productImport({
      source: { uploadId: await upload() },
      format: 'AUTO',
      dryRun: true,
    });
    await client.jobs.cancel(job.id);
    const retried = await client.jobs.retry(job.id);
    expect(retried.job).toMatchObject({ status: 'PENDING', input: job.input });
    expect(retried.job.id).not.toBe(job.id);
    expect(await client.jobs.get(job.id)).toMatchObject({ status: 'CANCELLED' });
  });

  test('only the failed rows needs a settled job with failed rows', async () => {
    const { job } = await client.jobs.start.productImport({
      source: { uploadId: await upload() },
      format: 'AUTO',
      dryRun: true,
    });
    expect(await errorsOf(client.jobs.retryFailedItems(job.id))).toMatchObject([
      { field: ['id'], code: 'CONFLICT' },
    ]);
    const done = await seedJob(api.database.db, api.organization.id);
    expect(await errorsOf(client.jobs.retryFailedItems(done.id))).toMatchObject([
      { field: ['id'], code: 'CONFLICT' },
    ]);
  });
});

describe('jobsChanged', () => {
  test('tells jobs that start and change, and once when one stops matching', async () => {
    const stop = new AbortController();
    const uploadId = await upload();
    const start = async () =>
      (await client.jobs.start.productImport({ source: { uploadId }, format: 'AUTO', dryRun: true })).job.id;
    const before = await start();
    const told: string[] = [];
    const reading = (async () => {
      const filter = { statuses: ['PENDING'] } as const;
      for await (const { job, matches } of client.jobs.changed(filter, { signal: stop.signal }))
        told.push(`${matches} ${job.id}`);
    })();
    // Nothing says when the stream is attached: jobs are started until one is told.
    const late = await waitFor(async () => {
      const id = await start();
      return waitFor(() => told.includes(`true ${id}`), { timeoutMs: 500 }).then(() => id);
    });
    await client.jobs.cancel(before);
    await client.jobs.cancel(late);
    await waitFor(() => told.includes(`false ${before}`) && told.includes(`false ${late}`));
    const again = await start();
    await waitFor(() => told.includes(`true ${again}`));
    expect(told.filter((line) => line.startsWith('false'))).toHaveLength(2);
    stop.abort(new Error('enough'));
    await expect(reading).rejects.toThrow('enough');
  });

  test('tells nothing of another organization, and nothing that never matched', async () => {
    const stop = new AbortController();
    const uploadId = await upload();
    const told: string[] = [];
    const stranger = createClient({ url: api.graphqlUrl, token: api.tokens.stranger });
    const listen = async (from: MillraceClient, statuses: readonly ('FAILED' | 'PENDING')[]) => {
      for await (const { job } of from.jobs.changed({ statuses }, { signal: stop.signal, transport: 'sse' }))
        told.push(job.id);
    };
    const others = [listen(stranger, ['PENDING']), listen(client, ['FAILED'])];
    const own: string[] = [];
    const reading = (async () => {
      for await (const { job } of client.jobs.changed({}, { signal: stop.signal, transport: 'sse' }))
        own.push(job.id);
    })();
    await waitFor(async () => {
      const { job } = await client.jobs.start.productImport({
        source: { uploadId },
        format: 'AUTO',
        dryRun: true,
      });
      await client.jobs.cancel(job.id);
      return waitFor(() => own.filter((id) => id === job.id).length > 1, { timeoutMs: 500 });
    });
    expect(told).toEqual([]);
    stop.abort(new Error('enough'));
    for (const stream of [...others, reading]) await expect(stream).rejects.toThrow('enough');
  });
});
