import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pruneUploads } from '../../src/repositories/uploads.ts';
import { createClient, type MillraceClient } from '../../src/sdk/index.ts';
import { startApi, type TestApi } from '../support/api.ts';

let api: TestApi;
let client: MillraceClient;
beforeAll(async () => {
  api = await startApi();
  client = createClient({ url: api.graphqlUrl, token: api.tokens.member });
});
afterAll(async () => {
  await client.close();
  await api.close();
});

type Job = Parameters<MillraceClient['schedules']['create']>[0]['job'];
let made = 0;
const request = (job: Job) => {
  made += 1;
  return {
    name: `schedule ${made}`,
    timing: { cron: { expression: '30 2 * * *', timeZone: 'Europe/Berlin' } },
    job,
  };
};

describe('an upload that a schedule names', () => {
  /** @returns its id, and whether it is there after its day and the next round of upkeep */
  const uploaded = async (filename: string) => {
    const { db } = api.database;
    const id = await client.uploadFile(Buffer.from('Handle,Title\n'), filename);
    const outlivesItsDay = async (): Promise<boolean> => {
      await db.query(
        `UPDATE uploads SET expires_at = now() - interval '1 minute' WHERE filename = $1 AND expires_at IS NOT NULL`,
        [filename],
      );
      await pruneUploads(db, 100);
      return (await db.query('SELECT 1 FROM uploads WHERE filename = $1', [filename])).rowCount === 1;
    };
    return { job: { productImport: { source: { uploadId: id } } }, outlivesItsDay };
  };

  test('is kept for its jobs to come, until the schedule is deleted', async () => {
    const { job, outlivesItsDay } = await uploaded('kept.csv');
    const [one, other] = [
      await client.schedules.create(request(job)),
      await client.schedules.create(request(job)),
    ];
    await client.schedules.delete(one.id);
    expect(await outlivesItsDay()).toBe(true);
    const run = await client.schedules.runNow(other.id);
    expect(run.job.id).toMatch(/^job_/);
    await api.database.db.query('DELETE FROM jobs');
    await client.schedules.delete(other.id);
    expect(await outlivesItsDay()).toBe(false);
  });

  test('is let go when the schedule names another one, and kept when other things about it change', async () => {
    const [before, after] = [await uploaded('before.csv'), await uploaded('after.csv')];
    const { id } = await client.schedules.create(request(before.job));
    await client.schedules.update(id, { priority: 'LOW' });
    expect(await before.outlivesItsDay()).toBe(true);
    await client.schedules.update(id, { job: after.job });
    expect(await before.outlivesItsDay()).toBe(false);
    expect(await after.outlivesItsDay()).toBe(true);
  });
});
