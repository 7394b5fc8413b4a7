import { rm, writeFile } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jobCatalogue } from '../../src/jobs/index.ts';
import { createLog } from '../../src/lib/log.ts';
import { startApi, type GraphQLAnswer, type TestApi } from '../support/api.ts';
import { seedJob } from '../support/job-rows.ts';
import { leaksOf } from '../support/leaks.ts';

let api: TestApi;
let isCatalogueBroken = false;
const logged: string[] = [];

beforeAll(async () => {
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      logged.push(chunk.toString());
      done();
    },
  });
  api = await startApi({
    log: createLog({ level: 'warn', process: 'test', destination }),
    catalogue: { ...jobCatalogue, product_import: breakable },
  });
});
afterAll(() => api.close());

/** A contract that a resolver stumbles over when it is told to. */
const breakable = new Proxy(jobCatalogue.product_import, {
  get(contract, key, receiver): unknown {
    if (isCatalogueBroken && key === 'input')
      throw new TypeError("Cannot read properties of undefined (reading 'x.ts')");
    return Reflect.get(contract, key, receiver);
  },
});

/** Every insert into a table fails as told until `fn` is done. */
async function withTrigger<T>(table: string, raise: string, fn: () => Promise<T>): Promise<T> {
  const { db } = api.database;
  await db.query(`CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${raise}; END $$`);
  await db.query(`CREATE TRIGGER fail BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION fail()`);
  try {
    return await fn();
  } finally {
    await db.query(`DROP TRIGGER fail ON ${table}`);
    await db.query('DROP FUNCTION fail()');
  }
}

const CREATE_UPLOAD = `mutation { createStagedUpload(input: { filename: "a.csv", contentType: "text/csv" }) {
  upload { id url } userErrors { code } } }`;
const INPUT = '{ jobs { edges { node { input } } } }';

/** Masked: a code, the request's id, which the log has too with the cause, and nothing of the inside. */
function expectMasked({ errors }: GraphQLAnswer, cause: string): void {
  expect(errors).toHaveLength(1);
  const [error] = errors;
  const requestId = String(error?.extensions['requestId']);
  expect(error?.extensions).toEqual({ code: 'INTERNAL_SERVER_ERROR', requestId });
  expect(error?.message).toBe(`Something went wrong on our side. Request ${requestId}.`);
  expect(leaksOf(JSON.stringify(errors))).toEqual([]);
  const lines = logged.filter((line) => line.includes(requestId));
  expect(lines.join('\n')).toContain(cause);
}

describe('what goes wrong inside is told as a code and a request id, and the log has the rest', () => {
  test('a function of the database that raises an error', async () => {
    const raise = `RAISE EXCEPTION 'secret: SELECT token FROM api_keys at /etc/passwd'`;
    expectMasked(await withTrigger('uploads', raise, () => api.ask(CREATE_UPLOAD)), 'secret: SELECT token');
  });

  test('a statement that takes too long', async () => {
    const raise = `RAISE query_canceled USING MESSAGE = 'canceling statement due to statement timeout'`;
    expectMasked(await withTrigger('uploads', raise, () => api.ask(CREATE_UPLOAD)), 'statement timeout');
  });

  test('a table that is not there', async () => {
    const { db } = api.database;
    await db.query('ALTER TABLE products RENAME TO gone');
    const answer = await api.ask('{ products { edges { node { id } } } }');
    await db.query('ALTER TABLE gone RENAME TO products');
    expectMasked(answer, 'products');
  });

  test('a resolver that throws a TypeError', async () => {
    await seedJob(api.database.db, api.organization.id);
    isCatalogueBroken = true;
    const answer = await api.ask(INPUT);
    isCatalogueBroken = false;
    expectMasked(answer, "reading 'x.ts'");
  });
});

test('a broken link of the event bus is nothing that a mutation tells of', async () => {
  await api.database.db.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND query LIKE 'LISTEN%'`,
  );
  const { data, errors } = await api.ask(CREATE_UPLOAD);
  expect(errors).toEqual([]);
  expect(leaksOf(JSON.stringify(data).replaceAll(/"url":"[^"]*"/g, ''))).toEqual([]);
});

test('without its storage folder an upload is refused with a code and no path', async () => {
  const { data } = await api.ask(CREATE_UPLOAD);
  const url = /"url":"([^"]+)"/.exec(JSON.stringify(data))?.[1] ?? '';
  await rm(api.dataDir, { recursive: true, force: true });
  // A file where the folder was: nothing can be written below it.
  await writeFile(api.dataDir, '');
  const response = await fetch(url, { method: 'PUT', body: 'a,b\n1,2\n' });
  const body = await response.text();
  expect(response.status).toBe(500);
  expect(JSON.parse(body)).toMatchObject({ code: expect.stringMatching(/^INTERNAL/) });
  expect(leaksOf(body)).toEqual([]);
});

test.each([
  'Error: x\n    at run (/srv/src/app.ts:10:5)',
  'at async file:///x/node_modules/pg/lib/client.js:1:2',
  'INSERT INTO jobs (id) VALUES ($1)',
  'relation "jobs" does not exist',
  'duplicate key value violates unique constraint "x"',
  'Invalid `prisma.job.findMany()` invocation',
  '{"code":"23505"}',
  'Code: P2002 ',
  "ENOENT: no such file or directory, open '/var/lib/x'",
  "Cannot read properties of undefined (reading 'x')",
  'postgres://user:secret@db/x',
])('the checker of leaks knows %j', (text) => {
  expect(leaksOf(text)).not.toEqual([]);
});
