import type { Chaos } from '../chaos.ts';
import type { Fault } from '../fault.ts';

/** Redis ends and is back at once, empty. */
export const redisRestart: Fault = {
  name: 'redis-restart',
  backends: ['redis'],
  settledWithinSeconds: { full: 40, short: 20 },
  async run(chaos) {
    const redis = redisOf(chaos);
    await chaos.load.startMany(50, 'rows', 3, true);
    await redis.stop();
    await redis.start();
    chaos.over();
  },
};

/** Redis is gone for 30 s, and comes back empty. */
export const redisGone: Fault = {
  name: 'redis-gone',
  backends: ['redis'],
  settledWithinSeconds: { full: 60, short: 30 },
  async run(chaos) {
    const redis = redisOf(chaos);
    await chaos.load.startMany(50, 'rows', 3, true);
    const sinceMs = Date.now();
    await redis.stop();
    const { apis, workers } = chaos.stack;
    await Promise.all([
      chaos.expectNotReady('API', apis, sinceMs),
      chaos.expectNotReady('worker', workers, sinceMs),
      chaos.last(30, 3),
    ]);
    await redis.start();
    chaos.over();
    await chaos.expectReady([...apis, ...workers]);
  },
};

function redisOf({ stack }: Chaos) {
  if (!stack.servers.redis) throw new Error('expected a stack with Redis');
  return stack.servers.redis;
}
