import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createContext, runInContext } from 'node:vm';
import { transform } from 'esbuild';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { packSdk, type PackedSdk } from '../../scripts/pack-sdk.ts';
import type * as Sdk from '../../src/sdk/index.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { createEmptyProject, type EmptyProject } from '../support/empty-project.ts';
import { seedEvents, seedJob } from '../support/job-rows.ts';
import { spawnWorker, type WorkerProcess } from '../support/spawn-worker.ts';

/** What a page waits for, compressed. */
const PACKED_BYTES_MAX = 80_000;

/** Packing and compiling are a build, on a machine that does other things as well. */
const BUILD_TIMEOUT_MS = 120_000;

const STRICT = { strict: true, skipLibCheck: false, target: 'es2022', exactOptionalPropertyTypes: true };

describe('the packed SDK in an empty project', () => {
  let packed: PackedSdk;
  let packing: string;
  let project: EmptyProject;
  let code: string;
  beforeAll(async () => {
    packing = await mkdtemp(join(tmpdir(), 'millrace-pack-'));
    packed = await packSdk(packing);
    project = await createEmptyProject();
    await project.install(packed.file);
    await project.copy(
      new URL('consumer/use-sdk.ts', import.meta.url),
      new URL('consumer/main.ts', import.meta.url),
    );
    code = await readFile(join(project.folder, 'node_modules/millrace/sdk/index.js'), 'utf8');
  }, BUILD_TIMEOUT_MS);
  afterAll(async () => {
    await project[Symbol.asyncDispose]();
    await rm(packing, { recursive: true, force: true });
  });

  it('is small, and brings no other package along', async () => {
    expect(packed.bytes).toBeLessThan(PACKED_BYTES_MAX);
    const installed = await readdir(join(project.folder, 'node_modules'));
    expect(installed.filter((name) => !name.startsWith('.'))).toEqual(['millrace']);
  });

  it('imports nothing: neither graphql nor what only Node has', () => {
    expect(ts.preProcessFile(code, true, true).importedFiles).toEqual([]);
  });

  it(
    'type-checks in a program for a browser that a bundler builds, its own types included',
    { timeout: BUILD_TIMEOUT_MS },
    async () => {
      await project.compile(['use-sdk.ts'], {
        ...STRICT,
        module: 'preserve',
        moduleResolution: 'bundler',
        lib: ['es2022', 'dom'],
        types: [],
        noEmit: true,
      });
    },
  );

  describe('compiled for Node', () => {
    let api: TestApi;
    let worker: WorkerProcess;
    beforeAll(async () => {
      await project.compile(['main.ts'], {
        ...STRICT,
        module: 'nodenext',
        moduleResolution: 'nodenext',
        lib: ['es2022'],
        types: ['node'],
      });
      api = await startApi();
      worker = await spawnWorker(api.environment, 'worker/main.ts');
    }, BUILD_TIMEOUT_MS);
    afterAll(async () => {
      await worker.end();
      await api.close();
    });

    it.each(['ws', 'sse'] as const)(
      'starts an import, watches it, reads its typed result and errors, and stops by a signal, over %s',
      async (transport) => {
        const flags = transport === 'ws' ? webSocketFlags() : [];
        const output = await project.node(...flags, 'main.js', api.graphqlUrl, api.tokens.member, transport);
        const seen: unknown = JSON.parse(output);
        expect(seen).toMatchObject({
          result: { __typename: 'ProductImportResult', rejected: 1 },
          failure: 'INVALID_FILE',
          userError: { code: 'NOT_FOUND', field: ['input', 'source', 'uploadId'] },
          abortedWith: 'enough after PENDING',
        });
        const { seqs } = seen as { seqs: number[] };
        expect(seqs.length).toBeGreaterThan(2);
        expect(seqs).toEqual(seqs.map((_, index) => index + 1));
      },
    );

    it('runs where there is nothing but what a browser has', async () => {
      const job = await seedJob(api.database.db, api.organization.id, { status: 'running' });
      await seedEvents(api.database.db, job, 5, 'completed');
      const script = await transform(code, { format: 'iife', globalName: 'sdk' });
      const page = createContext({
        ...BROWSER_GLOBALS,
        url: api.graphqlUrl,
        token: api.tokens.viewer,
        id: job.id,
      });
      const seen: unknown = await runInContext(`${script.code};(${runInPage.toString()})()`, page);
      expect(seen).toEqual({ ws: [1, 2, 3, 4, 5], sse: [1, 2, 3, 4, 5], role: 'VIEWER' });
    });
  });
});

/** Of the many that a browser has, those that the SDK uses; JavaScript's own come with every context. */
const BROWSER_GLOBALS = {
  AbortController,
  AbortSignal,
  ReadableStream,
  TextDecoder,
  URL,
  WebSocket,
  clearInterval,
  clearTimeout,
  fetch,
  setInterval,
  setTimeout,
};

/** Runs in the page: it sees what the page has. */
declare const sdk: typeof Sdk;
declare const url: string;
declare const token: string;
declare const id: string;
async function runInPage() {
  const client = sdk.createClient({ url, token });
  const watch = async (transport: 'ws' | 'sse') => {
    const seqs: number[] = [];
    for await (const { seq } of client.jobs.watch(id, { transport })) seqs.push(seq);
    return seqs;
  };
  const seen = { ws: await watch('ws'), sse: await watch('sse'), role: (await client.viewer()).role };
  await client.close();
  return seen;
}

/** Node has had a WebSocket since 20.10, and shows it by default since 22. */
function webSocketFlags(): readonly string[] {
  return 'WebSocket' in globalThis ? [] : ['--experimental-websocket'].filter(isNodeFlag);
}

const isNodeFlag = (flag: string): boolean => process.allowedNodeEnvironmentFlags.has(flag);
