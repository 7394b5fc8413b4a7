import pg from 'pg';
import type { Sql } from './db.ts';
import { patternOf, type Values } from './job-filter.ts';
import type { SearchDatabase } from './job-search.ts';

/** Pages of texts that are looked at to learn how frequent something is. */
const SAMPLE_PAGES = 80;
/** Rows that the index may give for one search: each is a page somewhere in the table. */
const MATCHES_MAX = 5_000;
/** Of a long text, only so many trigrams are compared, and the rarest of these are asked for. */
const GRAMS_COMPARED = 16;
const GRAMS_ASKED = 4;
/** A trigram's list with more rows costs more to read than it leaves out. */
const LIST_MAX = 600_000;
/** The guess may be wrong; the index is given up then. */
const INDEX_TIMEOUT_MS = 300;
/** query_canceled, by statement_timeout */
const CANCELED = '57014';

interface Sample {
  /** Rows of the whole table that hold the text, by the sample */
  readonly matches: number;
  /** The rarest of its trigrams */
  readonly grams: readonly string[];
}

/**
 * Runs `read` on what the trigram index gives for a text, if that is rare. The index is asked for the rarest trigrams
 * alone: lists of frequent ones are as long as the table.
 * @returns null when it is not rare, or when the index took too long
 */
export async function searchIndex<T>(
  db: SearchDatabase,
  text: string,
  read: (tx: Sql, grams: readonly string[]) => Promise<T>,
): Promise<T | null> {
  const compared = gramsOf(text);
  if (compared.length === 0) return null;
  const { matches, grams } = await takeSample(db, text, compared);
  if (matches > MATCHES_MAX || grams.length === 0) return null;
  try {
    return await db.transaction(async (tx) => {
      // No plan but the index is bounded, whatever the planner thinks of its cost.
      await tx.query(`SET LOCAL statement_timeout = ${INDEX_TIMEOUT_MS}; SET LOCAL enable_seqscan = off`);
      return read(tx, grams);
    });
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === CANCELED) return null;
    throw error;
  }
}

/** Rows that hold a text, by the index over `grams`; a function of the text instead of LIKE keeps its other trigrams out. */
export function rareMatches(text: string, grams: readonly string[], values: Values): string {
  const byIndex = grams.map((gram) => `text LIKE ${values.add(patternOf(gram))}`).join(' AND ');
  return `SELECT organization_id, job_id FROM job_search WHERE ${byIndex} AND strpos(text, ${values.add(text)}) > 0`;
}

/** Three letters or digits in a row are one entry of the index. */
function gramsOf(text: string): string[] {
  const grams = new Set<string>();
  for (let at = 0; at + 3 <= text.length; at += 1) {
    const gram = text.slice(at, at + 3);
    if (/^[\p{L}\p{N}]{3}$/u.test(gram)) grams.add(gram);
  }
  return [...grams].slice(0, GRAMS_COMPARED);
}

async function takeSample(sql: Sql, text: string, grams: readonly string[]): Promise<Sample> {
  const size = await sql.query<{ pages: number }>(
    `SELECT (pg_relation_size('job_search') / current_setting('block_size')::int)::int AS pages`,
  );
  const percent = Math.min(100, (100 * SAMPLE_PAGES) / Math.max(1, size.rows[0]?.pages ?? 1));
  const counts = grams.map((_, index) => `count(*) FILTER (WHERE text LIKE $${index + 3})::int`);
  const { rows } = await sql.query<{ holding: number; counts: number[] }>(
    `SELECT count(*) FILTER (WHERE strpos(text, $2) > 0)::int AS holding, ARRAY[${counts.join(', ')}] AS counts
     FROM job_search TABLESAMPLE SYSTEM ($1)`,
    [percent, text, ...grams.map(patternOf)],
  );
  const { holding, counts: found } = rows[0] ?? { holding: 0, counts: [] };
  const inTable = (count: number): number => (count * 100) / percent;
  const rare = grams
    .map((gram, index) => ({ gram, count: found[index] ?? 0 }))
    .filter(({ count }) => inTable(count) <= LIST_MAX)
    .toSorted((a, b) => a.count - b.count);
  return { matches: inTable(holding), grams: rare.slice(0, GRAMS_ASKED).map(({ gram }) => gram) };
}
