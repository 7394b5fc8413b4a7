import { Redis } from 'ioredis';
import { brokerOf, redisKeyPrefix, type Broker } from '../../src/queue/broker.ts';
import { readConfig } from '../../src/config.ts';
import type { BrokerName } from './engine.ts';
import type { TestDatabase } from './database.ts';
import { redisPrefix, redisUrl } from './redis.ts';

/** A broker of the test's own: its own database, or its own keys in the shared Redis. */
export function testBroker(name: BrokerName, database: TestDatabase): Broker {
  const environment = name === 'redis' ? { REDIS_URL: redisUrl(), REDIS_PREFIX: redisPrefix() } : {};
  return brokerOf(readConfig(environment).broker, database.url, 'millrace-test');
}

/** What a FLUSHALL, an eviction or a new Redis does to one installation: everything that the broker held is gone. */
export async function loseEverything(broker: Broker, database: TestDatabase): Promise<void> {
  if (broker.type === 'postgres') {
    await database.db.query('TRUNCATE bullmq.job, bullmq.dedup, bullmq.event, bullmq.meta CASCADE');
    return;
  }
  const redis = new Redis(broker.url);
  try {
    const keys = await redis.keys(`${redisKeyPrefix(broker.prefix)}:*`);
    if (keys.length > 0) await redis.del(...keys);
  } finally {
    redis.disconnect();
  }
}
