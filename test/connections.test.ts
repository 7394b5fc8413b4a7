import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectionBudget, readConfig } from '../src/config.ts';
import { createClient, type MillraceClient } from '../src/sdk/index.ts';
import { startApi, type TestApi } from './support/api.ts';
import { catalogFile } from './support/catalog-file.ts';
import { spawnWorker, type WorkerProcess } from './support/spawn-worker.ts';

/** Embedded PostgreSQL and many small servers allow 100 to 200 connections in all: each process keeps to its share. */
describe('the connections to PostgreSQL', () => {
  let api: TestApi;
  let client: MillraceClient;
  let worker: WorkerProcess;
  beforeAll(async () => {
    api = await startApi({ broker: 'postgres' });
    worker = await spawnWorker(api.environment, 'worker/main.ts');
    client = createClient({ url: api.graphqlUrl, token: api.tokens.member });
  });
  afterAll(async () => {
    await worker.end();
    await api.close();
  });

  it('stay within the budget while everything is busy', async () => {
    const file = catalogFile(500).text;
    const jobs = Array.from({ length: 12 }, async (_, index) => {
      const uploadId = await client.uploadFile(
        Buffer.from(file.replaceAll('shirt-', `shirt-${index}-`)),
        'a.csv',
      );
      const { job } = await client.jobs.start.productImport({ source: { uploadId } });
      for await (const event of client.jobs.watch(job.id, { transport: 'sse' }))
        expect(event.status).not.toBe('FAILED');
    });
    let most = { api: 0, worker: 0 };
    let busy = true;
    const counting = (async () => {
      while (busy) {
        const { rows } = await api.database.db.query<{ api: number; worker: number }>(
          `SELECT count(*) FILTER (WHERE application_name LIKE 'millrace-api-%' OR application_name LIKE 'bull:%api%')::int AS api,
                  count(*) FILTER (WHERE application_name NOT LIKE 'millrace-api-%' AND application_name <> 'millrace-test')::int AS worker
           FROM pg_stat_activity WHERE datname = current_database()`,
        );
        const [now] = rows;
        if (now) most = { api: Math.max(most.api, now.api), worker: Math.max(most.worker, now.worker) };
      }
    })();
    await Promise.all(jobs);
    busy = false;
    await counting;
    const budget = connectionBudget(readConfig(api.environment));
    expect(most.api).toBeGreaterThan(0);
    expect(most.api).toBeLessThanOrEqual(budget.api);
    expect(most.worker).toBeLessThanOrEqual(budget.worker);
    expect(budget.api + budget.worker).toBeLessThan(100);
  });
});
