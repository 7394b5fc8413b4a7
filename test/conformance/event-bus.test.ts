import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { openBus } from '../../src/events/index.ts';
import { createTestDatabase } from '../support/database.ts';
import { silentLog } from '../support/log.ts';
import { redisPrefix, redisUrl } from '../support/redis.ts';
import { eventBusConformance, type BusHarness } from './event-bus.ts';

/** Faster than in life, for the test of a link that died without a word */
const keepaliveMs = 500;

async function postgresHarness(): Promise<BusHarness> {
  const database = await createTestDatabase();
  const applicationName = `bus-${randomUUID()}`;
  const sessions = 'FROM pg_stat_activity WHERE application_name = $1';
  return {
    url: database.url,
    open: (url = database.url) =>
      openBus({
        broker: { type: 'postgres' },
        directDatabaseUrl: url,
        applicationName,
        keepaliveMs,
        log: silentLog,
      }),
    async publishRaw(payload) {
      await database.db.query('SELECT pg_notify($1, $2)', ['millrace_events', payload]);
    },
    async killConnections() {
      await database.db.query(`SELECT pg_terminate_backend(pid) ${sessions}`, [applicationName]);
    },
    async connections() {
      const { rows } = await database.db.query<{ count: number }>(
        `SELECT count(*)::int AS count ${sessions}`,
        [applicationName],
      );
      return rows[0]?.count ?? 0;
    },
    close: () => database.close(),
  };
}

async function redisHarness(): Promise<BusHarness> {
  const prefix = redisPrefix();
  const applicationName = `bus-${randomUUID()}`;
  const admin = new Redis(redisUrl());
  const ids = async (): Promise<string[]> => {
    const clients = String(await admin.client('LIST')).split('\n');
    return clients
      .filter((client) => client.includes(`name=${applicationName}`))
      .flatMap((client) => /^id=(\d+)/.exec(client)?.[1] ?? []);
  };
  return {
    url: redisUrl(),
    open: (url = redisUrl()) =>
      openBus({
        broker: { type: 'redis', url, prefix },
        directDatabaseUrl: '',
        applicationName,
        log: silentLog,
      }),
    async publishRaw(payload) {
      await admin.publish(`${prefix}:events`, payload);
    },
    async killConnections() {
      await Promise.all((await ids()).map((id) => admin.client('KILL', 'ID', id)));
    },
    connections: async () => (await ids()).length,
    async close() {
      await admin.quit();
    },
  };
}

eventBusConformance('Postgres', postgresHarness);
eventBusConformance('Redis', redisHarness);
