import { CONNECTION_SECRETS } from './connections.ts';
import type { Database } from './db.ts';
import { ENDPOINT_SECRETS } from './webhook-endpoints.ts';

/** A column of secrets; its table has a uuid `id`. */
interface EncryptedColumn {
  readonly table: string;
  readonly column: string;
}

/** Every column that holds secrets, one line each: what is missing here is not encrypted anew. */
const ENCRYPTED_COLUMNS: readonly EncryptedColumn[] = [
  { table: ENDPOINT_SECRETS.table, column: ENDPOINT_SECRETS.current },
  { table: ENDPOINT_SECRETS.table, column: ENDPOINT_SECRETS.previous },
  { table: CONNECTION_SECRETS.table, column: CONNECTION_SECRETS.credentials },
  { table: CONNECTION_SECRETS.table, column: CONNECTION_SECRETS.webhookSecret },
];

const BATCH = 500;

/** As the cipher of src/secrets is. */
interface Reencryption {
  readonly currentPrefix: string;
  encrypt(secret: string, place: EncryptedColumn & { readonly rowId: string }): string;
  decrypt(ciphertext: string, place: EncryptedColumn & { readonly rowId: string }): string;
}

/**
 * Encrypts under the current key whatever another key encrypted, in batches; safe beside running processes and when it
 * is run twice. Afterwards the older keys can go. @returns how many secrets. @throws when one cannot be read
 */
export async function reencryptSecrets(db: Database, cipher: Reencryption): Promise<number> {
  let total = 0;
  for (const column of ENCRYPTED_COLUMNS) total += await reencryptColumn(db, cipher, column);
  return total;
}

async function reencryptColumn(db: Database, cipher: Reencryption, place: EncryptedColumn): Promise<number> {
  const { table, column } = place;
  let total = 0;
  let after: string | null = null;
  for (;;) {
    const { rows }: { rows: { id: string; old: string }[] } = await db.query(
      `SELECT id, ${column} AS old FROM ${table}
       WHERE ${column} IS NOT NULL AND NOT starts_with(${column}, $1) AND ($2::uuid IS NULL OR id > $2)
       ORDER BY id LIMIT ${BATCH}`,
      [cipher.currentPrefix, after],
    );
    const fresh = rows.map(({ id, old }) => {
      const at = { ...place, rowId: id };
      return { id, old, fresh: cipher.encrypt(cipher.decrypt(old, at), at) };
    });
    // A secret that was replaced meanwhile stays as it is.
    const { rowCount } = await db.query(
      `UPDATE ${table} SET ${column} = given.fresh
       FROM jsonb_to_recordset($1::jsonb) AS given (id uuid, old text, fresh text)
       WHERE ${table}.id = given.id AND ${table}.${column} = given.old`,
      [JSON.stringify(fresh)],
    );
    total += rowCount ?? 0;
    after = rows.at(-1)?.id ?? null;
    if (rows.length < BATCH) return total;
  }
}
