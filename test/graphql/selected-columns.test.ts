import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApi, type TestApi } from '../support/api.ts';
import { firstOf, seedFullTenant } from '../support/full-tenant.ts';
import { readsDuring } from '../support/statements.ts';

let api: TestApi;
beforeAll(async () => {
  // Made from the schema, these ask for more than anybody would.
  api = await startApi({
    environment: { LIMIT_COST: '10000000', LIMIT_POINTS_PER_SECOND: '1000000' },
  });
  await seedFullTenant(api.database.db, api.organization.id, { from: 1, to: 3 });
});
afterAll(() => api.close());

async function statementsOf(query: string): Promise<string> {
  const { db } = api.database;
  const asked = query.replace('<job>', await firstOf(db, api.organization.id, 'job'));
  let errors: unknown = null;
  const statements = await readsDuring(async () => ({ errors } = await api.ask(asked, {}, 'admin')));
  expect(errors).toEqual([]);
  return statements.join('\n');
}

const NODES: readonly (readonly [column: string, query: string, field: string])[] = [
  ['jobs.input', '{ jobs { edges { node { id status # } } } }', 'input'],
  ['jobs.result', '{ jobs { edges { node { id status # } } } }', 'result { __typename }'],
  ['jobs.input', '{ job(id: "<job>") { id status # } }', 'input'],
  ['jobs.input', '{ node(id: "<job>") { ... on Job { status # } } }', 'input'],
  ['jobs.input', '{ jobs { edges { node { children { edges { node { id # } } } } } } }', 'input'],
  ['jobs.result', '{ jobs { edges { node { parent { id # } } } } }', 'result { __typename }'],
  ['jobs.input', '{ schedules { edges { node { jobs { edges { node { id # } } } } } } }', 'input'],
  ['jobs.input', '{ notifications { edges { node { job { id # } } } } }', 'input'],
  ['jobs.input', '{ previewJobs(filter: { kinds: [PRODUCT_IMPORT] }) { sample { id # } } }', 'input'],
  ['schedules.input', '{ schedules { edges { node { id name # } } } }', 'input'],
  ['notifications.digest_kinds', '{ notifications { edges { node { id title # } } } }', 'digest { failed }'],
  ['notifications.body', '{ notifications { edges { node { id title # } } } }', 'body'],
  ['products.description_html', '{ products { edges { node { id title # } } } }', 'descriptionHtml'],
  [
    'products.description_html',
    '{ products { edges { node { variants { edges { node { product { id # } } } } } } } }',
    'descriptionHtml',
  ],
  [
    'webhook_deliveries.payload',
    '{ webhookEndpoints { edges { node { deliveries { edges { node { id # } } } } } } }',
    'payload',
  ],
  ['users.email', '{ members { edges { node { user { id # } } } } }', 'email'],
];

test.each(NODES)('%s is read by %s with "%s" and not without', async (column, query, field) => {
  const read = `"${column.replace('.', '"."')}"`;
  expect(await statementsOf(query.replace('#', ''))).not.toContain(read);
  expect(await statementsOf(query.replace('#', field))).toContain(read);
});

test('no query reads the secrets of webhooks, hashes of tokens or the texts that jobs are searched by', async () => {
  const statements = await statementsOf(`{
    jobs { edges { node { id input triggeredBy } } }
    apiKeys { edges { node { id name prefix user { id } } } }
    webhookEndpoints { edges { node { id url previousSecretExpiresAt } } }
  }`);
  expect(statements).toContain('"webhook_endpoints"."url"');
  expect(statements).not.toMatch(/"(secret|previous_secret|token_hash|search_text|input_hash)"/);
});
