import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { createTestDatabase } from '../support/database.ts';
import { redisPrefix, redisUrl } from '../support/redis.ts';
import { readDatabase, readFolder, readRedis, secretsIn } from '../support/secret-search.ts';

const SECRET = 'a"secret%of 24/characters';
const secrets = new Map([['it', SECRET]]);

test.each<[string, string]>([
  ['as it is', `before ${SECRET} behind`],
  ['in an URL', `http://user:${encodeURIComponent(SECRET)}@host/`],
  ['in JSON', JSON.stringify({ password: SECRET })],
  ['in hex', Buffer.from(SECRET).toString('hex')],
  ['in base64', Buffer.from(SECRET).toString('base64')],
  ['in base64, behind a name', Buffer.from(`user:${SECRET}`).toString('base64')],
  ['in base64, behind a longer name', Buffer.from(`a-user:${SECRET}`).toString('base64')],
  ['in base64 for URLs', Buffer.from(`u:${SECRET} and more`).toString('base64url')],
])('the search finds a secret %s', (_how, text) => {
  expect(secretsIn(secrets, [{ where: 'there', text }])).not.toEqual([]);
  expect(secretsIn(secrets, [{ where: 'there', text: text.slice(0, text.length / 2) }])).toEqual([]);
});

test('the search reads columns of every type, of every schema', async () => {
  await using database = await createTestDatabase();
  const { db } = database;
  const types = ['text', 'varchar', 'json', 'jsonb', 'bytea', 'text[]', 'tsvector'];
  await db.query('CREATE SCHEMA planted');
  for (const [index, type] of types.entries()) {
    const value = type.startsWith('json')
      ? 'to_jsonb($1::text)'
      : type === 'text[]'
        ? 'ARRAY[$1::text]'
        : '$1';
    const cast =
      type === 'bytea'
        ? "convert_to($1, 'UTF8')"
        : type === 'tsvector'
          ? 'array_to_tsvector(ARRAY[$1])'
          : value;
    await db.query(`CREATE TABLE planted.t${index} (it ${type})`);
    await db.query(`INSERT INTO planted.t${index} SELECT ${cast}`, [SECRET]);
  }
  const found = secretsIn(secrets, await readDatabase(db)).map((line) => line.split(' is in ')[1]);
  expect(new Set(found)).toEqual(new Set(types.map((_, index) => `planted.t${index}.it`)));
});

test('the search reads keys of every type in Redis, and their names', async () => {
  const redis = new Redis(redisUrl());
  const prefix = redisPrefix();
  try {
    await redis.set(`${prefix}:string`, SECRET);
    await redis.hset(`${prefix}:hash`, SECRET, 'x');
    await redis.rpush(`${prefix}:list`, SECRET);
    await redis.sadd(`${prefix}:set`, SECRET);
    await redis.zadd(`${prefix}:zset`, 1, SECRET);
    await redis.xadd(`${prefix}:stream`, '*', 'field', SECRET);
    await redis.set(`${prefix}:${SECRET}`, 'x');
    const found = secretsIn(secrets, await readRedis(redis, `${prefix}:*`)).map(
      (line) => line.split(' is in ')[1],
    );
    expect(new Set(found).size).toBe(7);
    await redis.del(await redis.keys(`${prefix}:*`));
  } finally {
    redis.disconnect();
  }
});

test('the search reads files, and their names', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-search-'));
  await writeFile(join(folder, 'one'), `bytes ${SECRET}`);
  await writeFile(join(folder, 'two'), 'nothing');
  expect(new Set(secretsIn(secrets, await readFolder(folder)).map((line) => line.split('/').at(-1)))).toEqual(
    new Set(['one']),
  );
  await rm(folder, { recursive: true });
});
