import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { BusAdapter } from '../../src/events/adapter.ts';
import { openBus } from '../../src/events/index.ts';
import { readConfig } from '../../src/config.ts';
import { Reporter } from '../../worker/reporter.ts';
import { ManualTimer, settle } from '../events/manual-timer.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventsOf, readJob } from '../support/jobs.ts';
import { silentLog } from '../support/log.ts';
import { createOrganization } from '../support/organization.ts';
import { insertRawJob } from '../support/raw-job.ts';
import { waitFor } from '../support/wait.ts';

let database: TestDatabase;
let bus: BusAdapter;
let timer: ManualTimer;
let jobId: string;
let reporter: Reporter;
let lost: number;
beforeAll(async () => {
  database = await createTestDatabase();
  const { broker } = readConfig({});
  bus = await openBus({
    broker,
    directDatabaseUrl: database.url,
    applicationName: 'test',
    log: silentLog,
  });
});
afterAll(async () => {
  await bus.close();
  await database.close();
});
beforeEach(async () => {
  const { db } = database;
  jobId = await insertRawJob(db, (await createOrganization(db)).id);
  const { delivery } = await readJob(db, jobId);
  timer = new ManualTimer();
  lost = 0;
  reporter = new Reporter({ db, bus, log: silentLog, jobId, delivery, timer, onLost: () => (lost += 1) });
});

const told = (): Promise<string[]> => eventsOf(database.db, jobId);
const toldBy = (count: number): Promise<unknown> => waitFor(async () => (await told()).length === count);

it('writes the first value after a silence at once, without waiting for its timer', async () => {
  reporter.report(1, 10, 'one');
  await toldBy(1);
  timer.advance(10_000);
  reporter.report(2, 10, 'two');
  await toldBy(2);
  expect(await told()).toEqual(['progress: one', 'progress: two']);
});

it('writes at most four times a second, and the latest value wins', async () => {
  reporter.report(0, 100, 'first');
  await toldBy(1);
  for (let done = 1; done <= 100; done += 1) {
    reporter.report(done, 100, `${done} of 100`);
    timer.advance(10);
    await settle();
  }
  const events = await told();
  expect(events.length).toBeLessThanOrEqual(5);
  await reporter.flush();
  expect((await told()).at(-1)).toBe('progress: 100 of 100');
});

it('tells in one write what was told without a pause', async () => {
  reporter.log.info('line one');
  reporter.log.info('line two');
  reporter.report(1, 2, 'half');
  await toldBy(3);
  expect(await told()).toEqual(['log: line one', 'log: line two', 'progress: half']);
});

it('keeps no timer when it was flushed', async () => {
  reporter.report(1, 10);
  await reporter.flush();
  reporter.report(2, 10);
  expect(timer.size).toBe(1);
  await reporter.flush();
  expect(timer.size).toBe(0);
  expect(await told()).toHaveLength(2);
});

it('says that the attempt is lost when the job was delivered anew', async () => {
  await database.db.query('UPDATE jobs SET delivery = delivery + 1 WHERE id = $1', [jobId]);
  reporter.report(1, 10);
  await waitFor(() => lost === 1);
  expect(await told()).toEqual([]);
});
