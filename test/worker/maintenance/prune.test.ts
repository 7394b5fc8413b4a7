import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newUuid } from '../../../src/domain/ids.ts';
import { storageKey } from '../../../src/domain/storage-key.ts';
import { insertFile } from '../../../src/repositories/files.ts';
import { planRemoval } from '../../../src/repositories/storage-removals.ts';
import { insertJobs } from '../../../src/repositories/job-inserts.ts';
import {
  createUpload,
  findUpload,
  markUploadReceived,
  pruneUploads,
} from '../../../src/repositories/uploads.ts';
import { openStorage } from '../../../src/storage/index.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { prune } from '../../../worker/maintenance/prune.ts';
import { createConnection } from '../../support/connection.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { seedJob } from '../../support/job-rows.ts';
import { silentLog } from '../../support/log.ts';
import { newJob } from '../../support/new-job.ts';
import { createOrganization } from '../../support/organization.ts';
import { planOf } from '../../support/plan.ts';

describe('what is out of date', () => {
  let database: TestDatabase;
  let dataDir: string;
  let storage: Storage;
  let organizationId: string;
  beforeEach(async () => {
    database = await createTestDatabase();
    dataDir = await mkdtemp(join(tmpdir(), 'millrace-prune-'));
    storage = openStorage({ dataDir });
    organizationId = (await createOrganization(database.db)).id;
  });
  afterEach(async () => {
    await database.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  const run = (sql: string, ...values: unknown[]) => database.db.query<Record<string, unknown>>(sql, values);
  const pruned = (on: Storage = storage, signal = new AbortController().signal) =>
    prune({ db: database.db, storage: on, log: silentLog }, signal);
  const storedFiles = async (): Promise<number> => {
    const entries = await readdir(dataDir, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).length;
  };
  const put = async (noun: string) => {
    const key = storageKey(organizationId, noun, newUuid());
    const options = { maxBytes: 100, signal: new AbortController().signal };
    return { key, ...(await storage.put(key, Readable.from([Buffer.from('bytes')]), options)) };
  };
  const settledJob = async (days: number, columns = {}) => {
    const job = await seedJob(database.db, organizationId, columns);
    await run(
      `UPDATE jobs SET completed_at = now() - make_interval(days => $2) WHERE id = $1`,
      job.uuid,
      days,
    );
    return job;
  };
  const withFile = async (jobId: string): Promise<void> => {
    const { key, byteSize, sha256 } = await put('rejected-rows');
    await insertFile(database.db, {
      id: newUuid(), organizationId, jobId, role: 'rejected_rows', filename: 'f.csv', contentType: 'text/csv', byteSize, sha256, storageKey: key,
    }); // prettier-ignore
  };
  const received = async (): Promise<string> => {
    const id = newUuid();
    await createUpload(database.db, {
      id, organizationId, filename: 'a.csv', contentType: 'text/csv', declaredBytes: null,
      storageKey: storageKey(organizationId, 'uploads', id), expiresAt: new Date(Date.now() + 60_000),
    }); // prettier-ignore
    const { key, byteSize, sha256 } = await put('uploads');
    await markUploadReceived(database.db, organizationId, id, { byteSize, sha256, storageKey: key });
    return id;
  };
  const names = async (jobId: string, uploadId: string): Promise<void> => {
    await run(
      'INSERT INTO job_uploads (organization_id, job_id, upload_id) VALUES ($1, $2, $3)',
      organizationId,
      jobId,
      uploadId,
    );
    await run('UPDATE uploads SET expires_at = NULL WHERE id = $1', uploadId);
  };
  const timeIsOver = (id: string) =>
    run(`UPDATE uploads SET expires_at = now() - interval '1 minute' WHERE id = $1`, id);
  const upload = (id: string) => findUpload(database.db, organizationId, id);
  const broken: Storage = {
    put: () => Promise.reject(new Error('unused')),
    get: () => Promise.reject(new Error('unused')),
    remove: () => Promise.reject(new Error('the storage is away')),
  };

  it('goes whole: a job, its files and their bytes, and what came of it is told', async () => {
    await withFile((await settledJob(40)).uuid);
    await withFile((await settledJob(1)).uuid);
    expect(await pruned()).toMatchObject({ jobs: 1, files: 1 });
    expect(await storedFiles()).toBe(1);
    expect((await run('SELECT 1 FROM storage_removals')).rows).toEqual([]);
    expect(await pruned()).toEqual({ jobs: 0, rows: 0, uploads: 0, others: 0, files: 0 });
  });

  it('leaves no bytes behind when the process dies, or the storage is away, after the rows are gone', async () => {
    await withFile((await settledJob(40)).uuid);
    expect(await pruned(broken)).toMatchObject({ jobs: 1, files: 0 });
    expect(await storedFiles()).toBe(1);
    // Another try is due only after a while.
    expect(await pruned()).toMatchObject({ files: 0 });
    await run('UPDATE storage_removals SET due_at = now()');
    expect(await pruned()).toMatchObject({ files: 1 });
    expect(await storedFiles()).toBe(0);
  });

  it('waits longer and longer for a storage that stays away', async () => {
    await withFile((await settledJob(40)).uuid);
    const waits: number[] = [];
    for (let tries = 0; tries < 12; tries += 1) {
      await run('UPDATE storage_removals SET due_at = now()');
      await pruned(broken);
      const { rows } = await run(
        'SELECT extract(epoch FROM due_at - now())::float8 AS wait FROM storage_removals',
      );
      waits.push(Math.round(Number(rows[0]?.['wait']) / 60));
    }
    expect(waits.slice(0, 4)).toEqual([5, 10, 20, 40]);
    expect(waits.at(-1)).toBe(1_440);
  });

  it('is removed once by workers that prune at the same time', async () => {
    for (let count = 0; count < 50; count += 1) await withFile((await settledJob(40)).uuid);
    const totals = await Promise.all([pruned(), pruned(), pruned()]);
    expect(totals.reduce((sum, { jobs }) => sum + jobs, 0)).toBe(50);
    expect(totals.reduce((sum, { files }) => sum + files, 0)).toBe(50);
    expect(await storedFiles()).toBe(0);
  });

  it('are events of providers after a week, and people who did not come back in time', async () => {
    const { connectionId } = await createConnection(database.db, organizationId);
    for (const days of [6, 8])
      await run(
        `INSERT INTO provider_events (organization_id, connection_id, event_id, received_at)
         VALUES ($1, $2, $3::int::text, now() - make_interval(days => $3::int))`,
        organizationId,
        connectionId,
        days,
      );
    for (const minutes of [-1, 1])
      await run(
        `INSERT INTO connect_attempts (state_hash, id, organization_id, provider, config, verifier, created_by, expires_at)
         VALUES (decode(md5($2::int::text), 'hex'), $3, $1, 'shopify', '{}', 'encrypted', 'api:test', now() + make_interval(mins => $2::int))`,
        organizationId,
        minutes,
        newUuid(),
      );
    await pruned();
    expect((await run('SELECT event_id FROM provider_events')).rows).toEqual([{ event_id: '6' }]);
    expect((await run('SELECT expires_at > now() AS open FROM connect_attempts')).rows).toEqual([
      { open: true },
    ]);
  });

  it('stays where the process is told to stop first', async () => {
    await settledJob(40);
    expect(await pruned(storage, AbortSignal.abort())).toMatchObject({ jobs: 0 });
    expect((await run('SELECT 1 FROM jobs')).rows).toHaveLength(1);
  });

  it('are bytes that no row came to name, but not those that one names', async () => {
    const lost = await put('rejected-rows');
    await planRemoval(database.db, lost.key);
    const job = await settledJob(1);
    const kept = await put('rejected-rows');
    await planRemoval(database.db, kept.key);
    await insertFile(database.db, {
      id: newUuid(), organizationId, jobId: job.uuid, role: 'output', filename: 'f', contentType: 'text/csv', byteSize: 5, sha256: 'aa', storageKey: kept.key,
    }); // prettier-ignore
    expect(await pruned()).toMatchObject({ files: 0 });
    await run(`UPDATE storage_removals SET due_at = now()`);
    expect(await pruned()).toMatchObject({ files: 1 });
    await expect(storage.get(lost.key, { signal: AbortSignal.timeout(1_000) })).rejects.toThrow();
    expect(await storedFiles()).toBe(1);
  });

  describe('of uploads', () => {
    it('is one that no job named for 24 hours, with its bytes', async () => {
      const id = await received();
      const hours = ((await upload(id))?.expiresAt?.getTime() ?? 0) / 3_600_000 - Date.now() / 3_600_000;
      expect(hours).toBeCloseTo(24, 1);
      expect(await pruned()).toMatchObject({ uploads: 0 });
      await timeIsOver(id);
      expect(await pruned()).toMatchObject({ uploads: 1, files: 1 });
      expect(await upload(id)).toBeNull();
      expect(await storedFiles()).toBe(0);
    });

    it('is none that a job names, however old, until the last such job goes', async () => {
      const id = await received();
      const [first, second] = [await settledJob(40), await settledJob(2)];
      for (const job of [first, second]) await names(job.uuid, id);
      expect(await upload(id)).toMatchObject({ expiresAt: null });
      expect(await pruned()).toMatchObject({ jobs: 1, uploads: 0 });
      expect(await upload(id)).toMatchObject({ expiresAt: null });
      await run(`UPDATE jobs SET completed_at = now() - interval '40 days'`);
      expect(await pruned()).toMatchObject({ jobs: 1, uploads: 1, files: 1 });
    });

    it('is the one that two jobs name which go at the same moment in two workers', async () => {
      const id = await received();
      for (let count = 0; count < 20; count += 1) {
        await names((await settledJob(40)).uuid, id);
      }
      await Promise.all([pruned(), pruned(), pruned()]);
      await pruned();
      expect((await run('SELECT 1 FROM jobs')).rows).toEqual([]);
      expect(await upload(id)).toBeNull();
    });

    it('is none that a job takes up at that very moment: either it is kept, or the job is refused', async () => {
      for (let round = 0; round < 20; round += 1) {
        const id = await received();
        const [inserted] = await Promise.all([
          insertJobs(database.db, [newJob(organizationId, { uploadIds: [id] })], 0),
          timeIsOver(id).then(() => pruneUploads(database.db, 10)),
        ]);
        // A prune that met the other's lock leaves it to the next.
        await pruneUploads(database.db, 10);
        expect((await upload(id)) !== null).toBe(inserted[0] !== null);
      }
    });

    it('is found by an index that those in use do not stand in', async () => {
      await run(
        `INSERT INTO uploads (id, organization_id, filename, content_type, storage_key, received_at, expires_at)
         SELECT gen_random_uuid(), $1, 'f', 'text/csv', 'key', now(), CASE WHEN n > 20 THEN NULL ELSE now() END
         FROM generate_series(1, 20000) n`,
        organizationId,
      );
      await run('ANALYZE uploads');
      expect(await planOf(database.db, (sql) => pruneUploads(sql, 1_000))).toContain(
        'uploads_expires_at_idx',
      );
    });
  });
});
