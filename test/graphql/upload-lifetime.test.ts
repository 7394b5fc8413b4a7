import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newUuid, uuidOf } from '../../src/domain/ids.ts';
import { storageKey } from '../../src/domain/storage-key.ts';
import { insertFile } from '../../src/repositories/files.ts';
import { pruneJobs } from '../../src/repositories/retention.ts';
import { pruneUploads } from '../../src/repositories/uploads.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { seedJob } from '../support/job-rows.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

const run = (sql: string, ...values: unknown[]) =>
  api.database.db.query<Record<string, unknown>>(sql, values);
const PAYLOAD = '{ job { id } userErrors { code field } }';

interface Answer {
  readonly job: { readonly id: string } | null;
  readonly userErrors: readonly { readonly code: string; readonly field: readonly string[] }[];
}

async function upload(): Promise<string> {
  const { data } = await api.ask(
    'mutation { createStagedUpload(input: { filename: "a.csv", contentType: "text/csv" }) { upload { id url } } }',
  );
  const staged = (data?.['createStagedUpload'] as { upload: { id: string; url: string } }).upload;
  const put = await fetch(staged.url, {
    method: 'PUT',
    headers: { 'content-type': 'text/csv' },
    body: 'Handle\na\n',
  });
  expect(put.status).toBe(201);
  return staged.id;
}
const call = async (mutation: string, id: string): Promise<Answer> => {
  const { data } = await api.ask(`mutation ($id: ID!) { call: ${mutation} ${PAYLOAD} }`, { id });
  return data?.['call'] as Answer;
};
const startImport = (id: string) => call('startProductImport(input: { source: { uploadId: $id } })', id);
const timeIsOver = (id: string) =>
  run(`UPDATE uploads SET expires_at = now() - interval '2 hours' WHERE id = $1`, uuidOf('upload', id));
const settle = (answer: Answer, days: number) =>
  run(
    `UPDATE jobs SET status = 'failed', completed_at = now() - make_interval(days => $2) WHERE id = $1`,
    uuidOf('job', answer.job?.id ?? ''),
    days,
  );
const prune = async (): Promise<void> => {
  await pruneJobs(api.database.db, { jobs: 100, rows: 10_000 });
  await pruneUploads(api.database.db, 100);
};

describe('an uploaded file', () => {
  test('that no job named in time is refused with EXPIRED, before and after it was removed', async () => {
    const id = await upload();
    await timeIsOver(id);
    expect(await startImport(id)).toMatchObject({ job: null, userErrors: [{ code: 'EXPIRED' }] });
    await prune();
    expect(await startImport(id)).toMatchObject({ job: null, userErrors: [{ code: 'NOT_FOUND' }] });
  });

  test('lives as long as a job that may be retried, and longer for each retry', async () => {
    const id = await upload();
    const first = await startImport(id);
    expect(first.userErrors).toEqual([]);
    await settle(first, 29);
    await prune();
    const second = await call('retryJob(id: $id)', first.job?.id ?? '');
    expect(second.userErrors).toEqual([]);
    await settle(second, 0);
    await settle(first, 31);
    await prune();
    expect(await call('retryJob(id: $id)', first.job?.id ?? '')).toMatchObject({
      userErrors: [{ code: 'NOT_FOUND' }],
    });
    const third = await call('retryJob(id: $id)', second.job?.id ?? '');
    expect(third.userErrors).toEqual([]);
    for (const job of [second, third]) await settle(job, 31);
    await prune();
    expect((await run('SELECT 1 FROM uploads WHERE id = $1', uuidOf('upload', id))).rows).toEqual([]);
    expect((await run('SELECT 1 FROM storage_removals')).rows.length).toBeGreaterThan(0);
  });

  test('that is gone makes a retry of its job EXPIRED, and starts nothing', async () => {
    const id = await upload();
    const job = await startImport(id);
    await settle(job, 1);
    await run('DELETE FROM job_uploads WHERE upload_id = $1', uuidOf('upload', id));
    await run('DELETE FROM uploads WHERE id = $1', uuidOf('upload', id));
    const before = (await run('SELECT count(*) FROM jobs')).rows;
    expect(await call('retryJob(id: $id)', job.job?.id ?? '')).toEqual({
      job: null,
      userErrors: [{ code: 'EXPIRED', field: ['id'] }],
    });
    expect((await run('SELECT count(*) FROM jobs')).rows).toEqual(before);
  });

  test('of a start that came to nothing is not held by it', async () => {
    const id = await upload();
    const key =
      'mutation ($id: ID!) { startProductImport(input: { source: { uploadId: $id } }, options: { idempotencyKey: "same" }) { job { id } replayed } }';
    await Promise.all(Array.from({ length: 10 }, () => api.ask(key, { id })));
    expect(
      (await run('SELECT 1 FROM job_uploads WHERE upload_id = $1', uuidOf('upload', id))).rows,
    ).toHaveLength(1);
  });
});

describe('the rejected rows of a job', () => {
  test('go with it: then there is no such job to run them again for', async () => {
    const job = await startImport(await upload());
    await settle(job, 31);
    await prune();
    expect(await call('retryFailedItems(id: $id)', job.job?.id ?? '')).toEqual({
      job: null,
      userErrors: [{ code: 'NOT_FOUND', field: ['id'] }],
    });
  });

  test('that went make a retry of a run over them EXPIRED', async () => {
    const { db } = api.database;
    const first = await seedJob(db, api.organization.id, { status: 'failed' });
    await insertFile(db, {
      id: newUuid(), organizationId: api.organization.id, jobId: first.uuid, role: 'rejected_rows', filename: 'f.csv',
      contentType: 'text/csv', byteSize: 1, sha256: 'aa', storageKey: storageKey(api.organization.id, 'rejected-rows', newUuid()),
    }); // prettier-ignore
    const again = await call('retryFailedItems(id: $id)', first.id);
    expect(again.userErrors).toEqual([]);
    await settle(again, 1);
    expect((await call('retryJob(id: $id)', again.job?.id ?? '')).userErrors).toEqual([]);
    await run(`UPDATE jobs SET completed_at = now() - interval '31 days' WHERE id = $1`, first.uuid);
    await prune();
    expect(await call('retryJob(id: $id)', again.job?.id ?? '')).toEqual({
      job: null,
      userErrors: [{ code: 'EXPIRED', field: ['id'] }],
    });
  });
});
