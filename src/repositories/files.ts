import { z } from 'zod';
import type { Sql } from './db.ts';
import { callOff } from './storage-removals.ts';

const fileRow = z.object({
  id: z.uuid(),
  organizationId: z.uuid(),
  jobId: z.uuid(),
  role: z.enum(['rejected_rows', 'output']),
  filename: z.string(),
  contentType: z.string(),
  byteSize: z
    .union([z.string().regex(/^\d+$/), z.number()])
    .transform(Number)
    .pipe(z.int()),
  sha256: z.string(),
  storageKey: z.string(),
  createdAt: z.date(),
});

/** A file that a job made. */
export type StoredFile = Readonly<z.infer<typeof fileRow>>;
export type NewStoredFile = Omit<StoredFile, 'createdAt'>;

/** Files that one job can show */
const FILES_PER_JOB_MAX = 100;

const COLUMNS = `
  id, organization_id AS "organizationId", job_id AS "jobId", role, filename, content_type AS "contentType",
  byte_size AS "byteSize", sha256, storage_key AS "storageKey", created_at AS "createdAt"`;

/** Names stored bytes: from here on they stay as long as their job does. */
export async function insertFile(sql: Sql, file: NewStoredFile): Promise<StoredFile> {
  const { rows } = await sql.query(
    `WITH kept AS (${callOff('$9')})
     INSERT INTO stored_files
       (id, organization_id, job_id, role, filename, content_type, byte_size, sha256, storage_key)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     RETURNING ${COLUMNS}`,
    [
      file.id,
      file.organizationId,
      file.jobId,
      file.role,
      file.filename,
      file.contentType,
      file.byteSize,
      file.sha256,
      file.storageKey,
    ],
  );
  return fileRow.parse(rows[0]);
}

/** Null for what does not exist and for what is another organization's. */
export async function findFile(sql: Sql, organizationId: string, id: string): Promise<StoredFile | null> {
  const { rows } = await sql.query(
    `SELECT ${COLUMNS} FROM stored_files WHERE organization_id = $1 AND id = $2`,
    [organizationId, id],
  );
  return rows[0] ? fileRow.parse(rows[0]) : null;
}

/** Oldest first, at most 100 */
export async function filesOfJob(
  sql: Sql,
  organizationId: string,
  jobId: string,
): Promise<readonly StoredFile[]> {
  const { rows } = await sql.query(
    `SELECT ${COLUMNS} FROM stored_files WHERE organization_id = $1 AND job_id = $2 ORDER BY id LIMIT $3`,
    [organizationId, jobId, FILES_PER_JOB_MAX],
  );
  return z.array(fileRow).parse(rows);
}
