import { createClient, type Client, type ClientOptions } from 'graphql-sse';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createClient as createMillrace } from '../../src/sdk/index.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { catalogFile } from '../support/catalog-file.ts';
import { addEvent, seedEvents, seedJob } from '../support/job-rows.ts';
import { spawnWorker } from '../support/spawn-worker.ts';
import { waitFor } from '../support/wait.ts';

/** graphql-sse's own client as a peer that knows nothing of this server. */

let api: TestApi;
const clients: Client<boolean>[] = [];
beforeAll(async () => {
  api = await startApi();
});
afterEach(async () => {
  clients.splice(0).forEach((client) => client.dispose());
  await waitFor(() => api.app.openStreams === 0);
});
afterAll(() => api.close());

type Mode = 'distinct connections' | 'a single connection' | 'distinct connections at the stream’s address';
const MODES: Mode[] = [
  'distinct connections',
  'distinct connections at the stream’s address',
  'a single connection',
];

function connect(mode: Mode, options: Partial<ClientOptions<boolean>> = {}): Client<boolean> {
  const client: Client<boolean> = createClient<boolean>({
    url: mode === 'distinct connections' ? api.graphqlUrl : `${api.graphqlUrl}/stream`,
    singleConnection: mode === 'a single connection',
    headers: () => ({ authorization: `Bearer ${api.tokens.member}` }),
    retryAttempts: 0,
    ...options,
  });
  clients.push(client);
  return client;
}

async function all(results: AsyncIterable<unknown>): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const value of results) values.push(value);
  return values;
}

const EVENTS_OF = 'subscription ($id: ID!) { jobEvents(id: $id) { seq status } }';
const events = (id: string) => ({ query: EVENTS_OF, variables: { id } });

async function runningJob() {
  const job = await seedJob(api.database.db, api.organization.id, { status: 'running' });
  await seedEvents(api.database.db, job, 1, 'running');
  return job;
}

describe.each(MODES)('graphql-sse’s client with %s', (mode) => {
  it('asks and changes', async () => {
    const client = connect(mode);
    const [query, mutation] = await Promise.all([
      all(client.iterate({ query: '{ viewer { role } }' })),
      all(client.iterate({ query: 'mutation { cancelJob(id: "x") { userErrors { code } } }' })),
    ]);
    expect(query).toMatchObject([{ data: { viewer: { role: 'MEMBER' } } }]);
    expect(mutation).toMatchObject([{ data: { cancelJob: { userErrors: [{ code: 'NOT_FOUND' }] } } }]);
  });

  it('follows two jobs to their ends, and nothing of them is left', async () => {
    const { db } = api.database;
    const client = connect(mode);
    const jobs = [await runningJob(), await runningJob()];
    const followed = jobs.map((job) => all(client.iterate(events(job.id))));
    await waitFor(() => api.app.openStreams === 2);
    await Promise.all(jobs.map((job) => addEvent(db, job, 2, 'completed')));
    expect(await Promise.all(followed)).toEqual(
      jobs.map(() => [
        { data: { jobEvents: { seq: 1, status: 'RUNNING' } } },
        { data: { jobEvents: { seq: 2, status: 'COMPLETED' } } },
      ]),
    );
    await waitFor(() => api.app.openStreams === 0);
  });

  it('is told what is wrong with a subscription in its results', async () => {
    const client = connect(mode);
    expect(await all(client.iterate(events('nonsense')))).toMatchObject([
      { errors: [{ extensions: { code: 'NOT_FOUND' } }] },
    ]);
  });

  it('leaves one of two subscriptions, and the other goes on', async () => {
    const client = connect(mode);
    const job = await runningJob();
    const [left, kept] = [client.iterate(events(job.id)), client.iterate(events(job.id))];
    await left.next();
    await kept.next();
    await left.return?.();
    await waitFor(() => api.app.openStreams === 1);
    await addEvent(api.database.db, job, 2, 'completed');
    expect(await all(kept)).toMatchObject([{ data: { jobEvents: { seq: 2 } } }]);
  });

  it('goes away in the middle, and its streams are let go', async () => {
    const client = connect(mode);
    await client.iterate(events((await runningJob()).id)).next();
    client.dispose();
    await waitFor(() => api.app.openStreams === 0);
  });

  it('without a token gets nothing', async () => {
    const client = connect(mode, { headers: {} });
    await expect(all(client.iterate({ query: '{ viewer { role } }' }))).rejects.toMatchObject({
      response: { status: 401 },
    });
  });
});

it.each(MODES)('a real job is followed from its start to its end with %s', async (mode) => {
  const worker = await spawnWorker(api.environment, 'worker/main.ts');
  const millrace = createMillrace({ url: api.graphqlUrl, token: api.tokens.member });
  const uploadId = await millrace.uploadFile(Buffer.from(catalogFile(20).text), 'products.csv');
  const { job } = await millrace.jobs.start.productImport({ source: { uploadId } });
  const seen = await all(connect(mode).iterate(events(job.id)));
  const { rows } = await api.database.db.query<{ seq: number; status: string | null }>(
    'SELECT seq, upper(status::text) AS status FROM job_events WHERE job_id = (SELECT max(id::text)::uuid FROM jobs) ORDER BY seq',
  );
  const logged = rows.map(({ seq, status }) => ({ data: { jobEvents: { seq, status } } }));
  expect(seen).toEqual(logged);
  expect(seen.at(-1)).toMatchObject({ data: { jobEvents: { status: 'COMPLETED' } } });
  await millrace.close();
  await worker.end();
});

it('every stream is cut when the process ends, so that clients come back instead of taking it for the job’s end', async () => {
  await using other = await startApi();
  const job = await seedJob(other.database.db, other.organization.id, { status: 'running' });
  await seedEvents(other.database.db, job, 1, 'running');
  const client = connect('a single connection', {
    url: `${other.graphqlUrl}/stream`,
    headers: { authorization: `Bearer ${other.tokens.member}` },
  });
  const followed = client.iterate(events(job.id));
  await followed.next();
  await other.app.close();
  await expect(followed.next()).rejects.toThrow();
});
