import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newUuid } from '../../src/domain/ids.ts';
import { storageKey } from '../../src/domain/storage-key.ts';
import { filesOfJob, findFile, insertFile, type StoredFile } from '../../src/repositories/files.ts';
import { fileUrl } from '../../src/secrets/index.ts';
import { createOrganization } from '../support/organization.ts';
import { insertRawJob } from '../support/raw-job.ts';
import { HOUR_MS, startFileServer, type FileServer } from './file-server.ts';

const bytes = randomBytes(500_000);
let server: FileServer;
let file: StoredFile;

async function store(filename: string): Promise<StoredFile> {
  const { db, storage, organizationId } = server;
  const id = newUuid();
  const key = storageKey(organizationId, 'rejected-rows', id);
  const options = { maxBytes: bytes.byteLength, signal: new AbortController().signal };
  const stored = await storage.put(key, Readable.from([bytes]), options);
  const jobId = await insertRawJob(db, organizationId);
  const facts = { role: 'rejected_rows', filename, contentType: 'text/csv; charset=utf-8' } as const;
  return insertFile(db, { id, organizationId, jobId, ...facts, ...stored, storageKey: key });
}

function link(target: { id: string; organizationId: string }, lifetimeMs = HOUR_MS): string {
  return fileUrl(server.signer, server.url, target, new Date(Date.now() + lifetimeMs));
}

beforeAll(async () => {
  server = await startFileServer();
  file = await store('rejected – Käse.csv');
});
afterAll(() => server.close());

describe('GET of a file', () => {
  test('sends it whole, to be saved under its name and never shown as a page', async () => {
    const response = await fetch(link(file));
    expect(response.status).toBe(200);
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/csv; charset=utf-8',
      'content-length': String(bytes.byteLength),
      'content-disposition': `attachment; filename="rejected _ K_se.csv"; filename*=UTF-8''rejected%20%E2%80%93%20K%C3%A4se.csv`,
      etag: `"${file.sha256}"`,
      'x-content-type-options': 'nosniff',
      'cache-control': 'private',
    });
  });

  test('answers HEAD with the same headers and no body', async () => {
    const response = await fetch(link(file), { method: 'HEAD' });
    expect([response.status, response.headers.get('content-length')]).toEqual([
      200,
      String(bytes.byteLength),
    ]);
    expect((await response.arrayBuffer()).byteLength).toBe(0);
  });

  test('sends nothing to who has it already', async () => {
    const response = await fetch(link(file), { headers: { 'If-None-Match': `"${file.sha256}"` } });
    expect([response.status, (await response.arrayBuffer()).byteLength]).toEqual([304, 0]);
  });

  test('is refused with another signature or none, and once the link expired', async () => {
    const other = await store('other.csv');
    const stolen = link(file).replace(/fil_\w+/, link(other).match(/fil_\w+/)?.[0] ?? '');
    for (const url of [stolen, link(file).split('?')[0] ?? '']) {
      const response = await fetch(url);
      expect([response.status, await response.json()]).toEqual([
        403,
        { code: 'INVALID_SIGNATURE', message: 'This link is not valid. Ask for a new one.' },
      ]);
    }
    const expired = await fetch(link(file, -1_000));
    expect([expired.status, await expired.json()]).toMatchObject([403, { code: 'EXPIRED' }]);
  });

  test("finds another organization's file as little as one that does not exist", async () => {
    const organizationId = (await createOrganization(server.db)).id;
    const [foreign, missing] = await Promise.all([
      fetch(link({ id: file.id, organizationId })),
      fetch(link({ id: newUuid(), organizationId })),
    ]);
    expect([foreign.status, await foreign.json()]).toEqual([missing.status, await missing.json()]);
    expect(missing.status).toBe(404);
  });

  test('says 404 for a file whose bytes are gone', async () => {
    const gone = await store('gone.csv');
    await server.storage.remove(gone.storageKey);
    const response = await fetch(link(gone));
    expect([response.status, await response.json()]).toMatchObject([404, { code: 'NOT_FOUND' }]);
  });

  test('is for GET and HEAD alone', async () => {
    const response = await fetch(link(file), { method: 'POST', body: 'x' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  test('goes on for others when a client leaves in the middle', async () => {
    const leaving = new AbortController();
    const response = await fetch(link(file), { signal: leaving.signal });
    await response.body?.getReader().read();
    leaving.abort();
    expect((await fetch(link(file))).status).toBe(200);
  });
});

describe('rows of files', () => {
  test('are found by organization, and by job in the order they were made', async () => {
    const { db, organizationId } = server;
    const other = (await createOrganization(db)).id;
    expect(await findFile(db, organizationId, file.id)).toEqual(file);
    expect(await findFile(db, other, file.id)).toBeNull();
    expect(await filesOfJob(db, organizationId, file.jobId)).toEqual([file]);
    expect(await filesOfJob(db, other, file.jobId)).toEqual([]);
  });
});
