import type { Readable } from 'node:stream';

export interface StoredObject {
  readonly byteSize: number;
  /** Lower-case hex */
  readonly sha256: string;
}

export interface PutOptions {
  /** More than this many bytes: the write stops with StorageTooLargeError and nothing is stored */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

export class StorageTooLargeError extends Error {
  override readonly name = 'StorageTooLargeError';
  readonly maxBytes: number;
  constructor(maxBytes: number) {
    super(`more than ${maxBytes} bytes`);
    this.maxBytes = maxBytes;
  }
}

export class StorageMissingError extends Error {
  override readonly name = 'StorageMissingError';
  constructor(key: string) {
    super(`nothing is stored under ${key}`);
  }
}

/**
 * Where files live. Keys are ours (`<organization>/<noun>/<uuid>`), never a caller's: an adapter refuses any other.
 * A write is whole or absent: readers never see half a file.
 */
export interface Storage {
  put(key: string, body: Readable, options: PutOptions): Promise<StoredObject>;
  /** @throws StorageMissingError at once, not on first read */
  get(key: string, options: { signal: AbortSignal }): Promise<{ body: Readable; byteSize: number }>;
  /** Removing what is not there is no error. */
  remove(key: string): Promise<void>;
}
