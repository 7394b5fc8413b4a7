import { readConfig, type Config } from '../config.ts';
import { StartError } from '../lib/entry.ts';
import { createLog, type Log } from '../lib/log.ts';
import { openDatabase, type Database } from '../repositories/db.ts';

/** An operator waits for longer than a request may. */
const STATEMENT_TIMEOUT_MS = 60_000;
const CONNECTIONS = 2;

export interface Operator {
  readonly config: Config;
  readonly db: Database;
  readonly log: Log;
}

/** The configuration of this process, with a database to work on. @throws StartError */
export function readOperatorConfig(): {
  readonly config: Config;
  readonly directUrl: string;
  readonly log: Log;
} {
  const config = readConfig();
  if (config.database.type === 'embedded') {
    throw new StartError(
      'This needs DATABASE_URL. The database of `npm run dev` is its own, and comes with an organization and tokens.',
    );
  }
  const log = createLog({ level: config.logLevel, process: 'cli', format: config.logFormat });
  return { config, directUrl: config.database.directUrl, log };
}

/** Runs one command on the database, and closes what it opened. */
export async function asOperator<T>(run: (operator: Operator) => Promise<T>): Promise<T> {
  const { config, directUrl, log } = readOperatorConfig();
  const db = openDatabase({
    url: directUrl,
    applicationName: 'millrace-cli',
    connectionsMax: CONNECTIONS,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    log,
  });
  try {
    return await run({ config, db, log });
  } finally {
    await db.close();
  }
}

/** A line for people and scripts; the log goes elsewhere. */
export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
