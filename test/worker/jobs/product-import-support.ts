import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { newUuid } from '../../../src/domain/ids.ts';
import { storageKey } from '../../../src/domain/storage-key.ts';
import { filesOfJob } from '../../../src/repositories/files.ts';
import { createUpload, markUploadReceived } from '../../../src/repositories/uploads.ts';
import { openStorage } from '../../../src/storage/index.ts';
import type { JobContext } from '../../../worker/context.ts';
import { importProducts } from '../../../worker/jobs/product-import.ts';
import type { ImportInput } from '../../../worker/jobs/product-import/source.ts';
import { createTestDatabase } from '../../support/database.ts';
import { createTestJob, type TestJob } from '../../support/job-context.ts';
import { createOrganization } from '../../support/organization.ts';

export type ImportBench = Awaited<ReturnType<typeof openImports>>;

/** A database, a folder for files and an organization, and imports of files into it. */
export async function openImports() {
  const database = await createTestDatabase();
  const dataDir = await mkdtemp(join(tmpdir(), 'millrace-import-'));
  const storage = openStorage({ dataDir });
  const organization = await createOrganization(database.db);
  const { db } = database;
  const signal = new AbortController().signal;

  async function upload(file: string | Buffer, filename = 'products.csv'): Promise<ImportInput['source']> {
    const id = newUuid();
    const key = storageKey(organization.id, 'uploads', id);
    const stored = await storage.put(key, Readable.from([Buffer.from(file)]), { maxBytes: 1e9, signal });
    const expiresAt = new Date(Date.now() + 60_000);
    await createUpload(db, { id, organizationId: organization.id, filename, contentType: 'text/csv', declaredBytes: null, storageKey: key, expiresAt }); // prettier-ignore
    await markUploadReceived(db, organization.id, id, { ...stored, storageKey: key });
    return { uploadId: id };
  }

  async function start(source: ImportInput['source'], options: Partial<ImportInput> = {}) {
    const input: ImportInput = { source, format: 'auto', dryRun: false, ...options };
    return { job: await createTestJob({ db, storage, organization, kind: 'product_import', input }), input };
  }

  /** One attempt; `meddle` stands between the handler and its world. */
  async function attempt(
    job: TestJob,
    input: ImportInput,
    meddle: (ctx: JobContext) => JobContext = (ctx) => ctx,
  ) {
    const { ctx, end } = await job.attempt();
    try {
      return await importProducts(meddle(ctx), input);
    } finally {
      await end();
    }
  }

  return {
    db,
    storage,
    organization,
    upload,
    start,
    attempt,
    /** Uploads and imports a file in one attempt. */
    async run(file: string | Buffer, options: Partial<ImportInput> = {}) {
      const { job, input } = await start(await upload(file), options);
      const output = await attempt(job, input);
      await job.settle('completed');
      return {
        job,
        output,
        items: await items(job.id),
        counts: await job.counts(),
        rejected: await rejected(job.id),
      };
    },
    items,
    rejected,
    catalog,
    async close() {
      await database.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };

  async function items(jobId: string) {
    const { rows } = await db.query<{
      row: number;
      column: string | null;
      code: string;
      message: string;
      outcome: string;
    }>('SELECT row, "column", code, message, outcome FROM job_items WHERE job_id = $1 ORDER BY ordinal', [
      jobId,
    ]);
    return rows;
  }

  /** The text of the file of rejected rows, null without one. */
  async function rejected(jobId: string): Promise<string | null> {
    const [file, ...more] = await filesOfJob(db, organization.id, jobId);
    if (more.length > 0) throw new Error('more than one file of rejected rows');
    return file ? text((await storage.get(file.storageKey, { signal })).body) : null;
  }

  /** The whole catalog as a person sees it, in an order of its own. */
  async function catalog() {
    const products = await db.query(
      'SELECT handle, title, vendor, status, tags, option_names, description_html FROM products ORDER BY handle',
    );
    const variants = await db.query(
      `SELECT p.handle, v.variant_key, v.sku, v.option_values, v.price, v.compare_at_price, v.inventory_quantity, v.weight_grams
         FROM product_variants v JOIN products p ON p.id = v.product_id ORDER BY p.handle, v.variant_key`,
    );
    const images = await db.query(
      'SELECT p.handle, i.url, i.position, i.alt_text FROM product_images i JOIN products p ON p.id = i.product_id ORDER BY 1, 2',
    );
    return { products: products.rows, variants: variants.rows, images: images.rows };
  }
}
