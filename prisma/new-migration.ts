import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createLog } from '../src/lib/log.ts';
import { startEmbeddedPostgres } from '../src/repositories/embedded.ts';
import { migrate, MIGRATIONS_FOLDER } from '../src/repositories/migrate.ts';
import { diffDatabaseToSchema } from './schema-engine.ts';

/**
 * `npm run migration -- <name>`: writes what leads from the migrations so far to schema.prisma, as the next one. What
 * Prisma cannot express (partial indexes, checks, storage parameters) is added to the file by hand.
 */
async function main(): Promise<void> {
  const name = process.argv[2] ?? '';
  if (!/^[a-z][a-z0-9_]{2,60}$/.test(name)) {
    throw new Error('give the migration a name in lower_snake: npm run migration -- add_reports');
  }
  const sql = await nextMigration();
  if (sql === '') {
    console.log('schema.prisma and the migrations say the same: nothing to write');
    return;
  }
  const timestamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
  const folder = join(MIGRATIONS_FOLDER, `${timestamp}_${name}`);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'migration.sql'), `${sql}\n`);
  console.log(`wrote ${join(folder, 'migration.sql')}; read it before you commit it`);
}

async function nextMigration(): Promise<string> {
  const path = fileURLToPath(new URL('schema.prisma', import.meta.url));
  const log = createLog({ level: 'warn', process: 'migration' });
  const dataDir = await mkdtemp(join(tmpdir(), 'millrace-migration-'));
  // As root the server runs as another account, which has to reach its data.
  await chmod(dataDir, 0o755);
  const postgres = await startEmbeddedPostgres({ dataDir, durable: false, log });
  try {
    await migrate({ url: postgres.url, bullmq: false, log });
    return await diffDatabaseToSchema(postgres.url, { path, content: await readFile(path, 'utf8') });
  } finally {
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

await main();
