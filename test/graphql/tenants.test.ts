import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newUuid, toPublicId } from '../../src/domain/ids.ts';
import { schema } from '../../src/graphql/schema.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { idPathsOf, operationOf, rootFieldsOf, type RootField } from '../support/schema-operations.ts';
import { seedTenant, TENANT_TYPES, type TenantType } from '../support/tenant-rows.ts';

let api: TestApi;
/** Things of the first organization; the asking is done by the stranger. */
let foreign: Record<TenantType, string>;

beforeAll(async () => {
  api = await startApi();
  foreign = await seedTenant(api.database.db, api.organization.id);
});
afterAll(() => api.close());

const NODE = 'query ($id: ID!) { node(id: $id) { __typename id } }';

test.each(TENANT_TYPES.filter((type) => type !== 'upload'))(
  'node finds a %s of one’s own organization only',
  async (type) => {
    const id = foreign[type];
    const own = await api.ask(NODE, { id }, 'admin');
    expect(own.data).toMatchObject({ node: { id } });
    const strange = await api.ask(NODE, { id }, 'stranger');
    const missing = await api.ask(NODE, { id: toPublicId(type, newUuid()) }, 'stranger');
    expect(strange).toEqual({ status: 200, data: { node: null }, errors: [] });
    expect(missing).toEqual(strange);
  },
);

test.each([
  '',
  'nonsense',
  'job_',
  'job_00000000000000000000000000',
  'xyz_01h455vb4pex5vsknk084sn02q',
  'JOB_01h455vb4pex5vsknk084sn02q',
  '1',
])('node(id: %j) is null and no error', async (id) => {
  expect(await api.ask(NODE, { id })).toEqual({ status: 200, data: { node: null }, errors: [] });
});

/** A stream that tells nothing for so long is taken to have nothing to tell. */
const SILENCE_MS = 2_000;

const takesIds = rootFieldsOf(schema).flatMap((field) => idPathsOf(field).map((path) => ({ field, path })));

/** As text, without what differs from answer to answer: the id that was asked for, and what the answer made. */
async function answerOf(field: RootField, query: string, id: string): Promise<string> {
  if (field.root !== 'Subscription') {
    const { status, data, errors } = await api.ask(query, {}, 'stranger');
    return withoutIds(JSON.stringify({ status, data, errors }), id);
  }
  const silence = new AbortController();
  const res = await fetch(api.graphqlUrl, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${api.tokens.stranger}`,
      'content-type': 'application/json',
      accept: 'text/event-stream',
    },
    body: JSON.stringify({ query }),
    signal: silence.signal,
  });
  const timer = setTimeout(() => silence.abort(), SILENCE_MS);
  try {
    return withoutIds(await firstEventOf(res), id);
  } finally {
    clearTimeout(timer);
  }
}

const withoutIds = (text: string, id: string): string =>
  text
    .replaceAll(id, 'ID')
    .replaceAll(/\b[a-z]{3}_[0-9a-z]{26}\b/g, 'OTHER')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME');

/** Up to the end of the stream, or to its first event; a stream that stays open and says nothing is "silent". */
async function firstEventOf(res: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  if (!res.body) return text;
  try {
    for await (const chunk of res.body) {
      text += decoder.decode(chunk, { stream: true });
      if (/^data: .*$/m.test(text)) break;
    }
    return text;
  } catch {
    return 'silent';
  }
}

/** Every row that belongs to the first organization. */
async function rowsOfTheFirst(): Promise<string> {
  const { db } = api.database;
  const { rows: tables } = await db.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.columns
     WHERE table_schema = 'public' AND column_name = 'organization_id' ORDER BY 1`,
  );
  const dumps = await Promise.all(
    tables.map(({ name }) =>
      db.query<{ dump: string | null }>(
        `SELECT string_agg((to_jsonb(t) - 'last_used_at')::text, E'\\n' ORDER BY to_jsonb(t)::text) AS dump
         FROM ${name} t WHERE organization_id = $1`,
        [api.organization.id],
      ),
    ),
  );
  return dumps.map(({ rows }, index) => `${tables[index]?.name}: ${rows[0]?.dump}`).join('\n');
}

describe('of all that the schema takes as an id', () => {
  test('there are some in queries, mutations and subscriptions', () => {
    process.stdout.write(
      `ids: ${takesIds.length} places of ${new Set(takesIds.map(({ field }) => field.name)).size} fields\n`,
    );
    expect(new Set(takesIds.map(({ field }) => field.root)).size).toBe(3);
    expect(takesIds.length).toBeGreaterThan(20);
  });

  test.each(takesIds.map(({ field, path }) => [field.name, path.join('.'), field, path] as const))(
    '%s(%s): another organization’s id is answered as one that does not exist, and changes nothing',
    { timeout: 60_000 },
    async (_name, _path, field, path) => {
      const before = await rowsOfTheFirst();
      const ask = (id: string): Promise<string> => answerOf(field, operationOf(field, { path, id }), id);
      await Promise.all(
        TENANT_TYPES.map(async (type) => {
          const [strange, unknown] = await Promise.all([
            ask(foreign[type]),
            ask(toPublicId(type, newUuid())),
          ]);
          expect(strange).toBe(unknown);
          expect(strange).not.toMatch(/syntax|Unknown|expected type|INTERNAL/i);
        }),
      );
      expect(await rowsOfTheFirst()).toBe(before);
    },
  );
});

test('another organization’s jobs, products and schedules are in no list', async () => {
  const { data } = await api.ask(
    '{ jobs { totalCount } products { totalCount } schedules { totalCount } }',
    {},
    'stranger',
  );
  expect(data).toEqual({
    jobs: { totalCount: 0 },
    products: { totalCount: 0 },
    schedules: { totalCount: 0 },
  });
});
