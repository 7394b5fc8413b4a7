import fc from 'fast-check';
import { expect, it } from 'vitest';
import { makeCopy, runCopy, type CopyValue } from '../../src/repositories/copy.ts';
import { createTestDatabase } from '../support/database.ts';

it('COPY stores every text, array, number and null as it is', async () => {
  await using database = await createTestDatabase();
  const { db } = database;
  const text = fc.string({
    unit: fc.constantFrom('a', '\\', '\t', '\n', '\r', '"', '{', '}', ',', ' ', 'N', 'é', '😀', "'"),
  });
  const row = fc.tuple(
    fc.option(text),
    fc.option(fc.array(text, { maxLength: 3 })),
    fc.option(fc.integer({ min: -1e6, max: 1e6 })),
    fc.option(fc.boolean()),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 10 }), async (rows: CopyValue[][]) => {
      const stored = await db.transaction(async (tx) => {
        await tx.query(
          'CREATE TEMP TABLE copied (n serial, t text, a text[], i int, b boolean) ON COMMIT DROP',
        );
        await runCopy(tx, makeCopy('copied', ['t', 'a', 'i', 'b'], rows));
        return tx.query<{ t: string; a: string[]; i: number; b: boolean }>(
          'SELECT t, a, i, b FROM copied ORDER BY n',
        );
      });
      expect(stored.rows.map(({ t, a, i, b }) => [t, a, i, b])).toEqual(rows);
    }),
    { numRuns: 50 },
  );
});

it('a value that the table refuses fails the transaction, and the connection can be used again', async () => {
  await using database = await createTestDatabase();
  const { db } = database;
  await db.query('CREATE TABLE numbers (i int)');
  const copy = db.transaction((tx) => runCopy(tx, makeCopy('numbers', ['i'], [[1], ['many']])));
  await expect(copy).rejects.toThrow(/invalid input syntax for type integer/);
  expect((await db.query('SELECT * FROM numbers')).rows).toEqual([]);
});
