import { buildSchema, isEnumType, isObjectType } from 'graphql';
import { beforeAll, describe, expect, it } from 'vitest';
import { JOB_STATUSES } from '../src/domain/job-status.ts';
import { jobCatalogue, systemCatalogue } from '../src/jobs/index.ts';
import { createTestDatabase } from './support/database.ts';
import { codeOf, readText, sourceFiles, type SourceFile } from './support/source-files.ts';

interface Layer {
  readonly mayImport: readonly string[];
  readonly because: string;
}

const PORTS = ['services', 'repositories', 'storage', 'secrets', 'events', 'connectors'];
const UP_TO_QUEUE = ['lib', 'domain', 'config', ...PORTS, 'jobs', 'queue'];
const UP_TO_AUTH = [...UP_TO_QUEUE, 'panels', 'auth', 'notify', 'connections', 'telemetry'];

const port = (because: string): Layer => ({ mayImport: ['lib', 'domain', 'config'], because });
const aboveQueue = (because: string): Layer => ({ mayImport: UP_TO_QUEUE, because });

/** Folders and single files of src, and what each may import besides itself. */
const LAYERS: Readonly<Record<string, Layer>> = {
  lib: { mayImport: [], because: 'it could be a package of its own: it knows nothing of Millrace' },
  domain: { mayImport: ['lib'], because: 'rules must not change when a database, broker or API does' },
  config: { mayImport: ['lib', 'domain'], because: 'every process reads it before anything else exists' },
  services: { mayImport: ['lib', 'domain'], because: 'pure transforms are tested without I/O' },
  repositories: {
    mayImport: ['lib', 'domain', 'config', 'generated'],
    because: 'SQL is the one thing it knows; rules about it live above',
  },
  storage: port('an adapter for files knows no job'),
  secrets: port('whoever signs knows no request'),
  events: port('hints are carried, never made, by the bus'),
  connectors: port('a provider is replaceable when nothing of ours leaks into it'),
  jobs: {
    mayImport: ['lib', 'domain', 'config', ...PORTS],
    because: 'contracts are read by the API and the worker alike',
  },
  queue: {
    mayImport: UP_TO_QUEUE,
    because: 'it starts and delivers jobs for whoever asks: it must not know who',
  },
  panels: aboveQueue('a panel may start a refresh job and knows no GraphQL'),
  auth: aboveQueue('who may do what is the same over HTTP, WebSocket and SSE'),
  connections: aboveQueue('an account is connected and read the same, whoever asks for it'),
  notify: aboveQueue('a channel sends by jobs and knows no GraphQL'),
  telemetry: aboveQueue('what is measured is measured in both processes'),
  graphql: { mayImport: [...UP_TO_AUTH, 'generated'], because: 'resolvers translate; they decide nothing' },
  http: { mayImport: UP_TO_AUTH, because: 'routes besides GraphQL work without a schema' },
  sdk: { mayImport: [], because: 'it runs in other people’s programs: the public API is all that it knows' },
  app: {
    mayImport: [...UP_TO_AUTH, 'graphql', 'http', 'sdk', 'generated'],
    because: 'the composition root is the one place that knows every adapter, and what our own clients send',
  },
  server: {
    mayImport: ['lib', 'config', 'app', 'jobs'],
    because: 'the entry reads the configuration, names the catalogue and starts the app',
  },
  dev: {
    mayImport: [...UP_TO_AUTH, 'sdk'],
    because: 'it starts the processes as an operator would: from outside, not by their modules',
  },
  demo: {
    mayImport: ['lib', 'domain', 'config', 'dev', 'sdk', 'services'],
    because: 'it is a user of the public API',
  },
  cli: {
    mayImport: UP_TO_AUTH,
    because: 'it works where no API does yet: before the first admin, and on the database itself',
  },
};

/** What the worker must not import: a worker serves no API. */
const NOT_FOR_WORKERS = ['graphql', 'http', 'app', 'server', 'dev', 'demo', 'cli', 'sdk'];

const CLIENT_MAKERS = [
  'openDatabase',
  'openBus',
  'openQueue',
  'openStorage',
  'openSigner',
  'openConsumer',
  'openMailer',
  'openRateLimiter',
];

/** "src/domain/job.ts" → "domain"; "src/app.ts" → "app". */
function layerOf(path: string): string {
  return (path.split('/')[1] ?? '').replace(/\.(ts|js|mjs)$/, '');
}

let src: readonly SourceFile[];
let worker: readonly SourceFile[];
let everything: readonly SourceFile[];

beforeAll(async () => {
  [src, worker] = await Promise.all([sourceFiles('src'), sourceFiles('worker')]);
  everything = [...src, ...worker, ...(await sourceFiles('test', 'bench', 'prisma', 'scripts'))];
});

describe('the layers', () => {
  it.each(Object.entries(LAYERS))('%s imports only what is below it', (name, layer) => {
    const allowed = new Set([name, ...layer.mayImport]);
    const wrong = src
      .filter((file) => layerOf(file.path) === name)
      .flatMap((file) =>
        file.imports
          .filter((target) => !target.startsWith('src/') || !allowed.has(layerOf(target)))
          .map((target) => `${file.path} imports ${target}, but ${layer.because}`),
      );
    expect(wrong).toEqual([]);
  });

  it('have a rule for every folder and file of src', () => {
    const unknown = src.filter((file) => !Object.hasOwn(LAYERS, layerOf(file.path)));
    expect(unknown.map((file) => file.path)).toEqual([]);
  });

  it('keep the worker free of the API, which it does not serve', () => {
    const wrong = worker.flatMap((file) =>
      file.imports
        .filter((target) => target.startsWith('src/') && NOT_FOR_WORKERS.includes(layerOf(target)))
        .map((target) => `${file.path} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('keep tests and tools out of the program, which is installed without them', () => {
    const wrong = [...src, ...worker].flatMap((file) =>
      file.imports
        .filter((target) => /^(test|bench|prisma|scripts)\//.test(target))
        .map((target) => `${file.path} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });
});

describe('the house', () => {
  it('reads the environment in one place, so that all of it is checked at start', () => {
    const mayRead = /^(src\/config\.ts|test\/support\/)/;
    const wrong = everything.filter(
      (file) =>
        !mayRead.test(file.path) &&
        /process\s*\.\s*env\b|\bimport\s*\{[^}]*\benv\b[^}]*\}\s*from/.test(codeOf(file)),
    );
    expect(wrong.map((file) => file.path)).toEqual([]);
  });

  it('makes clients in the two apps alone, so that each process closes what it opened', () => {
    // `npm run dev` seeds the database before there is an app, and the command line has none.
    const mayOpen = /^(src\/app\.ts|worker\/app\.ts|src\/dev\/|src\/cli\/)/;
    const calls = new RegExp(`(?<!function )\\b(${CLIENT_MAKERS.join('|')}) \\(`);
    const wrong = [...src, ...worker].filter((file) => !mayOpen.test(file.path) && calls.test(codeOf(file)));
    expect(wrong.map((file) => file.path)).toEqual([]);
  });

  it('finds those clients under the names that the rule above looks for', () => {
    const code = [...src, ...worker].map(codeOf).join('\n');
    const unknown = CLIENT_MAKERS.filter((name) => !code.includes(`function ${name} (`));
    expect(unknown).toEqual([]);
  });

  it('has no file over 400 lines', () => {
    const long = everything.filter((file) => file.lines > 400);
    expect(long.map((file) => `${file.path}: ${file.lines}`)).toEqual([]);
  });
});

describe('BG-001: all kinds of job share one row', () => {
  const COLUMNS = [
    'id organization_id kind version status queue priority input result created_at run_at started_at completed_at',
    'triggered_by error_code error_message progress_percent progress_message delivery attempt max_attempts',
    'next_attempt_at worker_id cancel_requested_at cancel_requested_by cancel_reason queue_job_id idempotency_key',
    'parent_id count_total count_processed count_succeeded count_warned count_failed',
  ]
    .join(' ')
    .split(' ');

  it('has its columns, and no other table has a status of jobs but their log', async () => {
    await using database = await createTestDatabase();
    const { rows } = await database.db.query<{ column_name: string }>(
      "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = 'jobs'",
    );
    const present = new Set(rows.map((row) => row.column_name));
    expect(COLUMNS.filter((column) => !present.has(column))).toEqual([]);

    const others = await database.db.query(
      "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND udt_name = 'job_status' ORDER BY 1",
    );
    expect(others.rows).toEqual([{ table_name: 'job_events' }, { table_name: 'jobs' }]);
  });
});

describe('BG-002: a job has only these statuses', () => {
  it('in the domain, in the database and in the API alike', async () => {
    await using database = await createTestDatabase();
    const { rows } = await database.db.query<{ status: string }>(
      'SELECT unnest(enum_range(NULL::job_status))::text AS status',
    );
    expect(rows.map((row) => row.status)).toEqual([...JOB_STATUSES]);

    const type = buildSchema(await readText('schema.graphql')).getType('JobStatus');
    const values = isEnumType(type) ? type.getValues().map((value) => value.name) : [];
    expect(values.sort()).toEqual(JOB_STATUSES.map((status) => status.toUpperCase()).sort());
  });
});

describe('BG-003: every start returns the job at once', () => {
  it('has StartJobPayload, which holds the job, as the result of each mutation that starts one', async () => {
    const schema = buildSchema(await readText('schema.graphql'));
    const mutations = Object.values(schema.getMutationType()?.getFields() ?? {});
    const starting = mutations.filter(({ name }) => /^(start[A-Z]|retry[A-Z])/.test(name));
    const expected = Object.values(jobCatalogue).filter((contract) => contract.startable === 'api');
    expect(starting.filter(({ name }) => name.startsWith('start'))).toHaveLength(expected.length);
    expect(
      starting.filter(({ type }) => String(type) !== 'StartJobPayload!').map(({ name }) => name),
    ).toEqual([]);

    const payload = schema.getType('StartJobPayload');
    expect(isObjectType(payload) && String(payload.getFields()['job']?.type)).toBe('Job');
  });
});

describe('BG-004: every kind is in the registry', () => {
  const toFile = (kind: string): string => `${kind.replaceAll('_', '-')}.ts`;

  it('has a line in the index for each contract, under the file’s own name', () => {
    const files = src.filter(
      (file) => /^src\/jobs\/[^/]+\.ts$/.test(file.path) && !/(define|index)\.ts$/.test(file.path),
    );
    const defining = files.filter((file) => /\bdefineJob \(/.test(codeOf(file))).map((file) => file.path);
    expect(defining).toEqual(
      Object.keys({ ...jobCatalogue, ...systemCatalogue })
        .map((kind) => `src/jobs/${toFile(kind)}`)
        .sort(),
    );
  });

  it('has a handler for each kind, in a file of the same name', () => {
    const present = new Set(worker.map((file) => file.path));
    const missing = Object.keys({ ...jobCatalogue, ...systemCatalogue }).filter(
      (kind) => !present.has(`worker/jobs/${toFile(kind)}`),
    );
    expect(missing).toEqual([]);
  });
});
