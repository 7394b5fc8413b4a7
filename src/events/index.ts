import type { Config } from '../config.ts';
import type { Log } from '../lib/log.ts';
import type { BusAdapter } from './adapter.ts';
import { openPostgresBus } from './postgres-bus.ts';
import { openRedisBus } from './redis-bus.ts';

export interface OpenBusOptions {
  readonly broker: Config['broker'];
  /** A session connection to Postgres, for LISTEN; not used when the broker is Redis */
  readonly directDatabaseUrl: string;
  /** Shown by the broker beside the connections */
  readonly applicationName: string;
  readonly log: Log;
  /** Between two questions whether the link still lives, in ms; default 5,000 */
  readonly keepaliveMs?: number;
}

/** The process' one bus. A broker that is down at start is no error: `connected` is false until it is there. */
export function openBus({ broker, directDatabaseUrl, ...options }: OpenBusOptions): Promise<BusAdapter> {
  switch (broker.type) {
    case 'postgres':
      return openPostgresBus({ url: directDatabaseUrl, ...options });
    case 'redis':
      return openRedisBus({ url: broker.url, prefix: broker.prefix, ...options });
  }
}
