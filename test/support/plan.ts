import type { Database, Sql } from '../../src/repositories/db.ts';

/** The plan of the one statement that a repository function runs; the statement itself runs too. */
export async function planOf(db: Database, call: (sql: Sql) => Promise<unknown>): Promise<string> {
  let plan = '';
  await call({
    async query(text, values) {
      const { rows } = await db.query<Record<string, unknown>>(`EXPLAIN ${text}`, values);
      plan = rows.map((row) => String(row['QUERY PLAN'])).join('\n');
      return db.query(text, values);
    },
  });
  return plan;
}
