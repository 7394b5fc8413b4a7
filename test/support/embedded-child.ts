import { createInterface } from 'node:readline';
import { createLog } from '../../src/lib/log.ts';
import { startEmbeddedPostgres } from '../../src/repositories/embedded.ts';

/** A process of its own that runs the embedded PostgreSQL, until its stdin says "stop" or it is killed. */
const [dataDir, stagingRoot] = process.argv.slice(2);
if (!dataDir || !stagingRoot) throw new Error('usage: embedded-child <data folder> <staging root>');

const postgres = await startEmbeddedPostgres({
  dataDir,
  stagingRoots: [stagingRoot],
  log: createLog({ level: 'warn', process: 'embedded-child' }),
});
console.log(postgres.url);

createInterface({ input: process.stdin }).once('line', () => {
  void postgres.stop().then(() => process.exit(0));
});
