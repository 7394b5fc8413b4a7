import { hkdfSync, randomBytes, randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

const KEY_BYTES = 32;
const FILE_NAME = 'secret';
/** 48 random bytes as base64url */
const FILE_CONTENT = /^[\w-]{64}$/;

/** The one secret of an installation. It signs and encrypts nothing itself: each purpose has a key of its own. */
export interface MasterSecret {
  /** 32 bytes by HKDF-SHA-256 (RFC 5869); always the same for a purpose, and no purpose's key tells of another's */
  deriveKey(purpose: string): Buffer;
}

export function createMasterSecret(secret: string): MasterSecret {
  return { deriveKey: (purpose) => Buffer.from(hkdfSync('sha256', secret, 'millrace', purpose, KEY_BYTES)) };
}

export interface LoadSecretOptions {
  /** From the configuration; null: the data folder's own */
  readonly secret: string | null;
  readonly dataDir: string;
}

/** The configured secret, else the one in `<dataDir>/secret`, which is made once: processes that start together agree. */
export async function loadMasterSecret({ secret, dataDir }: LoadSecretOptions): Promise<MasterSecret> {
  return createMasterSecret(secret ?? (await keptSecret(dataDir)));
}

async function keptSecret(dataDir: string): Promise<string> {
  const path = join(dataDir, FILE_NAME);
  const kept = (await readIfThere(path)) ?? (await make(dataDir, path));
  if (!FILE_CONTENT.test(kept)) {
    throw new Error(
      `${path}: expected the 64 characters that Millrace wrote there; remove it to get new ones, which ends all signed URLs`,
    );
  }
  return kept;
}

/** Written whole beside its place, then linked: a link, unlike a rename, never replaces what another process made. */
async function make(dataDir: string, path: string): Promise<string> {
  await mkdir(dataDir, { recursive: true });
  const temporary = join(dataDir, `.${FILE_NAME}-${randomUUID()}`);
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(randomBytes(48).toString('base64url'));
      await file.sync();
    } finally {
      await file.close();
    }
    await link(temporary, path).catch((error: unknown) => {
      if (!hasCode(error, 'EEXIST')) throw error;
    });
  } finally {
    await rm(temporary, { force: true });
  }
  return readFile(path, 'utf8');
}

async function readIfThere(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  });
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
