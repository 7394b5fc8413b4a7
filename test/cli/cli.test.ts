import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type TestApi } from '../support/api.ts';
import { readTestEnvironment } from '../support/environment.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const MILLRACE = fileURLToPath(new URL('../../src/cli/millrace.mjs', import.meta.url));
const TIMEOUT_MS = 30_000;

let api: TestApi;
let database: TestDatabase;
beforeAll(async () => {
  api = await startApi();
  database = api.database;
});
afterAll(() => api.close());

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function millrace(args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const PATH = readTestEnvironment().path.join(':');
  const env = { PATH, DATABASE_URL: database.url, LOG_LEVEL: 'silent', ...more };
  return new Promise((resolve) => {
    const options = { env: { ...env, MILLRACE_DATA_DIR: api.dataDir }, timeout: TIMEOUT_MS };
    execFile(process.execPath, [MILLRACE, ...args], options, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr }),
    );
  });
}

describe('npx millrace', { timeout: 60_000 }, () => {
  it('makes an organization and its first admin, whose key opens the API', async () => {
    const made = await millrace(['organization', 'create', '--name', 'Acme', '--external-id', 'acme']);
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^org_\w{26}\n$/), stderr: '' });
    const admin = [
      'admin',
      'create',
      '--organization',
      'acme',
      '--email',
      'Ada@acme.example',
      '--name',
      'Ada',
    ];
    const { stdout: token, code } = await millrace(admin);
    expect({ code, token }).toMatchObject({ code: 0, token: expect.stringMatching(/^mlr_[\w-]{43}\n$/) });
    const { data } = await api.askWith(
      token.trim(),
      '{ viewer { role user { email } organization { id timeZone } } }',
    );
    expect(data).toEqual({
      viewer: {
        role: 'ADMIN',
        user: { email: 'ada@acme.example' },
        organization: { id: made.stdout.trim(), timeZone: 'UTC' },
      },
    });
    expect((await millrace(admin)).code).toBe(0);
  });

  it.each([
    [
      ['organization', 'create', '--name', 'X', '--time-zone', 'Mars/Base'],
      /--time-zone: expected an IANA time zone/,
    ],
    [['organization', 'create', '--name', 'X', '--external-id', 'acme'], /external id "acme" already/],
    [
      ['admin', 'create', '--organization', 'org_x', '--email', 'a@b.example', '--name', 'A'],
      /no organization "org_x"/,
    ],
    [
      ['admin', 'create', '--organization', 'acme', '--email', 'a', '--name', 'A'],
      /--email: expected an e-mail address/,
    ],
    [['admin', 'create'], /required option '--organization <id>'/],
    [['nonsense'], /unknown command 'nonsense'/],
  ])('says what is wrong with %j, and changes nothing', async (args, message) => {
    const ended = await millrace(args);
    expect(ended.code).toBe(1);
    expect(ended.stdout).toBe('');
    expect(ended.stderr).toMatch(message);
    expect(ended.stderr).not.toContain('    at ');
  });

  it('needs to be told the database, and never repeats what it was told', async () => {
    expect((await millrace(['migrate'], { DATABASE_URL: '' })).stderr).toContain('This needs DATABASE_URL');
    const wrong = await millrace(['migrate'], { DATABASE_URL: 'mysql://me:hunter2@host/db' });
    expect(wrong).toMatchObject({ code: 1, stderr: expect.not.stringContaining('hunter2') });
  });

  it('brings a database to this release, and finds nothing to do on the second time', async () => {
    await using empty = await createTestDatabase({ empty: true });
    const first = await millrace(['migrate'], { DATABASE_URL: empty.url });
    expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Applied \d{14}_init, /) });
    expect(await millrace(['migrate'], { DATABASE_URL: empty.url })).toMatchObject({
      stdout: 'Nothing to do.\n',
    });
  });

  it('encrypts stored secrets under a new key, after which the old one can go', async () => {
    const { errors } = await api.ask(
      'mutation { createWebhookEndpoint(input: { url: "https://hooks.example.com" }) { userErrors { message } } }',
      {},
      'admin',
    );
    expect(errors).toEqual([]);
    const keys = { MILLRACE_ENCRYPTION_KEYS: `new:${Buffer.alloc(32, 7).toString('base64')}` };
    expect(await millrace(['secrets', 'rotate'], keys)).toMatchObject({
      stdout: 'Encrypted 1 secrets anew.\n',
    });
    expect(await millrace(['secrets', 'rotate'], keys)).toMatchObject({
      stdout: 'Encrypted 0 secrets anew.\n',
    });
    const { rows } = await database.db.query<{ secret: string }>('SELECT secret FROM webhook_endpoints');
    expect(rows).toMatchObject([{ secret: expect.stringMatching(/^v1\.new\./) }]);
  });

  it('explains itself', async () => {
    const { stdout, code } = await millrace(['--help']);
    expect(code).toBe(0);
    for (const command of ['migrate', 'organization', 'admin', 'secrets']) expect(stdout).toContain(command);
  });
});
