import { z } from 'zod';
import type { Sql, Tx } from './db.ts';
import { callOff } from './storage-removals.ts';

const byteCount = z
  .union([z.string().regex(/^\d+$/), z.number()])
  .transform(Number)
  .pipe(z.int());

const uploadRow = z.object({
  id: z.uuid(),
  organizationId: z.uuid(),
  filename: z.string(),
  contentType: z.string(),
  declaredBytes: byteCount.nullable(),
  byteSize: byteCount.nullable(),
  sha256: z.string().nullable(),
  storageKey: z.string(),
  createdAt: z.date(),
  receivedAt: z.date().nullable(),
  expiresAt: z.date().nullable(),
});

/**
 * A place to PUT a file to. Until `receivedAt` there is nothing under `storageKey`. It goes at `expiresAt` if no job or
 * schedule names it; null: some did, and it stays as long as one does.
 */
export type Upload = Readonly<z.infer<typeof uploadRow>>;

const COLUMNS = `
  id, organization_id AS "organizationId", filename, content_type AS "contentType", declared_bytes AS "declaredBytes",
  byte_size AS "byteSize", sha256, storage_key AS "storageKey", created_at AS "createdAt",
  received_at AS "receivedAt", expires_at AS "expiresAt"`;

export interface NewUpload {
  readonly id: string;
  readonly organizationId: string;
  readonly filename: string;
  readonly contentType: string;
  /** What the caller announced; the PUT must match it */
  readonly declaredBytes: number | null;
  readonly storageKey: string;
  /** An upload that is not used by then is not taken any more */
  readonly expiresAt: Date;
}

export async function createUpload(sql: Sql, upload: NewUpload): Promise<Upload> {
  const { rows } = await sql.query(
    `INSERT INTO uploads (id, organization_id, filename, content_type, declared_bytes, storage_key, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     RETURNING ${COLUMNS}`,
    [
      upload.id,
      upload.organizationId,
      upload.filename,
      upload.contentType,
      upload.declaredBytes,
      upload.storageKey,
      upload.expiresAt,
    ],
  );
  return uploadRow.parse(rows[0]);
}

/** Null for what does not exist and for what is another organization's. */
export async function findUpload(sql: Sql, organizationId: string, id: string): Promise<Upload | null> {
  const { rows } = await sql.query(`SELECT ${COLUMNS} FROM uploads WHERE organization_id = $1 AND id = $2`, [
    organizationId,
    id,
  ]);
  return rows[0] ? uploadRow.parse(rows[0]) : null;
}

export interface ReceivedUpload {
  readonly byteSize: number;
  readonly sha256: string;
  /** Where the bytes are: each PUT writes to a place of its own, so that a second one cannot touch the first's */
  readonly storageKey: string;
}

/** An upload that was received and that nothing names goes after this. */
const UNUSED_HOURS = 24;
/** A PUT that began in time may still be under way. */
const PUT_GRACE = `interval '1 hour'`;

/** The one use of an upload; its bytes stay from here on. @returns false when it was used before */
export async function markUploadReceived(
  sql: Sql,
  organizationId: string,
  id: string,
  { byteSize, sha256, storageKey }: ReceivedUpload,
): Promise<boolean> {
  const { rows } = await sql.query(
    `WITH received AS (
       UPDATE uploads SET byte_size = $3, sha256 = $4, storage_key = $5, received_at = now(),
                          expires_at = now() + make_interval(hours => $6)
        WHERE organization_id = $1 AND id = $2 AND received_at IS NULL RETURNING 1
     ), kept AS (
       ${callOff('$5')} AND EXISTS (SELECT 1 FROM received)
     )
     SELECT 1 FROM received`,
    [organizationId, id, byteSize, sha256, storageKey, UNUSED_HOURS],
  );
  return rows.length === 1;
}

/** Whether a job or a schedule names the upload of a row of `table`. */
const isNamed = (table: string): string =>
  `(${['job_uploads', 'schedule_uploads']
    .map(
      (holders) =>
        `EXISTS (SELECT 1 FROM ${holders}
                 WHERE ${holders}.organization_id = ${table}.organization_id AND upload_id = ${table}.id)`,
    )
    .join(' OR ')})`;

/** Of a row of `uploads`: received, and its time is not over. */
export const IS_KEPT = `received_at IS NOT NULL AND (
  expires_at IS NULL OR expires_at > now()
  -- What named it has just gone, and nobody has looked yet whether something else does.
  OR ${isNamed('uploads')})`;

/** What stands in the way of a job that reads an upload, or null. */
export async function uploadProblem(
  sql: Sql,
  organizationId: string,
  id: string,
): Promise<'missing' | 'empty' | 'expired' | null> {
  const { rows } = await sql.query<{ received: boolean; kept: boolean; expired: boolean }>(
    `SELECT received_at IS NOT NULL AS received, ${IS_KEPT} AS kept, expires_at <= now() AS expired
     FROM uploads WHERE organization_id = $1 AND id = $2`,
    [organizationId, id],
  );
  const [upload] = rows;
  if (!upload) return 'missing';
  if (upload.kept) return null;
  return upload.received || upload.expired ? 'expired' : 'empty';
}

/**
 * Keeps uploads for a schedule that names them: from now on they stay as long as it does. In the transaction that writes
 * it. (A job's are kept by the statement that inserts it.)
 * @returns false when one of them has gone meanwhile
 */
export async function keepScheduleUploads(
  tx: Tx,
  organizationId: string,
  scheduleId: string,
  uploadIds: readonly string[],
): Promise<boolean> {
  const ids = [...new Set(uploadIds)];
  if (ids.length === 0) return true;
  const { rowCount } = await tx.query(
    `WITH held AS (
       SELECT id FROM uploads WHERE organization_id = $1 AND id = ANY($3) AND ${IS_KEPT} ORDER BY id FOR UPDATE
     ), kept AS (
       UPDATE uploads SET expires_at = NULL FROM held WHERE uploads.id = held.id RETURNING uploads.id
     )
     INSERT INTO schedule_uploads (organization_id, schedule_id, upload_id) SELECT $1, $2, id FROM kept`,
    [organizationId, scheduleId, ids],
  );
  return rowCount === ids.length;
}

/** A schedule names no uploads any more; what nothing else names goes after a day, as if it had just been received. */
export async function releaseScheduleUploads(
  tx: Tx,
  organizationId: string,
  scheduleId: string,
): Promise<void> {
  await tx.query(
    `WITH released AS (
       DELETE FROM schedule_uploads WHERE organization_id = $1 AND schedule_id = $2 RETURNING upload_id
     ), held AS (
       SELECT id FROM uploads WHERE organization_id = $1 AND id IN (SELECT upload_id FROM released) ORDER BY id FOR UPDATE
     )
     UPDATE uploads SET expires_at = now() + make_interval(hours => $3) FROM held WHERE uploads.id = held.id`,
    [organizationId, scheduleId, UNUSED_HOURS],
  );
}

export interface PrunedUploads {
  /** Rows that were looked at: what a full batch is told by */
  readonly seen: number;
  readonly uploads: number;
}

/**
 * Looks at uploads whose time has come, at most `limit`: those that something names stay as long as it does, the
 * others go, and the removal of their bytes is written down with it.
 */
export async function pruneUploads(sql: Sql, limit: number): Promise<PrunedUploads> {
  const { rows } = await sql.query<{ seen: number; uploads: number }>(
    `WITH due AS MATERIALIZED (
       SELECT id, organization_id FROM uploads
       WHERE expires_at < now() AND (received_at IS NOT NULL OR expires_at < now() - ${PUT_GRACE})
       ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
     ), judged AS MATERIALIZED (
       SELECT due.id, ${isNamed('due')} AS used FROM due
     ), kept AS (
       UPDATE uploads SET expires_at = NULL FROM judged WHERE uploads.id = judged.id AND used
     ), gone AS (
       DELETE FROM uploads USING judged WHERE uploads.id = judged.id AND NOT used
       RETURNING received_at, storage_key
     ), bytes AS (
       INSERT INTO storage_removals (storage_key) SELECT DISTINCT storage_key FROM gone WHERE received_at IS NOT NULL
       ON CONFLICT (storage_key) DO UPDATE SET due_at = excluded.due_at
     )
     SELECT (SELECT count(*)::int FROM judged) AS seen, (SELECT count(*)::int FROM gone) AS uploads`,
    [limit],
  );
  return rows[0] ?? { seen: 0, uploads: 0 };
}
