import { z } from 'zod';
import { makeCopy, type Copy } from './copy.ts';
import type { Sql, Tx } from './db.ts';

/** A product that a running import has met, as it is kept between batches. */
export interface SeenKey {
  /** MD5 of the handle as a uuid */
  readonly hash: string;
  readonly row: number;
  readonly rejected: boolean;
  /** Hex; what it means is the import's own matter */
  readonly entries: string;
}

const seenKey = z.object({ hash: z.string(), row: z.number(), rejected: z.boolean(), entries: z.string() });

export async function findSeenKeys(sql: Sql, jobId: string, hashes: readonly string[]): Promise<SeenKey[]> {
  if (hashes.length === 0) return [];
  const { rows } = await sql.query(
    `SELECT k.key_hash AS hash, k.row, k.rejected, encode(k.entries, 'hex') AS entries
       FROM unnest($2::uuid[]) AS wanted (hash)
      CROSS JOIN LATERAL (SELECT * FROM product_import_keys
                           WHERE job_id = $1 AND key_hash = wanted.hash LIMIT 1) k`,
    [jobId, hashes],
  );
  return z.array(seenKey).parse(rows);
}

export function seenKeyCopy(jobId: string, keys: readonly SeenKey[]): Copy {
  const rows = keys.map((key) => [jobId, key.hash, key.row, key.rejected, `\\x${key.entries}`]);
  return makeCopy('product_import_keys', ['job_id', 'key_hash', 'row', 'rejected', 'entries'], rows);
}

export async function updateSeenKeys(tx: Tx, jobId: string, keys: readonly SeenKey[]): Promise<void> {
  if (keys.length === 0) return;
  await tx.query(
    `UPDATE product_import_keys k SET entries = decode(c.entries, 'hex')
       FROM (SELECT $1::uuid AS job_id, given.*
               FROM unnest($2::uuid[], $3::text[]) AS given (hash, entries) OFFSET 0) c
      WHERE k.job_id = c.job_id AND k.key_hash = c.hash`,
    [jobId, keys.map(({ hash }) => hash), keys.map(({ entries }) => entries)],
  );
}

/** Keeps a batch's rejected rows, as lines of the file that they will be. `row`: the batch's first */
export async function insertRejectedLines(tx: Tx, jobId: string, row: number, lines: string): Promise<void> {
  await tx.query('INSERT INTO product_import_rejects (job_id, row, lines) VALUES ($1, $2, $3)', [
    jobId,
    row,
    lines,
  ]);
}

const rejectedChunk = z.object({ row: z.number(), lines: z.string() });

/** Chunks of rejected rows in the order of the file, one read at a time. */
export async function* readRejectedLines(sql: Sql, jobId: string): AsyncGenerator<string> {
  for (let after = 0; ;) {
    const { rows } = await sql.query(
      'SELECT row, lines FROM product_import_rejects WHERE job_id = $1 AND row > $2 ORDER BY row LIMIT 1',
      [jobId, after],
    );
    const [chunk] = z.array(rejectedChunk).parse(rows);
    if (!chunk) return;
    yield chunk.lines;
    after = chunk.row;
  }
}

const ROWS_PER_DELETE = 20_000;
const DELETES_MAX = 10_000;

/** Forgets what an import kept between its batches, in short statements. */
export async function deleteImportScratch(sql: Sql, jobId: string): Promise<void> {
  for (const table of ['product_import_keys', 'product_import_rejects']) {
    for (let round = 0; round < DELETES_MAX; round += 1) {
      const { rowCount } = await sql.query(
        `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${table} WHERE job_id = $1 LIMIT ${ROWS_PER_DELETE}))`,
        [jobId],
      );
      if ((rowCount ?? 0) < ROWS_PER_DELETE) break;
    }
  }
}

/** Jobs whose import left something behind although it has ended: it failed, was cancelled or is gone. At most 100 */
export async function findForgottenScratch(sql: Sql): Promise<string[]> {
  const { rows } = await sql.query(
    `WITH RECURSIVE kept (job_id) AS (
       (SELECT job_id FROM product_import_keys ORDER BY job_id LIMIT 1)
       UNION ALL
       SELECT (SELECT k.job_id FROM product_import_keys k WHERE k.job_id > kept.job_id ORDER BY k.job_id LIMIT 1)
         FROM kept WHERE kept.job_id IS NOT NULL
     ), found AS (
       SELECT job_id FROM kept WHERE job_id IS NOT NULL
       UNION SELECT DISTINCT job_id FROM product_import_rejects
     )
     SELECT job_id FROM found
      WHERE NOT EXISTS (SELECT FROM jobs j WHERE j.id = found.job_id AND j.status IN ('pending', 'running'))
      LIMIT 100`,
  );
  return z
    .array(z.object({ job_id: z.string() }))
    .parse(rows)
    .map(({ job_id }) => job_id);
}
