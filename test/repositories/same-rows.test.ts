import { afterAll, beforeAll, expect, test } from 'vitest';
import { Prisma } from '../../src/generated/prisma/client.ts';
import { findOrganizations, findUsers } from '../../src/repositories/accounts.ts';
import { readJobRowPage } from '../../src/repositories/job-page.ts';
import { readJobRows } from '../../src/repositories/job-rows.ts';
import { openPrisma, type PrismaClient } from '../../src/repositories/prisma.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { seedJob, type SeededJob } from '../support/job-rows.ts';
import { createOrganization } from '../support/organization.ts';
import { createPerson } from '../support/people.ts';

/** Types of the API take rows from Prisma or from statements of ours, and must not see a difference. */

let database: TestDatabase;
let prisma: PrismaClient;
let organizationId: string;
let job: SeededJob;
beforeAll(async () => {
  database = await createTestDatabase();
  prisma = openPrisma(database.db);
  organizationId = (await createOrganization(database.db)).id;
  job = await seedJob(database.db, organizationId, { status: 'failed', result: { rows: [1, null] } });
  // As many columns as may have a value, so that there is something to compare.
  await database.db.query(
    `UPDATE jobs SET run_at = now(), started_at = now(), completed_at = now(), error_code = 'INTERNAL', progress_percent = 7,
            progress_message = 'at it', delivered_at = now(), epoch = gen_random_uuid(), next_attempt_at = now(),
            cancel_requested_at = now(), cancel_requested_by = 'api:test', cancel_reason = 'because', queue_job_id = 'q-1',
            cancel_acknowledged_at = now() - interval '1 second', count_total = 10, idempotency_key = 'k', notified_at = now(), worker_id = gen_random_uuid() WHERE id = $1`,
    [job.uuid],
  );
});
afterAll(async () => {
  await prisma.$disconnect();
  await database.close();
});

const scope = (): { organizationId: string; kinds: string[] } => ({
  organizationId,
  kinds: ['product_import'],
});

test('a job read by a statement of ours is what Prisma reads, column by column', async () => {
  const columns = Object.values(Prisma.JobScalarFieldEnum);
  const [ours] = await readJobRows(database.db, scope(), [job.uuid], columns);
  const theirs = await prisma.job.findUniqueOrThrow({ where: { id: job.uuid } });
  expect({ ...ours, inputHash: [...(ours?.inputHash ?? [])] }).toEqual({
    ...theirs,
    inputHash: [...theirs.inputHash],
  });
  const empty = Object.values(theirs).filter((value) => value === null);
  expect(empty.length).toBeLessThan(8);
});

test('a page has the rows that its ids name, however it is found', async () => {
  const others = await Promise.all(
    ['one', 'two', 'three'].map((text) =>
      seedJob(database.db, organizationId, { search_text: `the ${text}` }),
    ),
  );
  const all = [job, ...others]
    .map(({ uuid }) => uuid)
    .toSorted()
    .toReversed();
  const whole = {
    ...scope(),
    isEveryKind: true,
    ...{ statuses: null, queues: null, triggeredBy: null, createdAfter: null, createdBefore: null },
    ...{ parentId: null, search: null },
  };
  const request = { limit: 10, before: null };
  const statusesOf = async (filter: typeof whole | object) => {
    const { rows } = await readJobRowPage(database.db, { ...whole, ...filter }, request, ['status', 'kind']);
    expect(rows.map((row) => Object.keys(row).toSorted())).toEqual(rows.map(() => ['id', 'kind', 'status']));
    return rows.map(({ id }) => id);
  };
  expect(await statusesOf({})).toEqual(all);
  expect(await statusesOf({ statuses: ['completed'] })).toEqual(all.filter((id) => id !== job.uuid));
  expect(await statusesOf({ search: 'the t' })).toEqual(
    all.filter((id) => [others[1], others[2]].some((other) => other?.uuid === id)),
  );
});

test('organizations and people too; those that are not there are left out', async () => {
  const person = await createPerson(database.db, organizationId, 'member');
  const [organizations, users] = await Promise.all([
    findOrganizations(database.db, [organizationId, job.uuid]),
    findUsers(database.db, [person.id, job.uuid]),
  ]);
  expect([...organizations.values()]).toEqual(
    await prisma.organization.findMany({ where: { id: organizationId } }),
  );
  expect([...users.values()]).toEqual(await prisma.user.findMany({ where: { id: person.id } }));
});
