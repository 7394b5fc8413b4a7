import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, rm, writeFile } from 'node:fs/promises';
import { generate } from '../../prisma/generate.ts';
import { readTestEnvironment } from './environment.ts';
import { findProgram } from './redis-server.ts';

/** First half of `npm test`: makes sure of a Redis and of the generated code. Ends the run where it cannot. */
async function prepare(): Promise<void> {
  const problem = await ensureRedis();
  if (problem) {
    console.error(problem);
    process.exitCode = 1;
    return;
  }
  await generate();
}

const HELP =
  'The tests need redis-server 6.2 or newer in PATH, or REDIS_URL set to a Redis that they may write to';

/** @returns what a person has to do, or null when a Redis is there */
async function ensureRedis(): Promise<string | null> {
  const environment = readTestEnvironment();
  if (environment.redisUrl || (await findProgram('redis-server'))) return null;
  const aptGet = await findProgram('apt-get');
  if (!aptGet || process.getuid?.() !== 0) return HELP;
  if (!environment.mayInstall) return `${HELP} (MILLRACE_NO_INSTALL=1 forbids to install it)`;

  console.log(
    'npm test: redis-server is missing; installing it: apt-get install --no-install-recommends redis-server',
  );
  const installed = await withoutServices(() => install(aptGet));
  return installed && (await findProgram('redis-server')) ? null : `${HELP}; apt-get could not install it`;
}

async function install(aptGet: string): Promise<boolean> {
  // Lists may be partly out of reach and still name the package.
  await run(aptGet, ['update', '-q'], 3 * 60_000);
  return run(aptGet, ['install', '-y', '-q', '--no-install-recommends', 'redis-server'], 5 * 60_000);
}

/** Debian's way to install a server without starting it: https://manpages.debian.org/invoke-rc.d */
async function withoutServices<T>(fn: () => Promise<T>): Promise<T> {
  const policy = '/usr/sbin/policy-rc.d';
  const present = await access(policy).then(
    () => true,
    () => false,
  );
  if (present) return fn();
  await writeFile(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return await fn();
  } finally {
    await rm(policy, { force: true });
  }
}

async function run(program: string, options: readonly string[], timeoutMs: number): Promise<boolean> {
  // `env` keeps our own environment, where a proxy for apt may stand.
  const child = spawn('env', ['DEBIAN_FRONTEND=noninteractive', program, ...options], {
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: timeoutMs,
  });
  const closed: unknown[] = await once(child, 'close');
  return closed[0] === 0;
}

await prepare();
