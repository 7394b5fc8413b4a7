import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { jobScan, Values, type JobFilter } from '../../src/repositories/job-filter.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { seedJob, seedJobs } from '../support/job-rows.ts';
import { createOrganization } from '../support/organization.ts';

const MANY = 20_000;
const HIDDEN = 10_000;
const PAGE = 51;

let database: TestDatabase;
let organizationId: string;
let parentId: string;
beforeAll(async () => {
  database = await createTestDatabase();
  const { db } = database;
  organizationId = (await createOrganization(db)).id;
  parentId = (await seedJob(db, organizationId, { triggered_by: 'api:rare', queue: 'default' })).uuid;
  await seedJob(db, organizationId, { status: 'failed', parent_id: parentId, queue: 'scheduled' });
  const many = { kind: 'product_import', triggered_by: 'schedule:nightly' };
  await seedJobs(db, organizationId, { ...many, count: MANY, status: 'completed' });
  // What is newest is none of these lists' business.
  const foreign = await createOrganization(db);
  await seedJobs(db, foreign.id, { ...many, count: HIDDEN, status: 'completed' });
  const hidden = await seedJobs(db, organizationId, { ...many, count: HIDDEN, status: 'completed' });
  await db.query('UPDATE jobs SET internal = true WHERE id = ANY($1)', [hidden]);
  await db.query('VACUUM ANALYZE jobs');
});
afterAll(() => database.close());

interface PlanNode {
  readonly Plans?: readonly PlanNode[] | undefined;
  readonly [key: string]: unknown;
}
const planNode: z.ZodType<PlanNode> = z.looseObject({
  get Plans() {
    return z.array(planNode).optional();
  },
});
const explained = z.tuple([z.object({ 'QUERY PLAN': z.tuple([z.object({ Plan: planNode })]) })]);
const numbers = z.object({
  'Actual Rows': z.number(),
  'Actual Loops': z.number(),
  'Rows Removed by Filter': z.number().default(0),
});

/** Rows of `jobs` that a scan looked at, those it threw away included, and the indexes it used. */
async function look(filter: Partial<JobFilter>, isOrdered: boolean) {
  const values = new Values();
  const whole: JobFilter = {
    organizationId,
    kinds: ['product_import', 'bulk_operation'],
    isEveryKind: true,
    statuses: null,
    queues: null,
    triggeredBy: null,
    createdAfter: null,
    createdBefore: null,
    parentId: null,
    search: null,
    ...filter,
  };
  const scan = jobScan(whole, values, { isOrdered, limit: PAGE });
  const { rows } = await database.db.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${scan}`, values.list);
  const nodes = flatten(explained.parse(rows)[0]['QUERY PLAN'][0].Plan).filter(
    (node) => node['Relation Name'] === 'jobs',
  );
  const looked = nodes.map((node) => {
    const {
      'Actual Rows': found,
      'Actual Loops': loops,
      'Rows Removed by Filter': removed,
    } = numbers.parse(node);
    return (found + removed) * loops;
  });
  return {
    rows: looked.reduce((sum, count) => sum + count, 0),
    indexes: [...new Set(nodes.map((node) => node['Index Name']))],
  };
}

function flatten(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(flatten)];
}

test.each<[string, Partial<JobFilter>, string | null]>([
  ['nothing', {}, 'jobs_newest'],
  ['a frequent kind', { kinds: ['product_import'], isEveryKind: false }, 'jobs_listed'],
  ['a rare kind', { kinds: ['bulk_operation'], isEveryKind: false }, 'jobs_listed'],
  ['a rare status', { statuses: ['failed', 'pending'] }, 'jobs_listed'],
  ['a rare queue', { queues: ['default'] }, 'jobs_listed'],
  ['a rare queue and status', { queues: ['scheduled'], statuses: ['failed'] }, 'jobs_listed'],
  ['a rare trigger', { triggeredBy: 'api:rare' }, 'jobs_triggered'],
  [
    'a frequent trigger and a rare status',
    { triggeredBy: 'schedule:nightly', statuses: ['failed'] },
    'jobs_triggered',
  ],
  ['a time with no jobs', { createdBefore: new Date('2020-01-01') }, null],
])('a page by %s reads hardly more rows than it shows', async (_name, filter, index) => {
  for (const isOrdered of [true, false]) {
    const { rows, indexes } = await look(filter, isOrdered);
    // A short range of ids is a short range of the primary key too.
    expect(indexes).toEqual([index ?? expect.stringMatching(/^jobs_(newest|pkey)$/)]);
    expect(rows).toBeLessThanOrEqual(2 * PAGE);
  }
});

test('children are found by their parent, whatever else is asked', async () => {
  for (const filter of [{ parentId }, { parentId, statuses: ['completed'] as const }]) {
    expect(await look(filter, true)).toMatchObject({ rows: 1, indexes: ['jobs_children'] });
  }
});
