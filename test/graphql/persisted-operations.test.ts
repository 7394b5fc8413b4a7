import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient as createSocketClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { openPersistedOperations } from '../../src/graphql/operation-list.ts';
import { createClient } from '../../src/sdk/index.ts';
import { startApi, type TestApi } from '../support/api.ts';

const LISTED = 'query Role { viewer { role } }';
const FOLLOWED = 'subscription Followed { jobsChanged { job { id } } }';
const UNLISTED = '{ viewer { organization { name } } }';
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

let folder: string;
let lists: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-operations-'));
  const write = async (name: string, content: unknown): Promise<string> => {
    await writeFile(join(folder, name), JSON.stringify(content));
    return join(folder, name);
  };
  lists = [
    await write('codegen.json', { [`sha256:${sha256(LISTED)}`]: LISTED, named: FOLLOWED }),
    await write('apollo.json', {
      format: 'apollo-persisted-query-manifest',
      version: 1,
      operations: [{ id: 'by-apollo', name: 'Role', type: 'query', body: LISTED }],
    }),
  ].join(', ');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.each([
  ['beside others', 'false'],
  ['exclusively', 'true'],
])('operations that are listed %s', (_how, only) => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startApi({ environment: { PERSISTED_OPERATIONS: lists, PERSISTED_OPERATIONS_ONLY: only } });
  });
  afterAll(() => api.close());

  const send = async (body: object): Promise<{ status: number; body: unknown }> => {
    const response = await fetch(api.graphqlUrl, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json',
        authorization: `Bearer ${api.tokens.viewer}`,
      },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  };
  const answered = { status: 200, body: { data: { viewer: { role: 'VIEWER' } } } };

  test.each([
    ['by the name in their file', { documentId: 'by-apollo' }],
    ['by their hash', { documentId: sha256(LISTED) }],
    ['by their hash with its prefix', { documentId: `sha256:${sha256(LISTED).toUpperCase()}` }],
    [
      "as Apollo's and urql's links do",
      { extensions: { persistedQuery: { version: 1, sha256Hash: sha256(LISTED) } } },
    ],
    ['by their text', { query: LISTED }],
    ['by both', { query: LISTED, documentId: sha256(LISTED) }],
  ])('are asked for %s', async (_by, body) => {
    expect(await send(body)).toMatchObject(answered);
  });

  test('are asked for by GET', async () => {
    const response = await fetch(`${api.graphqlUrl}?documentId=${sha256(LISTED)}`, {
      headers: { authorization: `Bearer ${api.tokens.viewer}` },
    });
    expect(await response.json()).toMatchObject(answered.body);
  });

  test('are asked for in a batch', async () => {
    const { body } = await send([{ documentId: 'by-apollo' }, { documentId: 'nothing' }]);
    expect(body).toMatchObject([
      answered.body,
      { errors: [{ extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } }] },
    ]);
  });

  test('have names: an unknown one is told as links expect it', async () => {
    expect(await send({ documentId: 'nothing' })).toMatchObject({
      status: 400,
      body: {
        errors: [
          {
            message: "No operation of this server's list is called nothing.",
            extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' },
          },
        ],
      },
    });
  });

  test('are not another text under the name of a listed one', async () => {
    expect(await send({ query: UNLISTED, documentId: 'by-apollo' })).toMatchObject({
      status: 400,
      body: { errors: [{ message: 'The operation is another than the one of this name on the list.' }] },
    });
  });

  test('run over WebSocket too', async () => {
    const client = createSocketClient({
      url: api.graphqlUrl.replace('http', 'ws'),
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      connectionParams: { token: api.tokens.viewer },
    });
    const run = (payload: { query: string; extensions?: Record<string, unknown> }): Promise<unknown> =>
      new Promise((resolve, reject) => {
        client.subscribe(payload, { next: resolve, error: reject, complete: () => undefined });
      });
    const named = { query: '', extensions: { persistedQuery: { version: 1, sha256Hash: 'by-apollo' } } };
    expect(await run(named)).toMatchObject(answered.body);
    expect(await run({ query: LISTED })).toMatchObject(answered.body);
    const unlisted = run({ query: UNLISTED });
    await (only === 'true'
      ? expect(unlisted).rejects.toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
      : expect(unlisted).resolves.toMatchObject({ data: { viewer: {} } }));
    await client.dispose();
  });

  test(only === 'true' ? 'keep others out' : 'leave room for others', async () => {
    const { status, body } = await send({ query: UNLISTED });
    expect(status).toBe(only === 'true' ? 403 : 200);
    const message = "Only operations of this server's list may run, and this is none of them.";
    expect(body).toMatchObject(
      only === 'true' ? { errors: [{ message, extensions: { code: 'FORBIDDEN' } }] } : { data: {} },
    );
  });

  test('include all that the SDK and the page of a job send', async () => {
    const client = createClient({ url: api.graphqlUrl, token: api.tokens.viewer, webSocketImpl: WebSocket });
    expect(await client.viewer()).toMatchObject({ role: 'VIEWER' });
    await client.close();
    const page = await (await fetch(`${api.url}/jobs/job_1`)).text();
    const settings = /<script id="settings"[^>]*>([^<]*)</.exec(page)?.[1] ?? '';
    const { operations } = JSON.parse(settings) as { operations: Record<string, string> };
    for (const query of Object.values(operations)) {
      const { body } = await send({ query, variables: { id: 'job_1', after: 0 } });
      expect(JSON.stringify(body)).not.toContain('FORBIDDEN');
    }
  });
});

describe('a file of operations', () => {
  const open = async (content: string): Promise<unknown> => {
    const file = join(folder, 'wrong.json');
    await writeFile(file, content);
    return openPersistedOperations({ files: [file], isExclusive: true }, []);
  };

  test.each([
    ['that is no JSON', '{', /wrong\.json: expected JSON of ids and documents, or a manifest/],
    ['of another form', '[1]', /wrong\.json: expected JSON of ids and documents, or a manifest/],
    ['with a syntax error', '{"a": "{ viewer {"}', /wrong\.json: operation a: Syntax Error/],
    ['that asks for what is not there', '{"a": "{ nothing }"}', /operation a: Cannot query field "nothing"/],
  ])('%s stops the start', async (_what, content, message) => {
    await expect(open(content)).rejects.toThrow(message);
  });

  test('that is not there stops the start', async () => {
    const files = [join(folder, 'missing.json')];
    await expect(openPersistedOperations({ files, isExclusive: true }, [])).rejects.toThrow(
      /PERSISTED_OPERATIONS: .*missing\.json cannot be read/,
    );
  });
});
