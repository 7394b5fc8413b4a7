import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { toPublicId } from '../../src/domain/ids.ts';
import { createClient } from '../../src/sdk/index.ts';
import { catalogFile } from '../support/catalog-file.ts';
import { BROKERS } from '../support/engine.ts';
import { createPerson } from '../support/people.ts';
import { stageSecrets, withLogin, type SecretStage } from '../support/secret-stage.ts';
import { readDatabase, readFolder, readRedis, secretsIn, type Written } from '../support/secret-search.ts';
import { waitFor } from '../support/wait.ts';

const STORY_TIMEOUT_MS = 300_000;
const KEY = `mutation { it: createApiKey(input: { name: "leaky", role: ADMIN }) { token apiKey { id } } }`;
const ENDPOINT = `mutation ($url: String!) { it: createWebhookEndpoint(input: { url: $url }) { secret endpoint { id } } }`;
const ROTATE = `mutation ($id: ID!) { it: rotateWebhookSecret(id: $id, overlapHours: 24) { secret endpoint { id } } }`;
const SEND = `mutation ($id: ID!) { it: sendTestWebhook(id: $id) { delivery { id payload } userErrors { message } } }`;
const REVOKE = `mutation ($id: ID!) { it: revokeApiKey(id: $id) { apiKey { id name revokedAt } } }`;
const UPLOAD = `mutation { it: createStagedUpload(input: { filename: "a.csv", contentType: "text/csv" }) { upload { id url } } }`;
const LINK = `query ($id: ID!) { it: job(id: $id) { rejectedRows { url } } }`;
/** All that could hold one */
const EVERYTHING = [
  'viewer { __typename role user { email } organization { id name } }',
  'apiKeys(includeRevoked: true) { edges { node { __typename id name prefix role createdBy lastUsedAt } } }',
  `webhookEndpoints(first: 10) { edges { node { __typename id url description createdBy
    deliveries(first: 10) { edges { node { id payload errorMessage attempts { number responseCode errorMessage } } } } } } }`,
  `jobs(first: 10) { edges { node { __typename id input errorMessage triggeredBy progressMessage result { __typename }
    attempts { number errorMessage } files { filename contentType } } } }`,
  `jobs(first: 3) { edges { node { id items(first: 30) { edges { node { row column value message } } }
    events(first: 20) { edges { node { __typename seq } } } } } }`,
  'notifications { edges { node { __typename id title body } } }',
  'queues { __typename } workers(first: 10) { edges { node { __typename id } } }',
];

interface Made {
  readonly token?: string;
  readonly secret?: string;
  readonly apiKey?: { readonly id: string };
  readonly endpoint?: { readonly id: string };
  readonly upload?: { readonly id: string; readonly url: string };
  readonly rejectedRows?: { readonly url: string } | null;
}

describe.each(BROKERS)('with deliveries on %s, no secret', (broker) => {
  let stage: SecretStage;
  let graphqlUrl: string;
  let workerUrl: string;
  /** All that callers were told, but for the answers that tell a secret once */
  const answers: Written[] = [];
  /** Tokens of people */
  let key: Required<Pick<Made, 'token' | 'apiKey'>>;

  const record = async (response: Response, what: string): Promise<string> => {
    const text = await response.text();
    answers.push({ where: `the answer to ${what}`, text: JSON.stringify([...response.headers]) + text });
    return text;
  };
  const post = (token: string | null, query: string, variables: object = {}): Promise<Response> =>
    fetch(graphqlUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
      body: JSON.stringify({ query, variables }),
    });
  const ask = async (query: string, variables: object = {}, token = key.token): Promise<string> =>
    record(await post(token, query, variables), query);
  /** An operation whose answer tells something once. */
  const make = async (token: string, query: string, variables: object = {}): Promise<Made> => {
    const answer = (await (await post(token, query, variables)).json()) as { data?: { it?: Made } };
    return answer.data?.it ?? expect.fail(`nothing was made: ${JSON.stringify(answer)}`);
  };
  const remember = (name: string, secret: string | null | undefined): string => {
    const known = secret ?? expect.fail(`there is no ${name}`);
    stage.secrets.set(name, known);
    return known;
  };
  const rememberLink = (name: string, url: string | undefined): string => {
    const known = url ?? expect.fail(`there is no ${name}`);
    remember(name, new URL(known).searchParams.get('signature'));
    return known;
  };

  const comeIn = async (): Promise<void> => {
    const organization = toPublicId('organization', stage.organizationId);
    const names = ['--organization', organization, '--email', 'ada@example.com', '--name', 'Ada'];
    const cli = stage.start('src/cli/main.ts', {}, ['admin', 'create', ...names]);
    await cli.ended;
    const [first = expect.fail(`no key was printed: ${cli.output()}`)] =
      /mlr_[\w-]{43}/.exec(cli.output()) ?? [];
    const made = await make(first, KEY);
    key = { token: remember('API key', made.token), apiKey: made.apiKey ?? expect.fail('no key was made') };
    await ask('{ viewer { role } }');
  };

  const tokensOfPeople = async (): Promise<void> => {
    const { email } = await createPerson(stage.database.db, stage.organizationId, 'admin');
    const signed = {
      'a JWT': await stage.provider.sign({ email }),
      'an expired JWT': await stage.provider.sign({ email }, { expiresAt: new Date(Date.now() - 3_600_000) }),
      'a forged JWT': await stage.provider.sign({ email }, { forged: true }),
    };
    for (const [name, token] of Object.entries(signed)) {
      remember(`the signature of ${name}`, token.split('.')[2]);
      await ask('{ viewer { role } }', {}, token);
    }
    stage.provider.answerWith(500);
    await stage.provider.rotate();
    await ask('{ viewer { role } }', {}, remember('an unknown key', `mlr_${'x'.repeat(43)}`));
    stage.provider.answerWith(200);
  };

  const webhooks = async (): Promise<void> => {
    for (const [name, { url, received }] of Object.entries(stage.receivers)) {
      const { endpoint, secret } = await make(key.token, ENDPOINT, { url });
      const id = endpoint?.id ?? expect.fail('no endpoint was made');
      remember(`the first secret of the ${name} webhook`, secret?.replace('whsec_', ''));
      await ask(SEND, { id });
      const rotated = await make(key.token, ROTATE, { id });
      remember(`the second secret of the ${name} webhook`, rotated.secret?.replace('whsec_', ''));
      await ask(SEND, { id });
      await waitFor(() => received.length >= 2, { timeoutMs: 90_000 });
    }
  };

  /** An import of a file of which some rows, or all, are bad. */
  const importFile = async (badEvery: number): Promise<string> => {
    const { upload } = await make(key.token, UPLOAD);
    const url = rememberLink(`the signature of upload ${badEvery}`, upload?.url);
    const body = catalogFile(4, badEvery).text;
    for (const to of [url.replace('expires=', 'expires=9'), url, url])
      await record(await fetch(to, { method: 'PUT', body }), 'an upload');
    const client = createClient({ url: graphqlUrl, token: key.token, webSocketImpl: WebSocket });
    const { job } = await client.jobs.start.productImport({ source: { uploadId: upload?.id ?? '' } });
    for (const transport of ['ws', 'sse'] as const)
      for await (const event of client.jobs.watch(job.id, { transport }))
        answers.push({ where: `an event over ${transport}`, text: JSON.stringify(event) });
    await client.close();
    return job.id;
  };

  const files = async (): Promise<void> => {
    const { rejectedRows } = await make(key.token, LINK, { id: await importFile(5) });
    const link = rememberLink('the signature of a file', rejectedRows?.url);
    for (const from of [link, link.replace('expires=', 'expires=9')])
      await record(await fetch(from), 'a download');
    // A failed job is told by mail, whose server says the password that it refuses.
    await importFile(1);
    await waitFor(() => stage.logs().some(({ text }) => text.includes('EAUTH')), { timeoutMs: 90_000 });
  };

  const metrics = async (): Promise<void> => {
    const bearer = { authorization: `Bearer ${String(stage.environment['METRICS_TOKEN'])}` };
    const api = graphqlUrl.replace('/graphql', '/metrics');
    for (const [url, headers] of [
      [api, bearer],
      [api, { authorization: 'Bearer wrong' }],
      [`${workerUrl}/metrics`, {}],
      [`${workerUrl}/readyz`, {}],
    ] as const)
      await record(await fetch(url, { headers }), url);
  };

  /** Processes that cannot work: what they say is read by whoever starts them. */
  const misconfigured = async (): Promise<void> => {
    const { DATABASE_URL = '', REDIS_URL } = stage.environment;
    const elsewhere = new URL(DATABASE_URL);
    elsewhere.port = '1';
    const unknown = withLogin(
      DATABASE_URL,
      'nobody',
      remember('another password of PostgreSQL', 'aZ9/nobody"%pw'),
    );
    const short = {
      METRICS_TOKEN: remember('a short METRICS_TOKEN', 'sh0rt-token'),
      MILLRACE_SECRET: remember('a short MILLRACE_SECRET', 'sh0rt-secret'),
      MILLRACE_ENCRYPTION_KEYS: `x:${remember('a short key of the ring', 'c2gwcnQga2V5')}`,
      SMTP_URL: `imap://${remember('a password for no mail server', 'imap-pa55w0rd')}@mail`,
    };
    const ending = [
      stage.start('src/server.ts', { DATABASE_URL: elsewhere.href }),
      stage.start('worker/main.ts', { DATABASE_URL: unknown }),
      stage.start('src/server.ts', short),
    ];
    if (REDIS_URL !== undefined) {
      const password = remember('another password of Redis', 'aZ9/no"%redis');
      const waiting = stage.start('src/server.ts', { REDIS_URL: withLogin(REDIS_URL, 'nobody', password) });
      await waitFor(() => /WRONGPASS|NOAUTH/.test(waiting.output()), { timeoutMs: 90_000 });
      await waiting.stop();
    }
    await Promise.all(ending.map(({ ended }) => ended));
  };

  beforeAll(async () => {
    stage = await stageSecrets(broker);
    const api = stage.start('src/server.ts');
    const worker = stage.start('worker/main.ts');
    graphqlUrl = `${await api.ready}/graphql`;
    workerUrl = await worker.ready;
    await comeIn();
    await tokensOfPeople();
    await webhooks();
    await files();
    for (const part of EVERYTHING) expect(await ask(`{ ${part} }`)).not.toContain('"errors"');
    await stage.cutConnections();
    await waitFor(async () => (await ask('{ jobs { totalCount } }')).includes('totalCount'), {
      timeoutMs: 90_000,
    });
    await metrics();
    const ring = `new:${Buffer.alloc(32, 7).toString('base64')},${stage.environment['MILLRACE_ENCRYPTION_KEYS']}`;
    await stage.start('src/cli/main.ts', { MILLRACE_ENCRYPTION_KEYS: ring }, ['secrets', 'rotate']).ended;
    await ask(REVOKE, { id: key.apiKey.id });
    await ask('{ viewer { role } }');
    await misconfigured();
    await worker.stop();
    await api.stop();
  }, STORY_TIMEOUT_MS);
  afterAll(async () => stage[Symbol.asyncDispose]());

  test('is in a line of the logs, at their most talkative', () => {
    const logs = stage.logs();
    expect(logs.every(({ text }) => text !== '')).toBe(true);
    expect(secretsIn(stage.secrets, logs)).toEqual([]);
    expect(secretsIn(new Map([['proof', '"ready"']]), logs)).not.toEqual([]);
  });

  test('is in a column of the database', async () => {
    const rows = await readDatabase(stage.database.db);
    expect(secretsIn(stage.secrets, rows)).toEqual([]);
    const proofs = new Map([
      ['text', stage.receivers.good.url],
      ['jsonb', 'all is well'],
    ]);
    const found = secretsIn(proofs, rows).map((line) => line.split(' is in ')[1]);
    expect(found).toEqual(
      expect.arrayContaining(['public.webhook_endpoints.url', 'public.webhook_deliveries.payload']),
    );
    if (broker === 'postgres') expect(rows.map(({ where }) => where)).toContain('bullmq.job.data');
  });

  test('is in the broker', async () => {
    if (!stage.redis) return;
    const keys = await readRedis(stage.redis, `*${stage.prefix}*`);
    expect(keys.length).toBeGreaterThan(0);
    expect(secretsIn(stage.secrets, keys)).toEqual([]);
  });

  test('is in an answer, an event, a metric or a download', () => {
    expect(secretsIn(stage.secrets, answers)).toEqual([]);
    const proof = new Map([['proof', stage.receivers.bad.url]]);
    expect(secretsIn(proof, answers)).not.toEqual([]);
    expect(secretsIn(new Map([['proof', 'millrace_']]), answers)).not.toEqual([]);
  });

  test('is in a file of the storage', async () => {
    const kept = await readFolder(stage.dataDir);
    expect(kept.length).toBeGreaterThanOrEqual(2);
    expect(secretsIn(stage.secrets, kept)).toEqual([]);
  });

  test('is in what a webhook’s receiver gets, but for its signature', () => {
    const { good, bad } = stage.receivers;
    const got = [...good.received, ...bad.received].map((webhook) => ({
      where: 'a webhook',
      text: JSON.stringify(webhook),
    }));
    expect(got.length).toBeGreaterThanOrEqual(4);
    expect(secretsIn(stage.secrets, got)).toEqual([]);
  });

  test('of a caller is kept in another form than its hash', async () => {
    const { rows } = await stage.database.db.query<{ hash: Buffer; prefix: string }>(
      'SELECT token_hash AS hash, prefix FROM api_keys WHERE name = $1',
      ['leaky'],
    );
    expect(rows).toEqual([
      { hash: createHash('sha256').update(key.token).digest(), prefix: key.token.slice(0, 9) },
    ]);
  });
});
