import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import type { Sql } from '../../src/repositories/db.ts';

/** Something that was written, and where. */
export interface Written {
  readonly where: string;
  readonly text: string;
}

/** Looks for secrets by name, as they are and as whoever writes them may have encoded them. */
export function secretsIn(
  secrets: ReadonlyMap<string, string | Buffer>,
  written: readonly Written[],
): string[] {
  return [...secrets].flatMap(([name, secret]) =>
    formsOf(secret).flatMap(([form, needle]) =>
      written
        .filter(({ text }) => text.includes(needle))
        .map(({ where }) => `${name} (${form}) is in ${where}`),
    ),
  );
}

function formsOf(secret: string | Buffer): (readonly [form: string, needle: string])[] {
  const bytes = Buffer.from(secret);
  const text = typeof secret === 'string' ? secret : null;
  const forms = [
    ...(text === null
      ? []
      : ([
          ['plain', text],
          ['percent-encoded', encodeURIComponent(text)],
          ['as JSON', JSON.stringify(text).slice(1, -1)],
        ] as const)),
    ['hex', bytes.toString('hex')] as const,
    // In a longer text it may begin at each of three places of a group.
    ...[0, 1, 2].flatMap((offset) =>
      (['base64', 'base64url'] as const).map((encoding) => {
        const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString(encoding);
        return [encoding, encoded.slice(offset === 0 ? 0 : offset + 1, -4)] as const;
      }),
    ),
  ];
  return forms.filter(([, needle], index) => forms.findIndex(([, other]) => other === needle) === index);
}

/** Every column of every table, whatever its type. */
export async function readDatabase(sql: Sql): Promise<Written[]> {
  const { rows: columns } = await sql.query<{ place: string; source: string; value: string }>(
    `SELECT format('%s.%s.%s', c.table_schema, c.table_name, c.column_name) AS place,
            format('%I.%I', c.table_schema, c.table_name) AS source,
            CASE c.data_type WHEN 'bytea' THEN format('encode(%1$I, ''hex'') || '' '' || encode(%1$I, ''escape'')', c.column_name)
                             ELSE format('%I::text', c.column_name) END AS value
     FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
     WHERE t.table_type = 'BASE TABLE' AND c.table_schema NOT IN ('pg_catalog', 'information_schema')`,
  );
  return Promise.all(
    columns.map(async ({ place, source, value }) => {
      const { rows } = await sql.query<{ text: string }>(
        `SELECT coalesce(string_agg(${value}, E'\\n'), '') AS text FROM ${source}`,
      );
      return { where: place, text: rows[0]?.text ?? '' };
    }),
  );
}

/** Names and values of all keys that match. */
export async function readRedis(redis: Redis, pattern: string): Promise<Written[]> {
  const keys = await redis.keys(pattern);
  return Promise.all(
    keys.map(async (key) => ({
      where: `the key ${key}`,
      text: `${key} ${JSON.stringify(await valueOf(redis, key))}`,
    })),
  );
}

async function valueOf(redis: Redis, key: string): Promise<unknown> {
  const type = await redis.type(key);
  switch (type) {
    case 'string':
      return redis.get(key);
    case 'hash':
      return redis.hgetall(key);
    case 'list':
      return redis.lrange(key, 0, -1);
    case 'set':
      return redis.smembers(key);
    case 'zset':
      return redis.zrange(key, '0', '-1');
    case 'stream':
      return redis.xrange(key, '-', '+');
    case 'none':
      return null;
    default:
      throw new Error(`no way to read the type ${type}`);
  }
}

/** Every file in a folder and below. */
export async function readFolder(folder: string): Promise<Written[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    files.map(async (path) => ({
      where: `the file ${path}`,
      text: `${path} ${await readFile(path, 'latin1')}`,
    })),
  );
}
