import { createHash, randomBytes } from 'node:crypto';
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { newUuid, toPublicId } from '../../src/domain/ids.ts';
import { findUpload, pruneUploads } from '../../src/repositories/uploads.ts';
import { uploadUrl } from '../../src/secrets/index.ts';
import { createOrganization } from '../support/organization.ts';
import { waitFor } from '../support/wait.ts';
import { HOUR_MS, startFileServer, UPLOAD_BYTES_MAX, type FileServer } from './file-server.ts';

const refusal = z.object({ code: z.string(), message: z.string() });
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

let server: FileServer;
let storedBefore: number;
beforeAll(async () => {
  server = await startFileServer();
});
beforeEach(async () => {
  const { rows } = await server.db.query<{ received: number }>(
    'SELECT count(*)::int AS received FROM uploads WHERE received_at IS NOT NULL',
  );
  storedBefore = rows[0]?.received ?? 0;
  // What an earlier test cut off goes a moment after it was told so.
  await waitFor(async () => (await server.stored()) === storedBefore);
});
afterAll(() => server.close());

async function put(url: string, body: Buffer | string): Promise<{ status: number; body: unknown }> {
  const response = await fetch(url, { method: 'PUT', body: new Uint8Array(Buffer.from(body)) });
  return { status: response.status, body: await response.json() };
}

/** A PUT whose body the test sends piece by piece. */
function open(url: string, headers: Record<string, string | number> = {}): ClientRequest {
  const sending = request(url, { method: 'PUT', headers });
  sending.on('error', () => undefined);
  return sending;
}

async function answerTo(sending: ClientRequest): Promise<{ status: number | undefined; body: unknown }> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    sending.once('response', resolve);
    sending.once('error', reject);
  });
  return { status: response.statusCode, body: await json(response) };
}

const newlyStored = async (): Promise<number> => (await server.stored()) - storedBefore;

describe('PUT of an upload', () => {
  test('stores the bytes and answers with their number and hash', async () => {
    const bytes = randomBytes(300_000);
    const { upload, url } = await server.upload({ declaredBytes: bytes.byteLength });
    const facts = { byteSize: bytes.byteLength, sha256: sha256(bytes) };
    expect(await put(url, bytes)).toEqual({
      status: 201,
      body: { id: toPublicId('upload', upload.id), ...facts },
    });
    const received = await findUpload(server.db, server.organizationId, upload.id);
    expect(received).toMatchObject(facts);
    expect(received?.receivedAt).toBeInstanceOf(Date);
    const { body, byteSize } = await server.storage.get(received?.storageKey ?? '', {
      signal: new AbortController().signal,
    });
    body.destroy();
    expect(byteSize).toBe(bytes.byteLength);
  });

  test('takes a body of unknown length', async () => {
    const { url } = await server.upload();
    const sending = open(url, { 'Transfer-Encoding': 'chunked' });
    sending.write('one,');
    sending.end('two');
    expect(await answerTo(sending)).toMatchObject({ status: 201, body: { byteSize: 7 } });
  });

  test('works once: a replay changes nothing', async () => {
    const { upload, url } = await server.upload();
    await put(url, 'first');
    const replay = await put(url, 'other');
    expect(replay.status).toBe(409);
    expect(refusal.parse(replay.body).code).toBe('CONFLICT');
    expect((await findUpload(server.db, server.organizationId, upload.id))?.sha256).toBe(
      sha256(Buffer.from('first')),
    );
    expect(await newlyStored()).toBe(1);
  });

  test('works once under ten at the same time, and keeps the bytes of the one that won', async () => {
    const { upload, url } = await server.upload();
    const bodies = Array.from({ length: 10 }, (_, index) => Buffer.from(`body ${index}`));
    const answers = await Promise.all(bodies.map((body) => put(url, body)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...new Array<number>(9).fill(409)]);
    const won = bodies[answers.findIndex(({ status }) => status === 201)] ?? Buffer.alloc(0);
    const received = await findUpload(server.db, server.organizationId, upload.id);
    expect(received?.sha256).toBe(sha256(won));
    const { body } = await server.storage.get(received?.storageKey ?? '', {
      signal: new AbortController().signal,
    });
    expect(Buffer.concat(await body.toArray())).toEqual(won);
    expect(await newlyStored()).toBe(1);
  });

  test('is refused before its first byte when it is announced as too large', async () => {
    const { url } = await server.upload();
    const sending = open(url, { 'Content-Length': UPLOAD_BYTES_MAX + 1 });
    sending.flushHeaders();
    const answer = await answerTo(sending);
    sending.destroy();
    expect(answer.status).toBe(413);
    expect(refusal.parse(answer.body)).toEqual({
      code: 'TOO_LARGE',
      message: `A file may have at most ${UPLOAD_BYTES_MAX} bytes.`,
    });
    expect(await newlyStored()).toBe(0);
  });

  test('is stopped where an unannounced body passes the limit, and the client can read why', async () => {
    const { upload, url } = await server.upload();
    const sending = open(url, { 'Transfer-Encoding': 'chunked' });
    const chunk = randomBytes(64 * 1024);
    const pump = setInterval(() => sending.write(chunk), 1);
    const answer = await answerTo(sending).finally(() => clearInterval(pump));
    sending.destroy();
    expect(answer.status).toBe(413);
    expect(refusal.parse(answer.body).code).toBe('TOO_LARGE');
    expect(await newlyStored()).toBe(0);
    expect((await findUpload(server.db, server.organizationId, upload.id))?.receivedAt).toBeNull();
  });

  test.each([
    ['fewer', 9],
    ['more', 11],
  ])('is refused when %s bytes come than were announced', async (_, count) => {
    const { upload, url } = await server.upload({ declaredBytes: 10 });
    const announced = await put(url, Buffer.alloc(count));
    expect(announced.status).toBe(400);
    expect(refusal.parse(announced.body).message).toContain('Expected the 10 bytes');
    const sending = open(url, { 'Transfer-Encoding': 'chunked' });
    sending.end(Buffer.alloc(count));
    expect((await answerTo(sending)).status).toBe(400);
    expect(await newlyStored()).toBe(0);
    expect((await put(url, Buffer.alloc(10))).status).toBe(201);
    expect((await findUpload(server.db, server.organizationId, upload.id))?.byteSize).toBe(10);
  });

  test('leaves nothing when the client breaks off, and can be tried again', async () => {
    const { url } = await server.upload({ declaredBytes: 100_000 });
    const sending = open(url, { 'Content-Length': 100_000 });
    sending.write(Buffer.alloc(50_000));
    await waitFor(async () => (await newlyStored()) === 1);
    sending.destroy();
    await waitFor(async () => (await newlyStored()) === 0);
    expect((await put(url, Buffer.alloc(100_000))).status).toBe(201);
  });

  test('is given up when no byte comes', async () => {
    const { url } = await server.upload();
    const sending = open(url, { 'Content-Length': 1_000 });
    sending.write('some');
    const answer = await answerTo(sending);
    sending.destroy();
    expect(answer.status).toBe(408);
    expect(await newlyStored()).toBe(0);
  });

  test('is refused with any part of its URL changed, and says nothing of the upload', async () => {
    const [{ url }, other] = [await server.upload(), await server.upload()];
    const { origin, pathname, searchParams, search } = new URL(url);
    const changed = [...searchParams].flatMap(([name, value]) => {
      const last = value.at(-1) === '0' ? '1' : '0';
      return [value.slice(0, -1) + last, `${value}0`, value.toUpperCase(), '', null].map((given) => {
        const query = new URLSearchParams(searchParams);
        if (given === null) query.delete(name);
        else query.set(name, given);
        return `${origin}${pathname}?${query.toString()}`;
      });
    });
    const bad = [
      ...changed.filter((one) => one !== url),
      `${origin}${pathname}`,
      `${origin}${new URL(other.url).pathname}${search}`,
      `${origin}${pathname.toUpperCase().replace('/UPLOADS', '/uploads')}${search}`,
      `${origin}${pathname.replace('_', '%5F')}${search}`,
      `${url}&x=1`,
      `${url}&expires=99999999999`,
      `${origin}${pathname}?expires=99999999999&${search.slice(1)}`,
    ];
    for (const one of bad) {
      const answer = await put(one, 'x');
      expect([one, answer.status, refusal.parse(answer.body).code]).toEqual([one, 403, 'INVALID_SIGNATURE']);
    }
    expect(await newlyStored()).toBe(0);
    expect((await put(url, 'x')).status).toBe(201);
  });

  /** Bytes as no client library would send them. @returns what came back until the server closed, or said enough */
  const sendRaw = async (head: readonly string[], body: string, url: string): Promise<string> => {
    const { pathname, search, hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    const lines = [`PUT ${pathname}${search} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...head];
    socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    return answer;
  };

  test.each([
    ['a length that more is announced with than comes', ['Content-Length: 10'], 'short'],
    ['a length and chunks', ['Content-Length: 5', 'Transfer-Encoding: chunked'], '5\r\nshort\r\n0\r\n\r\n'],
    ['two lengths', ['Content-Length: 5', 'Content-Length: 6'], 'short'],
    ['a length that is no number', ['Content-Length: 0x5'], 'short'],
    ['a chunk that is longer than it says', ['Transfer-Encoding: chunked'], '2\r\nshort\r\n0\r\n\r\n'],
    ['chunks without an end', ['Transfer-Encoding: chunked'], '5\r\nshort\r\n'],
  ])('with %s stores nothing, and can be tried again', async (_what, head, body) => {
    const { url } = await server.upload();
    expect(await sendRaw(head, body, url)).not.toMatch(/^HTTP\/1.1 2/);
    await waitFor(async () => (await newlyStored()) === 0);
    expect((await put(url, 'whole')).status).toBe(201);
  });

  test('with more bytes than its length says stores none beyond it', async () => {
    const { url, upload } = await server.upload();
    await sendRaw(['Content-Length: 5'], 'whole and more', url);
    // Whether the first five count depends on whether they were heard before the rest was refused.
    await put(url, 'again');
    expect((await findUpload(server.db, server.organizationId, upload.id))?.byteSize).toBe(5);
  });

  test('whose length is over the limit only in its chunks is stopped there, and can be tried again', async () => {
    const { url } = await server.upload();
    const sending = open(url, { 'Transfer-Encoding': 'chunked' });
    sending.end(Buffer.alloc(UPLOAD_BYTES_MAX + 1));
    expect((await answerTo(sending)).status).toBe(413);
    sending.destroy();
    expect(await newlyStored()).toBe(0);
    expect((await put(url, Buffer.alloc(UPLOAD_BYTES_MAX))).status).toBe(201);
  });

  test('of which two are under way: the one that ends first wins, the other is told so', async () => {
    const { url, upload } = await server.upload();
    const slow = open(url, { 'Content-Length': 10 });
    slow.write('slow ');
    await waitFor(async () => (await newlyStored()) === 1);
    expect((await put(url, 'quick')).status).toBe(201);
    slow.end('slow ');
    const late = await answerTo(slow);
    expect([late.status, refusal.parse(late.body).code]).toEqual([409, 'CONFLICT']);
    expect((await findUpload(server.db, server.organizationId, upload.id))?.sha256).toBe(
      sha256(Buffer.from('quick')),
    );
    await waitFor(async () => (await newlyStored()) === 1);
  });

  test.each(['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'])('is the only way: %s is refused', async (method) => {
    const { url } = await server.upload();
    const response = await fetch(url, { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'PUT, OPTIONS']);
    if (method !== 'HEAD') expect(refusal.parse(await response.json()).code).toBe('METHOD_NOT_ALLOWED');
    expect((await put(url, 'x')).status).toBe(201);
  });

  test('is refused once expired, with words that say so', async () => {
    const past = new Date(Date.now() - HOUR_MS);
    const { url } = await server.upload({ expiresAt: past });
    const answer = await put(url, 'x');
    expect(answer.status).toBe(403);
    expect(refusal.parse(answer.body)).toMatchObject({ code: 'EXPIRED' });
    expect(refusal.parse(answer.body).message).toContain('expired');
  });

  test("finds another organization's upload as little as one that does not exist", async () => {
    const { upload } = await server.upload();
    const other = await createOrganization(server.db);
    const later = new Date(Date.now() + HOUR_MS);
    const [foreign, missing] = [upload.id, newUuid()].map((id) =>
      uploadUrl(server.signer, server.url, { id, organizationId: other.id }, later),
    );
    const answers = [await put(foreign ?? '', 'x'), await put(missing ?? '', 'x')];
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]?.status).toBe(404);
    expect((await findUpload(server.db, server.organizationId, upload.id))?.receivedAt).toBeNull();
  });

  test('is for PUT alone, and pages of other sites may do it', async () => {
    const { url } = await server.upload();
    expect((await fetch(url)).status).toBe(405);
    const preflight = await fetch(url, { method: 'OPTIONS' });
    expect([preflight.status, preflight.headers.get('access-control-allow-methods')]).toEqual([204, 'PUT']);
    const response = await fetch(url, { method: 'PUT', body: 'x' });
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
  });

  test('leaves other paths to others', async () => {
    expect(await (await fetch(`${server.url}/uploads/a/b`)).text()).toBe('no route');
    expect(await (await fetch(`${server.url}/graphql`)).text()).toBe('no route');
  });
});

describe('uploads that nobody used', () => {
  test('are forgotten some time after they expired, received or not', async () => {
    const past = new Date(Date.now() - 2 * HOUR_MS);
    const [empty, fresh, unused] = [await server.upload(), await server.upload(), await server.upload()];
    await put(unused.url, 'x');
    const ids = [empty.upload.id, unused.upload.id];
    await server.db.query('UPDATE uploads SET expires_at = $2 WHERE id = ANY ($1::uuid[])', [ids, past]);
    expect((await pruneUploads(server.db, 1_000)).uploads).toBeGreaterThanOrEqual(2);
    const left = [empty, fresh, unused].map(({ upload }) =>
      findUpload(server.db, server.organizationId, upload.id),
    );
    expect((await Promise.all(left)).map((upload) => upload !== null)).toEqual([false, true, false]);
  });
});
