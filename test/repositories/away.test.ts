import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { isDatabaseAway } from '../../src/repositories/away.ts';
import { openDatabase } from '../../src/repositories/db.ts';
import { freePort } from '../../src/repositories/embedded-supervisor.ts';
import { openPrisma } from '../../src/repositories/prisma.ts';
import { createTestDatabase } from '../support/database.ts';
import { silentLog } from '../support/log.ts';

const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('a database that is away', () => {
  it('is told by a connection that nobody takes, through the pool and through Prisma', async () => {
    const db = openDatabase({
      url: `postgresql://nobody@127.0.0.1:${await freePort()}/nothing`,
      applicationName: 'test',
      connectionsMax: 1,
      statementTimeoutMs: 1_000,
      log: silentLog,
    });
    const prisma = openPrisma(db);
    expect(isDatabaseAway(await failureOf(db.query('SELECT 1')))).toBe(true);
    expect(isDatabaseAway(await failureOf(prisma.job.findFirst()))).toBe(true);
    await prisma.$disconnect();
    await db.close();
  });

  it('is told by a session that was ended in the middle, through the pool and through Prisma', async () => {
    await using database = await createTestDatabase();
    const ended = 'SELECT pg_terminate_backend(pg_backend_pid())';
    const prisma = openPrisma(database.db);
    expect(isDatabaseAway(await failureOf(database.db.query(ended)))).toBe(true);
    expect(isDatabaseAway(await failureOf(prisma.$queryRawUnsafe(ended)))).toBe(true);
  });

  it('is told by a server that has no connection left, and by the error that it caused', () => {
    const full = Object.assign(new pg.DatabaseError('sorry, too many clients already', 0, 'error'), {
      code: '53300',
    });
    expect(isDatabaseAway(full)).toBe(true);
    expect(isDatabaseAway(new Error('the job could not be read', { cause: full }))).toBe(true);
  });

  it('is not told by an answer, however bad it is', async () => {
    await using database = await createTestDatabase();
    const prisma = openPrisma(database.db);
    expect(isDatabaseAway(await failureOf(database.db.query('SELECT nonsense')))).toBe(false);
    expect(isDatabaseAway(await failureOf(prisma.$queryRawUnsafe('SELECT nonsense')))).toBe(false);
    expect(isDatabaseAway(await failureOf(prisma.job.findFirstOrThrow()))).toBe(false);
    expect(isDatabaseAway(new TypeError('x is not a function'))).toBe(false);
    expect(isDatabaseAway('ECONNREFUSED')).toBe(false);
  });
});
