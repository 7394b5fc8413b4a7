import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { firstOf, seedFullTenant } from '../support/full-tenant.ts';
import { filledLists, listFieldsOf, listOperationsOf } from '../support/list-operations.ts';
import { rootFieldsOf } from '../support/schema-operations.ts';
import { readsDuring } from '../support/statements.ts';

/** What else a field of Query is asked with; by default nothing. */
const ARGS: Readonly<Record<string, string>> = {
  connection: 'id: "<connection>"',
  agent: 'name: "agent 1"',
  job: 'id: "<job>"',
  schedule: 'id: "<schedule>"',
  previewJobs: 'filter: { kinds: [PRODUCT_IMPORT] }',
  dashboard: 'period: { days: 100 }',
};

/** Lists that no rows of ours fill, and why their length cannot matter. */
const UNFILLED: Readonly<Record<string, string>> = Object.fromEntries([
  ...[
    'AdsComparison.spendChangePercent',
    'RevenueComparison.grossChangePercent',
    'RevenueComparison.netChangePercent',
    'RevenueComparison.refundsChangePercent',
    'AdsPoint.spend',
    'RevenuePoint.net',
  ].map((field) => [field, 'part of a value of a panel, which is read as a whole']),
  ['GrowthMetric.weeks', 'part of a value that a job made'],
]);

const operations = rootFieldsOf(schema)
  .filter(({ root, field }) => root === 'Query' && field.name !== 'node')
  .flatMap(({ field }) => listOperationsOf(field, ARGS[field.name] ?? ''));

interface Asked {
  readonly statements: readonly string[];
  readonly answer: Awaited<ReturnType<TestApi['ask']>>;
}

let api: TestApi;
const withOne = new Map<string, Asked>();
const withHundred = new Map<string, Asked>();

async function askAll(into: Map<string, Asked>): Promise<void> {
  const { db } = api.database;
  const [job, schedule, connection] = await Promise.all([
    firstOf(db, api.organization.id, 'job'),
    firstOf(db, api.organization.id, 'schedule'),
    firstOf(db, api.organization.id, 'connection'),
  ]);
  for (const { name, text } of operations) {
    const query = text
      .replace('<job>', job)
      .replace('<schedule>', schedule)
      .replace('<connection>', connection);
    const answers: Asked['answer'][] = [];
    const statements = await readsDuring(async () => answers.push(await api.ask(query, {}, 'admin')));
    const [answer] = answers;
    if (answer) into.set(name, { statements, answer });
  }
}

beforeAll(async () => {
  // Made from the schema, these ask for more than anybody would.
  api = await startApi({
    environment: { LIMIT_COST: '10000000', LIMIT_POINTS_PER_SECOND: '1000000' },
  });
  await seedFullTenant(api.database.db, api.organization.id, { from: 1, to: 1 });
  await askAll(withOne);
  await seedFullTenant(api.database.db, api.organization.id, { from: 2, to: 100 });
  await askAll(withHundred);
}, 120_000);
afterAll(() => api.close());

describe('a query of the fields of Query', () => {
  test.each(operations.map(({ name }) => name))('%s costs as many statements for 100 as for 1', (name) => {
    const one = withOne.get(name);
    const hundred = withHundred.get(name);
    expect(one?.answer.errors).toEqual([]);
    expect(hundred?.answer.errors).toEqual([]);
    expect(hundred?.statements.length, hundred?.statements.join('\n')).toBe(one?.statements.length);
  });

  test('none costs more than 20, and half of them 3 at most', () => {
    const counts = [...withHundred.values()].map(({ statements }) => statements.length).sort((a, b) => a - b);
    process.stdout.write(
      `statements: ${counts.length} operations, median ${counts[counts.length >> 1]}, most ${counts.at(-1)}\n`,
    );
    expect(counts.at(-1)).toBeLessThanOrEqual(20);
    expect(counts[counts.length >> 1]).toBeLessThanOrEqual(3);
  });
});

test('every list that a query can reach was among what was counted, with something in it', () => {
  const filled = new Set<string>();
  for (const [name, { answer }] of withHundred) {
    const root = /^\w+/.exec(name)?.[0] ?? name;
    filledLists({ [root]: answer.data?.['it'] }, filled);
  }
  const missing = [...listFieldsOf(schema)].filter((field) => !filled.has(field));
  expect(missing.sort()).toEqual(Object.keys(UNFILLED).sort());
});
