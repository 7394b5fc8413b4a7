import { createHash, randomUUID, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isStorageKey } from '../domain/storage-key.ts';
import {
  StorageMissingError,
  StorageTooLargeError,
  type PutOptions,
  type Storage,
  type StoredObject,
} from './storage.ts';

const TEMPORARY = '.tmp';
/** A temporary file that nobody wrote to for so long was left by a process that died. */
const ABANDONED_MS = 24 * 60 * 60_000;

export interface LocalStorageOptions {
  /** Made when absent */
  readonly directory: string;
}

/** Files in a folder. A file is written beside its place, synced to disk and renamed: it is whole or absent. */
export function createLocalStorage({ directory }: LocalStorageOptions): Storage {
  const pathOf = (key: string): string => {
    if (!isStorageKey(key)) throw new TypeError(`${JSON.stringify(key)} is no storage key`);
    return join(directory, key);
  };
  const temporary = join(directory, TEMPORARY);
  let prepared: Promise<void> | null = null;
  return {
    async put(key, body, options) {
      const path = pathOf(key);
      await (prepared ??= prepare(temporary).catch((error: unknown) => {
        prepared = null;
        throw error;
      }));
      return writeWhole(path, join(temporary, randomUUID()), body, options);
    },
    get: (key, { signal }) => openFile(key, pathOf(key), signal),
    async remove(key) {
      await rm(pathOf(key), { force: true });
    },
  };
}

async function prepare(temporary: string): Promise<void> {
  await mkdir(temporary, { recursive: true, mode: 0o700 });
  const before = Date.now() - ABANDONED_MS;
  for (const name of await readdir(temporary)) {
    const path = join(temporary, name);
    // Another process may be sweeping too.
    const modified = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => Number.POSITIVE_INFINITY,
    );
    if (modified < before) await rm(path, { force: true });
  }
}

async function writeWhole(
  path: string,
  temporary: string,
  body: Readable,
  options: PutOptions,
): Promise<StoredObject> {
  options.signal.throwIfAborted();
  const meter = new Meter(options.maxBytes);
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await pipeline(body, meter, file.createWriteStream({ flush: true }), { signal: options.signal });
    } finally {
      // The stream closes it, but not where it is aborted before it began to write.
      await file.close();
    }
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
  return { byteSize: meter.byteSize, sha256: meter.digest() };
}

/** The new name, too, is to survive a power cut. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function openFile(
  key: string,
  path: string,
  signal: AbortSignal,
): Promise<{ body: Readable; byteSize: number }> {
  signal.throwIfAborted();
  const file = await open(path, 'r').catch((error: unknown) => {
    throw isMissing(error) ? new StorageMissingError(key) : error;
  });
  try {
    const { size } = await file.stat();
    return { body: file.createReadStream({ signal }), byteSize: size };
  } catch (error) {
    await file.close();
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/** Counts and hashes what flows through, and stops it at the limit. */
class Meter extends Transform {
  readonly #maxBytes: number;
  readonly #hash: Hash = createHash('sha256');
  byteSize = 0;

  constructor(maxBytes: number) {
    super();
    this.#maxBytes = maxBytes;
  }

  override _transform(
    chunk: Buffer,
    _encoding: BufferEncoding,
    done: (error: Error | null, data?: Buffer) => void,
  ): void {
    this.byteSize += chunk.byteLength;
    if (this.byteSize > this.#maxBytes) {
      done(new StorageTooLargeError(this.#maxBytes));
      return;
    }
    this.#hash.update(chunk);
    done(null, chunk);
  }

  digest(): string {
    return this.#hash.digest('hex');
  }
}
