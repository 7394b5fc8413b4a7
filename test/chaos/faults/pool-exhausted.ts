import pg from 'pg';
import type { Fault } from '../fault.ts';

const TOO_MANY_CONNECTIONS = '53300';
/** More than the server has */
const CONNECTIONS_MAX = 300;

/** The server has no connection left, and jobs that sit on theirs fill the workers' pools. */
export const poolExhausted: Fault = {
  name: 'pool-exhausted',
  backends: ['postgres', 'redis'],
  settledWithinSeconds: { full: 90, short: 45 },
  async run(chaos) {
    await chaos.load.startMany(20, 'hog', 2, true);
    const taken = await takeAll(chaos.stack.servers.postgres.url);
    await chaos.last(15, 3);
    await Promise.all(taken.map((client) => client.end()));
    chaos.over();
  },
};

/** Opens connections until the server refuses one. */
async function takeAll(connectionString: string): Promise<pg.Client[]> {
  const taken: pg.Client[] = [];
  while (taken.length < CONNECTIONS_MAX) {
    const client = new pg.Client({ connectionString, connectionTimeoutMillis: 10_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
    } catch (error) {
      if (error instanceof pg.DatabaseError && error.code === TOO_MANY_CONNECTIONS) return taken;
      throw error;
    }
    taken.push(client);
  }
  throw new Error(`the server gave ${CONNECTIONS_MAX} connections and has more`);
}
