// Plain JavaScript: a thread starts without the loader that runs TypeScript, and needs less memory so.
import { parentPort, workerData } from 'node:worker_threads';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

/**
 * Runs in a thread of its own: beats on Postgres' clock, however busy the main loop is, and stops when the main loop
 * has not ticked for a minute, because then nobody would notice a cancel or a lost attempt either.
 */
/** @type {import('./beat.ts').BeatThreadData} */
const { databaseUrl, applicationName, sql, values, beatMs, ticks } = workerData;

const MAIN_LOOP_DEAD_MS = 60_000;
const CALL_TIMEOUT_MS = 3_000;
const mainLoop = new BigInt64Array(ticks);
/** @type {pg.Client | null} */
let client = null;
let running = true;

async function beat() {
  if (Date.now() - Number(Atomics.load(mainLoop, 0)) > MAIN_LOOP_DEAD_MS) return;
  client ??= await connect();
  await client.query({ text: sql, values });
  parentPort?.postMessage('beat');
}

async function connect() {
  const fresh = new pg.Client({
    connectionString: databaseUrl,
    application_name: applicationName,
    connectionTimeoutMillis: CALL_TIMEOUT_MS,
    query_timeout: CALL_TIMEOUT_MS,
    statement_timeout: CALL_TIMEOUT_MS,
  });
  fresh.on('error', () => {
    client = null;
  });
  await fresh.connect();
  return fresh;
}

async function drop() {
  const broken = client;
  client = null;
  await broken?.end().catch(() => undefined);
}

parentPort?.once('message', () => {
  running = false;
  void drop().finally(() => process.exit(0));
});

while (running) {
  await beat().catch(drop);
  await delay(beatMs);
}
