import type { Config } from '../config.ts';

/** Where deliveries travel. On Postgres, BullMQ's tables live in the schema `bullmq` of our own database. */
export type Broker =
  | { readonly type: 'postgres'; readonly databaseUrl: string; readonly applicationName: string }
  | {
      readonly type: 'redis';
      readonly url: string;
      readonly prefix: string;
      readonly applicationName: string;
    };

export const BULLMQ_SCHEMA = 'bullmq';

export function brokerOf(config: Config['broker'], databaseUrl: string, applicationName: string): Broker {
  return config.type === 'redis'
    ? { ...config, applicationName }
    : { type: 'postgres', databaseUrl, applicationName };
}

/** The hash tag keeps all keys of an installation on one node of a Redis cluster, which BullMQ's scripts need. */
export function redisKeyPrefix(prefix: string): string {
  return `{${prefix}}`;
}
