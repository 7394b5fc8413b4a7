import { afterEach, describe, expect, test } from 'vitest';
import { openRateLimiter, type RateLimiter } from '../../src/auth/rate-limiter.ts';
import { silentLog } from '../support/log.ts';
import { redisPrefix, redisUrl, startRedis } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';

const opened: RateLimiter[] = [];
afterEach(() => opened.splice(0).forEach((limiter) => limiter.close()));

function open(redis: { url: string; prefix: string } | null): RateLimiter {
  const limiter = openRateLimiter({ pointsPerSecond: 10, redis, applicationName: 'test', log: silentLog });
  opened.push(limiter);
  return limiter;
}

/** Ready: a point that is taken is seen by another one on the same Redis. */
async function openShared(redis: { url: string; prefix: string }): Promise<[RateLimiter, RateLimiter]> {
  const pair: [RateLimiter, RateLimiter] = [open(redis), open(redis)];
  let round = 0;
  await waitFor(async () => {
    round += 1;
    const caller = `ready-${round}`;
    await pair[0].take(caller, 1);
    return (await pair[1].take(caller, 1)).remaining === 98;
  });
  return pair;
}

describe.each(['memory', 'redis'] as const)('points counted in %s', (store) => {
  const ready = async (): Promise<RateLimiter> =>
    store === 'memory' ? open(null) : (await openShared({ url: redisUrl(), prefix: redisPrefix() }))[0];

  test('are taken from a window of ten seconds until nothing is left', async () => {
    const limiter = await ready();
    expect(await limiter.take('ada', 60)).toMatchObject({ isAllowed: true, limit: 100, remaining: 40 });
    expect(await limiter.take('ada', 40)).toMatchObject({ isAllowed: true, remaining: 0 });
    const beyond = await limiter.take('ada', 1);
    expect(beyond).toMatchObject({ isAllowed: false, limit: 100, remaining: 0 });
    expect(beyond.resetSeconds).toBeGreaterThanOrEqual(1);
    expect(beyond.resetSeconds).toBeLessThanOrEqual(10);
  });

  test('are counted for each caller alone', async () => {
    const limiter = await ready();
    expect((await limiter.take('ada', 101)).isAllowed).toBe(false);
    expect((await limiter.take('grace', 100)).isAllowed).toBe(true);
  });

  test('are right when many are taken at once', async () => {
    const limiter = await ready();
    const taken = await Promise.all(Array.from({ length: 150 }, () => limiter.take('ada', 1)));
    expect(taken.filter(({ isAllowed }) => isAllowed)).toHaveLength(100);
  });
});

test('API processes on one Redis count together', async () => {
  const [one, other] = await openShared({ url: redisUrl(), prefix: redisPrefix() });
  await one.take('ada', 70);
  expect(await other.take('ada', 20)).toMatchObject({ isAllowed: true, remaining: 10 });
  expect(await one.take('ada', 20)).toMatchObject({ isAllowed: false });
});

test('without their Redis each counts by itself, and with it together again', async () => {
  const server = await startRedis();
  const redis = { url: server.url, prefix: redisPrefix() };
  const [one, other] = await openShared(redis);
  await server.stop();
  expect((await one.take('ada', 90)).isAllowed).toBe(true);
  expect((await other.take('ada', 90)).isAllowed).toBe(true);
  expect((await one.take('ada', 90)).isAllowed).toBe(false);
  const again = await startRedis(server.port);
  let round = 0;
  await waitFor(async () => {
    round += 1;
    await one.take(`back-${round}`, 1);
    return (await other.take(`back-${round}`, 1)).remaining === 98;
  });
  await again.stop();
});
