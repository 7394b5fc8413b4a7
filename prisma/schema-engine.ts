import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import type { DiagnoseMigrationHistoryOutput } from '@prisma/schema-engine-wasm';
import * as glue from '@prisma/schema-engine-wasm/schema_engine_bg';
import pg from 'pg';
import { z } from 'zod';
import { introspectionAdapter } from './introspection-adapter.ts';

/** A Prisma schema, as read from its file. */
export interface SchemaFile {
  readonly path: string;
  readonly content: string;
}

/**
 * Prisma's own comparison of a database with a schema, by the WebAssembly build of its engine: the CLI would download
 * a binary. It does not see partial indexes, check constraints and storage parameters.
 * @returns SQL that leads from what the database is to what the schema says; empty when there is nothing to do
 */
export async function diffDatabaseToSchema(databaseUrl: string, schema: SchemaFile): Promise<string> {
  return withEngine(databaseUrl, async (engine) => {
    const { stdout } = await engine.diff({
      // Which database this means, the adapter says.
      from: { tag: 'schemaDatasource', files: [schema], configDir: dirname(schema.path) },
      to: { tag: 'schemaDatamodel', files: [schema] },
      script: true,
      exitCode: null,
      filters: NO_FILTERS,
    });
    return (stdout ?? '').replace(/^-- This is an empty migration\.\s*/, '').trim();
  });
}

/** What `prisma migrate` would say about a database's history and the files beside it. */
export async function diagnoseHistory(
  databaseUrl: string,
  folder: string,
  migrations: readonly { readonly name: string; readonly sql: string }[],
): Promise<DiagnoseMigrationHistoryOutput> {
  return withEngine(databaseUrl, (engine) =>
    engine.diagnoseMigrationHistory({
      migrationsList: {
        baseDir: folder,
        lockfile: { path: 'migration_lock.toml', content: 'provider = "postgresql"' },
        shadowDbInitScript: '',
        migrationDirectories: migrations.map(({ name, sql }) => ({
          path: name,
          migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: sql } },
        })),
      },
      optInToShadowDatabase: false,
      filters: NO_FILTERS,
    }),
  );
}

const NO_FILTERS = { externalTables: [], externalEnums: [] };

async function withEngine<T>(databaseUrl: string, fn: (engine: glue.SchemaEngine) => Promise<T>): Promise<T> {
  await (instantiated ??= instantiate());
  const client = new pg.Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: 5_000,
    query_timeout: QUERY_TIMEOUT_MS,
    options: '-c TimeZone=UTC',
  });
  try {
    await client.connect();
    const adapter = bindMigrationAwareSqlAdapterFactory(introspectionAdapter(client));
    return await fn(await glue.SchemaEngine.new({ datamodels: undefined }, () => undefined, adapter));
  } finally {
    await client.end();
  }
}

const QUERY_TIMEOUT_MS = 30_000;

let instantiated: Promise<void> | undefined;

// Node has it; its types for version 20 do not.
declare const WebAssembly: {
  instantiate(bytes: Uint8Array, imports: object): Promise<{ instance: { exports: object } }>;
};

/** The one export that is ours to call. */
const wasmExports = z.looseObject({
  __wbindgen_start: z.custom<() => void>((value) => typeof value === 'function'),
});

/** The package is made for bundlers; here the module is put together by hand, once per process. */
async function instantiate(): Promise<void> {
  const folder = dirname(createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm'));
  const bytes = await readFile(join(folder, 'schema_engine_bg.wasm'));
  const { instance } = await WebAssembly.instantiate(bytes, { './schema_engine_bg.js': { ...glue } });
  glue.__wbg_set_wasm(instance.exports);
  wasmExports.parse(instance.exports).__wbindgen_start();
}
