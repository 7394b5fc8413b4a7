import { afterAll, beforeAll, expect, it } from 'vitest';
import { newUuid } from '../../src/domain/ids.ts';
import { openDatabase, type Database } from '../../src/repositories/db.ts';
import { claimDeliveries } from '../../src/repositories/job-claims.ts';
import { passFence } from '../../src/repositories/job-fence.ts';
import { insertJobs } from '../../src/repositories/job-inserts.ts';
import { settleAttempts } from '../../src/repositories/job-settlements.ts';
import { NO_CHANGE } from '../../worker/reporter.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { silentLog } from '../support/log.ts';
import { newJob } from '../support/new-job.ts';
import { createOrganization } from '../support/organization.ts';

let database: TestDatabase;
let db: Database;
beforeAll(async () => {
  database = await createTestDatabase();
  db = openDatabase({
    url: database.url,
    applicationName: 'test',
    connectionsMax: 1,
    statementTimeoutMs: 10_000,
    log: silentLog,
  });
});
afterAll(async () => {
  await db.close();
  await database.close();
});

/** PostgreSQL looks at five plans for the values at hand before it may keep one for all values. */
const RUNS = 8;

it('the plan of what runs for each job is kept', async () => {
  const organizationId = (await createOrganization(db)).id;
  const claimant = { id: newUuid(), name: 'w', capabilities: { known: 1 } };
  for (let run = 0; run < RUNS; run += 1) {
    const job = newJob(organizationId);
    await insertJobs(db, [job], 100);
    await claimDeliveries(db, claimant, [{ jobId: job.id, delivery: 0 }]);
    await passFence(db, job.id, 0, { ...NO_CHANGE, processed: 1 });
    await settleAttempts(db, [{ jobId: job.id, delivery: 0, trigger: 'completed', result: {} }]);
  }
  const { rows } = await db.query<{ name: string; kept: boolean }>(
    'SELECT name, generic_plans >= $1 AS kept FROM pg_prepared_statements ORDER BY name',
    [RUNS - 5],
  );
  expect(rows).toEqual(['claim', 'fence', 'insert-jobs', 'settle'].map((name) => ({ name, kept: true })));
});
