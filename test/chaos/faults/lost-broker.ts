import pg from 'pg';
import { Redis } from 'ioredis';
import type { Chaos } from '../chaos.ts';
import type { Fault } from '../fault.ts';
import type { Stack } from '../stack.ts';

/** The broker loses all it holds at once: FLUSHALL, or its tables emptied. */
export const flush: Fault = {
  name: 'flush',
  backends: ['postgres', 'redis'],
  settledWithinSeconds: { full: 40, short: 20 },
  async run(chaos) {
    await fillBroker(chaos);
    await withBroker(chaos.stack, {
      redis: (redis) => redis.flushall(),
      postgres: (client) =>
        client.query('TRUNCATE bullmq.job, bullmq.dedup, bullmq.event, bullmq.meta CASCADE'),
    });
    chaos.over();
  },
};

/** The broker loses a random half of what it holds, as when memory runs short. */
export const eviction: Fault = {
  name: 'partial-eviction',
  backends: ['postgres', 'redis'],
  // Counts are compared every 30 s, of deliveries older than 30 s.
  settledWithinSeconds: { full: 100, short: 100 },
  async run(chaos) {
    await fillBroker(chaos);
    await withBroker(chaos.stack, {
      async redis(redis) {
        const keys = await redis.keys('{millrace}:*');
        const half = keys.filter(() => Math.random() < 0.5);
        if (half.length > 0) await redis.del(...half);
      },
      postgres: (client) => client.query('DELETE FROM bullmq.job WHERE random() < 0.5'),
    });
    chaos.over();
  },
};

/** More than the workers take at once: the window of deliveries is full when the fault comes. */
async function fillBroker({ stack, load }: Chaos): Promise<void> {
  await load.startMany(stack.scale === 'full' ? 300 : 60, 'slow', 15);
}

interface Means {
  redis(redis: Redis): Promise<unknown>;
  postgres(client: pg.Client): Promise<unknown>;
}

async function withBroker({ servers }: Stack, means: Means): Promise<void> {
  if (servers.redis) {
    const redis = new Redis(servers.redis.url, { commandTimeout: 10_000 });
    await means.redis(redis).finally(() => redis.disconnect());
    return;
  }
  const client = new pg.Client({ connectionString: servers.postgres.url, query_timeout: 20_000 });
  await client.connect();
  await means.postgres(client).finally(() => client.end());
}
