import { randomUUID } from 'node:crypto';
import { sharedRedisUrl } from './provided.ts';

export { startRedis, type RedisServer } from './redis-server.ts';

/** Of the Redis that all test files share. */
export function redisUrl(): string {
  return sharedRedisUrl();
}

/** Another one at each call: what a test writes under it, no other test sees. */
export function redisPrefix(): string {
  return `test-${randomUUID().slice(0, 13)}`;
}
