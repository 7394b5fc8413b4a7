import { z } from 'zod';
import type { Sql } from './db.ts';

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
  expiresAt: z.date(),
});

/** A place to PUT a file to. Until `receivedAt` there is nothing under `storageKey`. */
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

/** The one use of an upload. @returns false when it was used before */
export async function markUploadReceived(
  sql: Sql,
  organizationId: string,
  id: string,
  { byteSize, sha256, storageKey }: ReceivedUpload,
): Promise<boolean> {
  const { rowCount } = await sql.query(
    `UPDATE uploads SET byte_size = $3, sha256 = $4, storage_key = $5, received_at = now()
      WHERE organization_id = $1 AND id = $2 AND received_at IS NULL`,
    [organizationId, id, byteSize, sha256, storageKey],
  );
  return rowCount === 1;
}

/** Forgets uploads that expired unused, at most `limit`. @returns how many */
export async function deleteUnusedUploads(sql: Sql, limit: number): Promise<number> {
  const { rowCount } = await sql.query(
    `DELETE FROM uploads
      WHERE id IN (SELECT id FROM uploads WHERE received_at IS NULL AND expires_at < now() - interval '1 hour'
                   ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)`,
    [limit],
  );
  return rowCount ?? 0;
}
