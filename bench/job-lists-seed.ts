import pg from 'pg';
import { jobCatalogue } from '../src/jobs/index.ts';
import type { TestOrganization } from '../test/support/organization.ts';

/** Jobs of 90 days, evenly spread, whatever their number. */
const DAYS = 90;
/** Of so many jobs, one is another organization's. */
const FOREIGN = 11;

/**
 * Writes `rows` jobs without the engine and without triggers, and makes the indexes afterwards. What is rare is as rare
 * in any number of rows: three jobs by one trigger, three with one word; about 550 live ones.
 */
export async function seedManyJobs(
  url: string,
  rows: number,
  organization: TestOrganization,
  other: TestOrganization,
): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    // Triggers and foreign keys would take longer than the rows.
    await client.query(`SET session_replication_role = replica; SET synchronous_commit = off;
                        SET maintenance_work_mem = '1GB'; SET statement_timeout = 0`);
    const indexes = await dropIndexes(client);
    await client.query(JOBS, [rows, organization.id, other.id, Object.keys(jobCatalogue), DAYS, FOREIGN]);
    await client.query(
      'INSERT INTO job_search (organization_id, job_id, text) SELECT organization_id, id, search_text FROM jobs ORDER BY id',
    );
    for (const definition of indexes) await client.query(definition);
    await client.query('VACUUM (ANALYZE) jobs');
    await client.query('VACUUM (ANALYZE) job_search');
    await client.query('CHECKPOINT');
  } finally {
    await client.end();
  }
}

/** Takes away all indexes that no constraint stands on. @returns the statements that make them again */
async function dropIndexes(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string; definition: string }>(
    `SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition FROM pg_index
     WHERE indrelid IN ('jobs'::regclass, 'job_search'::regclass)
       AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)`,
  );
  for (const { name } of rows) await client.query(`DROP INDEX ${name}`);
  return rows.map(({ definition }) => definition);
}

const JOBS = `
  INSERT INTO jobs (id, organization_id, kind, version, status, queue, input, input_hash, triggered_by, created_at,
                    started_at, completed_at, status_changed_at, max_attempts, attempt, parent_id, search_text, last_seq)
  SELECT id, organization, kind, 1, status::job_status, 'long_running',
         jsonb_build_object('source', jsonb_build_object('uploadId', upload), 'format', 'auto', 'dryRun', false), '\\x00',
         CASE WHEN n % ($1 / 3) = 7 THEN 'manual:rare@example.com' WHEN n % 2 = 0 THEN 'schedule:nightly'
              WHEN n % 10 = 1 THEN 'api:shop' ELSE 'manual:ann@example.com' END,
         at, at, CASE WHEN status IN ('pending', 'running') THEN NULL ELSE at + interval '1 minute' END,
         at + interval '1 minute', 5, 1, NULL,
         concat_ws(' ', upload, 'products-' || n || '.csv auto', CASE WHEN n % 3 = 0 THEN 'nightly feed' END,
                   CASE WHEN n % 400 = 5 THEN 'cotton shirts' END, CASE WHEN n % 5000 = 5 THEN 'blue widget' END,
                   CASE WHEN n % ($1 / 3) = 9 THEN 'zanzibar' END,
                   CASE WHEN n < $1 / 2 AND n % 2 = 0 THEN 'legacy format' END,
                   CASE WHEN status = 'failed' THEN 'the provider does not answer' END), 3
  FROM (
    SELECT n, at, md5(n::text)::uuid::text AS upload,
           -- A UUIDv7: 48 bits of time, then chance
           (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(md5('a' || n), 1, 3) || '8'
            || substr(md5('b' || n), 1, 15))::uuid AS id,
           CASE WHEN n % $6 = 0 THEN $3 ELSE $2 END::uuid AS organization,
           -- Half are of the first kind, the rest of all.
           ($4::text[])[1 + CASE WHEN n % 2 = 0 THEN 0 ELSE (n / 2) % cardinality($4::text[]) END] AS kind,
           CASE WHEN n > $1 - 50 THEN 'running' WHEN n > $1 - 550 THEN 'pending' WHEN n % 20 = 3 THEN 'failed'
                WHEN n % 16 = 5 THEN 'completed_with_warnings' WHEN n % 100 = 7 THEN 'cancelled' ELSE 'completed' END AS status
    FROM (SELECT n, now() - ($1 - n) * (make_interval(days => $5) / $1::int) AS at FROM generate_series(1, $1::int) AS n) AS times
  ) AS made`;
