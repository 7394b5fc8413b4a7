import { mkdir, rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BACKENDS } from './fault.ts';
import { postgresRestart } from './faults/postgres-away.ts';
import { redisRestart } from './faults/redis-away.ts';
import { sessionsKilled } from './faults/sessions-killed.ts';
import { sigkillApi } from './faults/sigkill-api.ts';
import { sigstopCopy } from './faults/sigstop-worker.ts';
import { runFault } from './run-fault.ts';
import { startStack, type Stack } from './stack.ts';

/** A handful of the matrix that `npm run chaos` runs in full; on one stack after another, at fast beats. */
const FAULTS = [sigkillApi, sigstopCopy, sessionsKilled, redisRestart, postgresRestart];

describe.each(BACKENDS)(
  'with deliveries on %s, nothing is lost, doubled or missing from a stream after',
  (backend) => {
    let stack: Stack;
    const logFolder = new URL(`../../.cache/chaos/test-${backend}`, import.meta.url).pathname;
    beforeAll(async () => {
      await rm(logFolder, { recursive: true, force: true });
      await mkdir(logFolder, { recursive: true });
      stack = await startStack({ backend, scale: 'short', shape: {}, logFolder });
    }, 120_000);
    afterAll(() => stack.close());

    const possible = FAULTS.filter(({ backends }) => backends.includes(backend));
    it.each(possible)('$name', { timeout: 240_000 }, async (fault) => {
      const { verdict } = await runFault(stack, fault);
      expect(verdict.problems).toEqual([]);
      expect(verdict.jobs).toBeGreaterThan(10);
      expect(verdict.streams).toBeGreaterThan(0);
    });
  },
);
