import { inject } from 'vitest';

declare module 'vitest' {
  /** What test/support/global-setup.ts starts once and every test file may use. */
  interface ProvidedContext {
    /** A server's URL; its database is only for making and dropping others */
    serverUrl: string;
    /** Migrated, BullMQ's schema included; no session may stay connected to it */
    templateDatabase: string;
    redisUrl: string;
  }
}

export const serverUrl = (): string => inject('serverUrl');
export const templateDatabase = (): string => inject('templateDatabase');

/** The Redis that all test files share: keys belong under `redisPrefix()`, and FLUSHALL needs a Redis of its own. */
export const sharedRedisUrl = (): string => inject('redisUrl');
