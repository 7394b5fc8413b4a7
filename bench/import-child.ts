import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { newUuid } from '../src/domain/ids.ts';
import { storageKey } from '../src/domain/storage-key.ts';
import { createLog } from '../src/lib/log.ts';
import { openDatabase } from '../src/repositories/db.ts';
import { createUpload, markUploadReceived } from '../src/repositories/uploads.ts';
import { StorageMissingError, type Storage } from '../src/storage/storage.ts';
import { createOrganization } from '../test/support/organization.ts';
import { createTestJob } from '../test/support/job-context.ts';
import { importProducts } from '../worker/jobs/product-import.ts';

/** A worker's process with one import in it: its memory and time are the import's alone. */
async function main(url: string, file: string): Promise<void> {
  const log = createLog({ level: 'warn', process: 'bench' });
  const db = openDatabase({
    url,
    applicationName: 'bench',
    connectionsMax: 4,
    statementTimeoutMs: 60_000,
    log,
  });
  const organization = await findOrCreateOrganization();
  const upload = await createUpload(db, {
    id: newUuid(),
    organizationId: organization.id,
    filename: 'products.csv',
    contentType: 'text/csv',
    declaredBytes: null,
    storageKey: storageKey(organization.id, 'uploads', newUuid()),
    expiresAt: new Date(Date.now() + 60_000),
  });
  const { size } = await stat(file);
  await markUploadReceived(db, organization.id, upload.id, {
    byteSize: size,
    sha256: '',
    storageKey: upload.storageKey,
  });
  const input = { source: { uploadId: upload.id }, format: 'auto' as const, dryRun: false };
  const job = await createTestJob({
    db,
    storage: oneFile(file, size),
    organization,
    kind: 'product_import',
    input,
  });
  const { ctx, end } = await job.attempt();
  const started = performance.now();
  const output = await importProducts(ctx, input);
  const seconds = (performance.now() - started) / 1_000;
  await end();
  await db.close();
  const used = process.resourceUsage();
  process.send?.({
    seconds,
    peakMegabytes: used.maxRSS / 1_024,
    processorSeconds: (used.userCPUTime + used.systemCPUTime) / 1e6,
    output,
  });

  async function findOrCreateOrganization() {
    const { rows } = await db.query<{ id: string }>('SELECT id FROM organizations LIMIT 1');
    const [found] = rows;
    return found ? { id: found.id, timeZone: 'UTC', currency: 'EUR' } : createOrganization(db);
  }
}

/** The storage's local adapter, but for the copy: the file is read where it stands. */
function oneFile(path: string, byteSize: number): Storage {
  const body = () => createReadStream(path);
  return {
    get: () => Promise.resolve({ body: body(), byteSize }),
    put: (key) => Promise.reject(new StorageMissingError(key)),
    remove: () => Promise.resolve(),
  };
}

const [url = '', file = ''] = process.argv.slice(2);
await main(url, file);
