import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { raceAbort, withTimeout } from '../../src/lib/abort.ts';

const never = () => new Promise<never>(() => {});

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc()');
}

test('a time limit holds although the garbage collector runs, also one inside another', async () => {
  const races = Array.from({ length: 20 }, () =>
    raceAbort(never(), withTimeout(60_000, withTimeout(100))).catch((error: unknown) => error),
  );
  const collector = setInterval(collectGarbage, 10);
  const reasons = await Promise.all(races).finally(() => clearInterval(collector));
  expect(reasons.map((reason) => reason instanceof Error && reason.name)).toEqual(
    reasons.map(() => 'TimeoutError'),
  );
});

test('a signal that fires first ends the work with its own reason', async () => {
  const controller = new AbortController();
  const race = raceAbort(never(), withTimeout(60_000, controller.signal));
  controller.abort(new Error('gone'));
  await expect(race).rejects.toThrow('gone');
});

test('work that is done in time gives its result', async () => {
  await expect(raceAbort(Promise.resolve(1), withTimeout(60_000))).resolves.toBe(1);
});

test('work that fails after it was given up disturbs nobody', async () => {
  const unhandled: unknown[] = [];
  const listener = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', listener);
  const failing = new Promise<never>((_, reject) => setImmediate(() => reject(new Error('late'))));
  await expect(raceAbort(failing, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  process.off('unhandledRejection', listener);
  expect(unhandled).toEqual([]);
});
