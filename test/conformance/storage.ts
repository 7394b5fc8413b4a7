import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { StorageMissingError, StorageTooLargeError, type Storage } from '../../src/storage/storage.ts';

/** What an adapter brings, so that the suite can look behind it. */
export interface StorageHarness {
  readonly storage: Storage;
  /** Everything that lies there, unfinished writes too */
  readonly objects: () => Promise<number>;
  close(): Promise<void>;
}

const MEGABYTE = 1024 * 1024;
const newKey = (): string => `${randomUUID()}/uploads/${randomUUID()}`;
const never = (): AbortSignal => new AbortController().signal;
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

function inChunks(bytes: Buffer, size = 64 * 1024): Readable {
  const count = Math.ceil(bytes.byteLength / size);
  return Readable.from(
    Array.from({ length: count }, (_, index) => bytes.subarray(index * size, (index + 1) * size)),
  );
}

/** A body that calls `reached` after its first chunks and then gives nothing more. */
function hangingBody(reached: () => void): Readable {
  let chunks = 0;
  return new Readable({
    read() {
      chunks += 1;
      if (chunks <= 4) this.push(randomBytes(1024));
      else reached();
    },
  });
}

export function storageConformance(name: string, createHarness: () => Promise<StorageHarness>): void {
  describe(`storage in ${name}`, () => {
    const withStorage = async (run: (harness: StorageHarness) => Promise<void>): Promise<void> => {
      const harness = await createHarness();
      try {
        await run(harness);
      } finally {
        await harness.close();
      }
    };
    const put = (storage: Storage, key: string, bytes: Buffer, maxBytes = 10 * MEGABYTE) =>
      storage.put(key, inChunks(bytes), { maxBytes, signal: never() });

    test('gives back what was put, and says how long it is and what its hash is', () =>
      withStorage(async ({ storage }) => {
        const [key, bytes] = [newKey(), randomBytes(3 * MEGABYTE + 17)];
        expect(await put(storage, key, bytes)).toEqual({ byteSize: bytes.byteLength, sha256: sha256(bytes) });
        const { body, byteSize } = await storage.get(key, { signal: never() });
        expect(byteSize).toBe(bytes.byteLength);
        expect((await buffer(body)).equals(bytes)).toBe(true);
      }));

    test('keeps an empty file', () =>
      withStorage(async ({ storage }) => {
        const key = newKey();
        expect(await put(storage, key, Buffer.alloc(0))).toEqual({
          byteSize: 0,
          sha256: sha256(Buffer.alloc(0)),
        });
        const { body, byteSize } = await storage.get(key, { signal: never() });
        expect([byteSize, (await buffer(body)).byteLength]).toEqual([0, 0]);
      }));

    test('says that nothing is there before the first read', () =>
      withStorage(async ({ storage }) => {
        await expect(storage.get(newKey(), { signal: never() })).rejects.toThrow(StorageMissingError);
      }));

    test('removes, also what is not there', () =>
      withStorage(async ({ storage, objects }) => {
        const key = newKey();
        await put(storage, key, Buffer.from('x'));
        await storage.remove(key);
        await storage.remove(key);
        await expect(storage.get(key, { signal: never() })).rejects.toThrow(StorageMissingError);
        expect(await objects()).toBe(0);
      }));

    test('takes a file of exactly the limit and stops one byte later, while it streams', () =>
      withStorage(async ({ storage, objects }) => {
        const key = newKey();
        await expect(put(storage, key, randomBytes(MEGABYTE), MEGABYTE - 1)).rejects.toThrow(
          StorageTooLargeError,
        );
        const endless = new Readable({
          read() {
            this.push(randomBytes(64 * 1024));
          },
        });
        await expect(storage.put(key, endless, { maxBytes: MEGABYTE, signal: never() })).rejects.toThrow(
          StorageTooLargeError,
        );
        expect(endless.destroyed).toBe(true);
        expect(await objects()).toBe(0);
        expect((await put(storage, key, randomBytes(MEGABYTE), MEGABYTE)).byteSize).toBe(MEGABYTE);
      }));

    test('stores nothing of a write that is aborted, whose body breaks or whose signal had fired before', () =>
      withStorage(async ({ storage, objects }) => {
        const [key, aborting] = [newKey(), new AbortController()];
        const body = hangingBody(() => aborting.abort(new Error('the caller left')));
        await expect(
          storage.put(key, body, { maxBytes: MEGABYTE, signal: aborting.signal }),
        ).rejects.toThrow();
        const broken: Readable = hangingBody(() => broken.destroy(new Error('the source broke')));
        await expect(storage.put(key, broken, { maxBytes: MEGABYTE, signal: never() })).rejects.toThrow(
          'the source broke',
        );
        const late = { maxBytes: MEGABYTE, signal: AbortSignal.abort(new Error('too late')) };
        await expect(storage.put(key, inChunks(Buffer.from('x')), late)).rejects.toThrow('too late');
        await expect(storage.get(key, { signal: never() })).rejects.toThrow(StorageMissingError);
        expect(await objects()).toBe(0);
      }));

    test('shows the old file or the new one while it is replaced, never a part', () =>
      withStorage(async ({ storage }) => {
        const key = newKey();
        const versions = [randomBytes(2 * MEGABYTE), randomBytes(MEGABYTE)];
        const hashes = versions.map(sha256);
        await put(storage, key, versions[0] ?? Buffer.alloc(0));
        const replacing = (async () => {
          for (let round = 0; round < 10; round += 1)
            await put(storage, key, versions[round % 2] ?? Buffer.alloc(0));
        })();
        for (let round = 0; round < 20; round += 1) {
          const { body } = await storage.get(key, { signal: never() });
          expect(hashes).toContain(sha256(await buffer(body)));
        }
        await replacing;
      }));

    test('stops a read whose signal fires', () =>
      withStorage(async ({ storage }) => {
        const [key, aborting] = [newKey(), new AbortController()];
        await put(storage, key, randomBytes(MEGABYTE));
        const { body } = await storage.get(key, { signal: aborting.signal });
        aborting.abort();
        await expect(buffer(body)).rejects.toThrow();
      }));

    test.each([
      '../../etc/passwd',
      `${randomUUID()}/uploads/../../${randomUUID()}`,
      `/${newKey()}`,
      `${newKey()}/more`,
      `${newKey()}\n`,
      newKey().toUpperCase(),
      `${randomUUID()}/Up loads/${randomUUID()}`,
      '',
    ])('refuses a key that is none of ours: %j', (key) =>
      withStorage(async ({ storage }) => {
        const options = { maxBytes: 10, signal: never() };
        await expect((async () => storage.put(key, inChunks(Buffer.from('x')), options))()).rejects.toThrow(
          'storage key',
        );
        await expect((async () => storage.get(key, options))()).rejects.toThrow('storage key');
        await expect((async () => storage.remove(key))()).rejects.toThrow('storage key');
      }),
    );
  });
}
