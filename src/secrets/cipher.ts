import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { MasterSecret } from './master-secret.ts';

const ALGORITHM = 'aes-256-gcm';
const VERSION = 'v1';
/** Random, 96 bits: safe for some billion secrets under one key */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Id of the key that is derived from the master secret */
export const DERIVED_KEY_ID = 'master';

/** Where a secret is stored. A ciphertext that is copied elsewhere cannot be read there. */
export interface SecretPlace {
  readonly table: string;
  readonly column: string;
  /** uuid */
  readonly rowId: string;
}

/** A key of the ring: 32 bytes under a name that stands in what it encrypted. */
export interface EncryptionKey {
  readonly id: string;
  readonly key: Buffer;
}

/** Encrypts what an installation keeps for others: signing secrets, credentials, tokens. */
export interface SecretCipher {
  /** `v1.<key id>.<nonce, text and tag as base64url>` */
  encrypt(secret: string, place: SecretPlace): string;
  /** @throws SecretUnreadableError when the key is gone, or the text is another place's or was changed */
  decrypt(ciphertext: string, place: SecretPlace): string;
  /** What begins like this was encrypted under the current key. */
  readonly currentPrefix: string;
}

export class SecretUnreadableError extends Error {
  override readonly name = 'SecretUnreadableError';
}

/**
 * The first key encrypts, every key decrypts: a key is replaced by putting a new one before it, and dropped when all is
 * encrypted anew. The key from the master secret is always in the ring, at its end when others are configured.
 */
export function openCipher(master: MasterSecret, configured: readonly EncryptionKey[]): SecretCipher {
  const derived = { id: DERIVED_KEY_ID, key: master.deriveKey('encryption') };
  const current = configured[0] ?? derived;
  const ring = new Map([derived, ...configured].map(({ id, key }) => [id, key]));
  const currentPrefix = `${VERSION}.${current.id}.`;
  return {
    currentPrefix,
    encrypt(secret, place) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(ALGORITHM, current.key, nonce).setAAD(boundTo(place, current.id));
      const sealed = Buffer.concat([
        nonce,
        cipher.update(secret, 'utf8'),
        cipher.final(),
        cipher.getAuthTag(),
      ]);
      return currentPrefix + sealed.toString('base64url');
    },
    decrypt(ciphertext, place) {
      const [version, keyId = '', sealed = ''] = ciphertext.split('.');
      if (version !== VERSION) throw unreadable(place, 'it has another format');
      const key = ring.get(keyId);
      if (!key) throw unreadable(place, `its key "${keyId}" is not configured`);
      return open(Buffer.from(sealed, 'base64url'), key, place, keyId);
    },
  };
}

function open(sealed: Buffer, key: Buffer, place: SecretPlace, keyId: string): string {
  if (sealed.byteLength < NONCE_BYTES + TAG_BYTES) throw unreadable(place, 'it is too short');
  const nonce = sealed.subarray(0, NONCE_BYTES);
  const text = sealed.subarray(NONCE_BYTES, -TAG_BYTES);
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(boundTo(place, keyId)).setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(text), decipher.final()]).toString('utf8');
  } catch (error) {
    throw unreadable(place, 'it was encrypted for another place or by another key', error);
  }
}

/** Authenticated with the text and stored nowhere. */
function boundTo({ table, column, rowId }: SecretPlace, keyId: string): Buffer {
  return Buffer.from(JSON.stringify([VERSION, keyId, table, column, rowId]));
}

function unreadable({ table, column, rowId }: SecretPlace, why: string, cause?: unknown): Error {
  return new SecretUnreadableError(`${table}.${column} of ${rowId} cannot be decrypted: ${why}`, { cause });
}
