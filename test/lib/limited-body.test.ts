import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { safeFetch, type SafeRequest, type SafeResponse } from '../../src/lib/safe-fetch.ts';
import { closeForeignServers, endlessly, listen } from '../support/foreign-server.ts';

afterEach(closeForeignServers);

const BODY_BYTES_MAX = 1_000;

function ask(port: number, more: Partial<SafeRequest> = {}): Promise<SafeResponse> {
  const limits = { timeoutMs: 5_000, bodyBytesMax: BODY_BYTES_MAX };
  const request = { url: `http://127.0.0.1:${port}/`, method: 'GET', ...limits, ...more } as const;
  return safeFetch(request, { allowPrivateAddresses: true, requireHttps: false });
}

describe('a packed answer', () => {
  const packed = (encoding: string, bytes: Buffer): Promise<number> =>
    listen((_req, res) => res.writeHead(200, { 'content-encoding': encoding }).end(bytes));
  const unpack = { unpack: true } as const;

  test.each<[string, (bytes: Buffer) => Buffer]>([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['GZIP', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['identity', (bytes) => bytes],
  ])('by %s is unpacked where that was asked for', async (encoding, pack) => {
    const port = await packed(encoding, pack(Buffer.from('grüße')));
    const answer = await ask(port, unpack);
    expect(answer).toMatchObject({ status: 200, truncated: false });
    expect(answer.body.toString()).toBe('grüße');
  });

  test('is asked for where it can be unpacked, and else not', async () => {
    const port = await listen((req, res) => res.end(req.headers['accept-encoding']));
    const asked = [await ask(port), await ask(port, unpack)].map(({ body }) => body.toString());
    expect(asked).toEqual(['identity', 'gzip, deflate, br']);
  });

  test('is taken as it comes where nobody asked for it', async () => {
    const bytes = gzipSync('x');
    const port = await packed('gzip', bytes);
    expect((await ask(port)).body).toEqual(bytes);
  });

  const zeros = Buffer.alloc(64 * 1024 * 1024);
  test.each([
    ['gzip', gzipSync(zeros, { level: 9 })],
    ['deflate', deflateSync(zeros, { level: 9 })],
    ['br', brotliCompressSync(zeros, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } })],
  ])(
    'that would unpack to a thousand times as much (%s) is unpacked up to the limit',
    async (encoding, bomb) => {
      expect(bomb.byteLength * 900).toBeLessThan(zeros.byteLength);
      const port = await packed(encoding, bomb);
      const before = process.memoryUsage().arrayBuffers;
      const answer = await ask(port, unpack);
      expect(answer.truncated).toBe(true);
      expect(answer.body.byteLength).toBe(1_000);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(zeros.byteLength / 4);
    },
  );

  test('that endlessly unpacks to nothing is given up', async () => {
    const nothing = gzipSync('');
    const port = await listen((_req, res) => {
      res.writeHead(200, { 'content-encoding': 'gzip' });
      endlessly(res, Buffer.concat(new Array<Buffer>(1_000).fill(nothing)));
    });
    const given = ask(port, unpack);
    await expect(given).rejects.toThrow(/packed bytes/);
  });

  test.each([
    ['that is cut off', 'gzip', gzipSync('x'.repeat(500)).subarray(0, 20)],
    ['that is not what it says', 'gzip', Buffer.from('plain text')],
    ['in a packing that nobody asked for', 'zstd', Buffer.from('x')],
    ['that is packed twice', 'gzip, gzip', gzipSync(gzipSync('x'))],
  ])('%s is an error', async (_what, encoding, bytes) => {
    const port = await packed(encoding, bytes);
    await expect(ask(port, unpack)).rejects.toThrow();
  });

  test.each([
    ['to HEAD', 'HEAD', 200],
    ['that has no content', 'GET', 204],
  ] as const)('%s has no body to unpack', async (_what, method, status) => {
    const port = await listen((_req, res) => res.writeHead(status, { 'content-encoding': 'gzip' }).end());
    const answer = await ask(port, { ...unpack, method });
    expect(answer).toMatchObject({ status, truncated: false, body: Buffer.alloc(0) });
  });
});
