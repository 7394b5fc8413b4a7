import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type TestApi } from '../support/api.ts';
import { seedEvents, seedJob } from '../support/job-rows.ts';
import { runSnippet, snippetsOf, type SnippetOptions } from '../support/snippets.ts';
import { readText } from '../support/source-files.ts';
import { spawnWorker, type WorkerProcess } from '../support/spawn-worker.ts';

const PROGRAM = { timeout: 120_000 };

let api: TestApi;
let jobId: string;
beforeAll(async () => {
  api = await startApi();
  const job = await seedJob(api.database.db, api.organization.id, { status: 'running' });
  await seedEvents(api.database.db, job, 3, 'completed');
  jobId = job.id;
});
afterAll(() => api.close());

describe('docs/clients.md', () => {
  let snippets: ReadonlyMap<string, readonly string[]>;
  beforeAll(async () => {
    snippets = await snippetsOf('docs/clients.md');
  });

  const codeOf = (heading: string): string => (snippets.get(heading) ?? []).join('\n');
  const run = (code: string, then = '') => {
    const options: SnippetOptions = { url: api.url, given: { token: api.tokens.member, jobId }, then };
    return runSnippet(code, options);
  };
  /** The `seq` of each event that a program wrote */
  const seqsIn = (output: string): number[] =>
    [...output.matchAll(/seq: (\d+)/g)].map(([, seq]) => Number(seq));

  it('has programs for the SDK, plain fetch, graphql-ws, Apollo Client, urql and Relay, and no others', () => {
    expect([...snippets.keys()]).toEqual([
      'The SDK',
      'Plain `fetch`, with SSE',
      'graphql-ws 6',
      'Apollo Client 4',
      'urql 6',
      'Relay 21',
    ]);
  });

  it('watches a job and reads the errors of a person with the SDK', PROGRAM, async () => {
    const lines = (await run(codeOf('The SDK'))).trim().split('\n');
    expect(lines.slice(0, 3)).toEqual(['1 RUNNING', '2 RUNNING', '3 COMPLETED']);
    expect(lines[3]).toMatch(/^NOT_FOUND input\.source\.uploadId /);
  });

  it('reads events and a deferred dashboard with plain fetch', PROGRAM, async () => {
    const output = await run(codeOf('Plain `fetch`, with SSE'));
    expect(seqsIn(output)).toEqual([1, 2, 3]);
    expect(output).toMatch(/from: '\d{4}-\d\d-\d\d'/);
    expect(output).toMatch(/revenue: \{ state: 'NOT_CONNECTED', orders: \w+ \}/);
    expect(output).toMatch(/traffic: \{ state: 'NOT_CONNECTED' \}/);
  });

  it('reads events with graphql-ws', PROGRAM, async () => {
    expect(seqsIn(await run(codeOf('graphql-ws 6')))).toEqual([1, 2, 3]);
  });

  it('reads events and a deferred dashboard with Apollo Client', PROGRAM, async () => {
    const output = await run(codeOf('Apollo Client 4'));
    expect(seqsIn(output)).toEqual([1, 2, 3]);
    expect(output).toMatch(/revenue: \{\s+__typename: 'RevenuePanel',\s+state: 'NOT_CONNECTED'/);
  });

  it(
    'reads events over SSE and over WebSocket, and a deferred dashboard in parts, with urql',
    PROGRAM,
    async () => {
      const output = await run(codeOf('urql 6'));
      expect(seqsIn(output)).toEqual([1, 2, 3, 1, 2, 3]);
      const [first, last] = [...output.matchAll(/dashboard: \{[^}]*\}/g)].map(([text]) => text);
      expect(first).not.toContain('revenue');
      expect(last).toContain(`revenue: { state: 'NOT_CONNECTED'`);
    },
  );

  it('gives Relay events, and each part of a deferred dashboard by itself', PROGRAM, async () => {
    const output = await run(
      codeOf('Plain `fetch`, with SSE') + codeOf('Relay 21'),
      `
        const ask = (operationKind: 'query' | 'subscription', text: string, variables = {}) =>
          new Promise<void>((resolve, reject) => {
            const request = { id: null, cacheID: 'x', metadata: {}, name: 'Asked', operationKind, text } as const;
            network.execute(request, variables, {}).subscribe({
              next: (answer) => console.log('RELAY ' + JSON.stringify(answer)),
              error: reject,
              complete: resolve,
            });
          });
        await ask('subscription', EVENTS, { id: jobId });
        await ask('query', 'query Asked { dashboard { from ... @defer(label: "Asked$defer$R") { revenue { state } } } }');
      `,
    );
    const answers = [...output.matchAll(/^RELAY (.*)$/gm)].map(([, json]): unknown => JSON.parse(json ?? ''));
    expect(answers.slice(0, 3)).toMatchObject(
      [1, 2, 3].map((seq) => [{ data: { jobEvents: { seq } }, extensions: { is_final: true } }]),
    );
    expect(answers[3]).toMatchObject([{ data: { dashboard: {} }, extensions: { is_final: false } }]);
    expect(answers[4]).toMatchObject([
      {
        label: 'Asked$defer$R',
        path: ['dashboard'],
        data: { revenue: { state: 'NOT_CONNECTED' } },
        extensions: { is_final: true },
      },
    ]);
  });
});

describe('the README', () => {
  let worker: WorkerProcess;
  beforeAll(async () => {
    worker = await spawnWorker(api.environment, 'worker/main.ts');
  });
  afterAll(() => worker.end());

  it(
    'imports a file, watches it, reads its result and schedules it, by its own programs',
    PROGRAM,
    async () => {
      const snippets = await snippetsOf('README.md');
      const code = [snippets.get('Use it'), snippets.get('Schedules')].flat().join('\n');
      const output = await runSnippet(code, {
        url: api.url,
        given: { token: api.tokens.member },
        then: 'await millrace.close();',
        files: { 'products.csv': await readText('samples/products.csv') },
      });
      expect(output).toMatch(/^1 PENDING null$/m);
      expect(output).toMatch(/^\d+ COMPLETED_WITH_WARNINGS 100$/m);
      expect(output).toContain(`__typename: 'ProductImportResult'`);
      expect(output).toContain('Every day at 02:30, Europe/Berlin');
    },
  );
});
