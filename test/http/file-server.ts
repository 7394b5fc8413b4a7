import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newUuid } from '../../src/domain/ids.ts';
import { storageKey } from '../../src/domain/storage-key.ts';
import { createFileHandler } from '../../src/http/files.ts';
import { createUploadHandler } from '../../src/http/uploads.ts';
import type { Database } from '../../src/repositories/db.ts';
import { createUpload, type NewUpload, type Upload } from '../../src/repositories/uploads.ts';
import { createMasterSecret, openSigner, uploadUrl, type UrlSigner } from '../../src/secrets/index.ts';
import { openStorage } from '../../src/storage/index.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { createTestDatabase } from '../support/database.ts';
import { silentLog } from '../support/log.ts';
import { createOrganization } from '../support/organization.ts';

export const UPLOAD_BYTES_MAX = 1024 * 1024;
export const IDLE_TIMEOUT_MS = 400;
export const HOUR_MS = 60 * 60_000;

/** A real server with the two routes that move files, on a database and a folder of its own. */
export interface FileServer {
  readonly url: string;
  readonly port: number;
  readonly db: Database;
  readonly storage: Storage;
  readonly signer: UrlSigner;
  readonly organizationId: string;
  /** Files in storage, unfinished ones too */
  stored(): Promise<number>;
  upload(changes?: Partial<NewUpload>): Promise<{ upload: Upload; url: string }>;
  close(): Promise<void>;
}

export async function startFileServer(): Promise<FileServer> {
  const database = await createTestDatabase();
  const { db } = database;
  const dataDir = await mkdtemp(join(tmpdir(), 'millrace-files-'));
  const organizationId = (await createOrganization(db)).id;
  const storage = openStorage({ dataDir });
  const signer = openSigner(createMasterSecret('test'.repeat(8)));
  const limits = { uploadBytesMax: UPLOAD_BYTES_MAX, idleTimeoutMs: IDLE_TIMEOUT_MS };
  const deps = { db, storage, signer, limits, log: silentLog };
  const handlers = [createUploadHandler(deps), createFileHandler(deps)];
  const server = createServer((req, res) => {
    void (async () => {
      for (const handle of handlers) if (await handle(req, res)) return;
      res.writeHead(404).end('no route');
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    db,
    storage,
    signer,
    organizationId,
    async stored() {
      const entries = await readdir(dataDir, { recursive: true, withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).length;
    },
    async upload(changes = {}) {
      const id = newUuid();
      const expiresAt = changes.expiresAt ?? new Date(Date.now() + HOUR_MS);
      const upload = await createUpload(db, {
        id,
        organizationId,
        filename: 'products.csv',
        contentType: 'text/csv',
        declaredBytes: null,
        storageKey: storageKey(organizationId, 'uploads', id),
        expiresAt,
        ...changes,
      });
      return { upload, url: uploadUrl(signer, url, upload, expiresAt) };
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      await database.close();
      await rm(dataDir, { recursive: true });
    },
  };
}
