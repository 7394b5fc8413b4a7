import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { createClient, MillraceUserError, type JobEvent, type MillraceClient } from '../../src/sdk/index.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { catalogFile } from '../support/catalog-file.ts';
import { BROKERS } from '../support/engine.ts';
import { spawnWorker, type WorkerProcess } from '../support/spawn-worker.ts';
import { waitFor } from '../support/wait.ts';

describe.each(BROKERS)('the main job, end to end with %s between', (broker) => {
  let api: TestApi;
  let client: MillraceClient;
  let worker: WorkerProcess;
  beforeAll(async () => {
    api = await startApi({ broker });
    worker = await spawnWorker(api.environment, 'worker/main.ts');
    client = createClient({ url: api.graphqlUrl, token: api.tokens.member, webSocketImpl: WebSocket });
  });
  afterAll(async () => {
    await client.close();
    await worker.end();
    await api.close();
  });

  const start = async (
    text: string,
    input: { dryRun?: boolean; mapping?: { column: string; field: string }[] } = {},
  ) => {
    const uploadId = await client.uploadFile(Buffer.from(text), 'products.csv');
    return (await client.jobs.start.productImport({ source: { uploadId }, ...input })).job.id;
  };
  const watch = async (id: string, transport: 'ws' | 'sse'): Promise<JobEvent[]> => {
    const events: JobEvent[] = [];
    for await (const event of client.jobs.watch(id, { transport })) events.push(event);
    return events;
  };
  const productCount = async () => (await client.products({ first: 1 })).totalCount;

  it('turns a file with faults into a catalog, and tells every step over WebSocket and SSE', async () => {
    const file = catalogFile(40, 30);
    const id = await start(file.text);
    const [ws, sse] = await Promise.all([watch(id, 'ws'), watch(id, 'sse')]);
    expect(ws).toEqual(sse);
    expect(ws.map(({ seq }) => seq)).toEqual(ws.map((_, index) => index + 1));
    expect(ws.at(0)?.status).toBe('PENDING');
    expect(ws.at(-1)).toMatchObject({ type: 'STATUS', status: 'COMPLETED_WITH_WARNINGS' });

    const job = await client.jobs.get(id);
    expect(job).toMatchObject({
      status: 'COMPLETED_WITH_WARNINGS',
      progressPercent: 100,
      counts: { total: 120, processed: 120, succeeded: 116, warned: 0, failed: 4 },
      result: { productsCreated: 40, variantsCreated: 116, rejected: 4, unchanged: 0 },
    });
    const items = await client.jobs.items({ id });
    expect(items?.totalCount).toBe(4);
    expect(items?.edges[0]?.node).toMatchObject({
      row: 31,
      column: 'Variant Price',
      value: 'soon',
      outcome: 'FAILED',
    });
    expect(await productCount()).toBe(40);
  });

  it('keeps the rejected rows in the layout they came in, with the reason', async () => {
    const id = await start(catalogFile(10, 10).text);
    await watch(id, 'sse');
    const file = (await client.jobs.get(id))?.rejectedRows;
    const response = await fetch(file?.url ?? '');
    const lines = (await response.text()).trim().split(/\r?\n/);
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatch(
      /^\uFEFF?Handle,Title,Vendor,Option1 Name,Option1 Value,Variant SKU,Variant Price,/,
    );
    expect(lines[1]).toContain('soon');
  });

  it('changes nothing when the same file comes again, and says so', async () => {
    const { text, rows } = catalogFile(7);
    await watch(await start(text), 'ws');
    const before = await client.products({ first: 100 });
    const id = await start(text);
    await watch(id, 'ws');
    expect((await client.jobs.get(id))?.result).toMatchObject({ created: 0, updated: 0, unchanged: rows });
    expect(await client.products({ first: 100 })).toEqual(before);
  });

  it('writes nothing in a dry run, and tells what would be', async () => {
    const before = await productCount();
    const id = await start(catalogFile(500).text, { dryRun: true });
    await watch(id, 'ws');
    expect(await client.jobs.get(id)).toMatchObject({
      status: 'COMPLETED',
      result: { productsCreated: 460 },
    });
    expect(await productCount()).toBe(before);
  });

  it('reads other columns by a mapping, and refuses one that names none of them', async () => {
    const text = 'Nummer;Bezeichnung;Preis\nX-1;Kanne;12,50\n';
    const mapping = [
      { column: 'Nummer', field: 'handle' },
      { column: 'Bezeichnung', field: 'title' },
      { column: 'Preis', field: 'price' },
    ];
    const id = await start(text, { mapping });
    await watch(id, 'ws');
    expect((await client.jobs.get(id))?.result).toMatchObject({ productsCreated: 1 });
    const wrong = await start(text, { mapping: [{ column: 'Farbe', field: 'title' }] });
    await watch(wrong, 'ws');
    expect(await client.jobs.get(wrong)).toMatchObject({ status: 'FAILED', errorCode: 'INVALID_FILE' });
  });

  it('says in plain words that a file is no CSV, and does not try again', async () => {
    const id = await start('PK\u0003\u0004 this is a workbook');
    await watch(id, 'ws');
    const job = await client.jobs.get(id);
    expect(job).toMatchObject({ status: 'FAILED', errorCode: 'INVALID_FILE', attempt: 1 });
    expect(job?.errorMessage).toMatch(/CSV/);
  });

  it('runs again over only the rows that failed', async () => {
    const id = await start(catalogFile(9, 9).text);
    await watch(id, 'ws');
    const { job } = await client.jobs.retryFailedItems(id);
    await watch(job.id, 'ws');
    const again = await client.jobs.get(job.id);
    expect(again).toMatchObject({
      status: 'FAILED',
      errorCode: 'ALL_ROWS_REJECTED',
      counts: { processed: 3, failed: 3 },
    });
    expect((await client.jobs.items({ id: job.id }))?.edges[0]?.node.row).toBe(10);
  });

  it('starts nothing from an upload that holds no file yet or is another organization’s', async () => {
    const upload = await client.uploads.create({ filename: 'a.csv', contentType: 'text/csv' });
    const startIt = (from: MillraceClient) =>
      from.jobs.start.productImport({ source: { uploadId: upload.id } }).catch((error: unknown) => error);
    expect(await startIt(client)).toBeInstanceOf(MillraceUserError);
    const stranger = createClient({ url: api.graphqlUrl, token: api.tokens.stranger });
    expect(await startIt(stranger)).toMatchObject({
      errors: [{ code: 'NOT_FOUND', field: ['input', 'source', 'uploadId'] }],
    });
  });

  it(
    'is finished by another worker when its own is killed in the middle, every row once',
    { timeout: 150_000 },
    async () => {
      const file = catalogFile(20_000, 1_000);
      const id = await start(file.text.replaceAll('shirt-', 'killed-').replaceAll('SHIRT-', 'KILLED-'));
      await waitFor(async () => {
        const counts = (await client.jobs.get(id))?.counts;
        return counts && counts.processed > 4_000;
      });
      // Before the next one is there, which takes as long as the rest of the import may.
      await worker.end();
      worker = await spawnWorker(api.environment, 'worker/main.ts');
      const events = await watch(id, 'ws');
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
      expect(await client.jobs.get(id)).toMatchObject({
        status: 'COMPLETED_WITH_WARNINGS',
        attempt: 2,
        counts: { total: file.rows, processed: file.rows, failed: file.bad },
        result: { productsCreated: 20_000, variantsCreated: file.rows - file.bad, rejected: file.bad },
      });
      const { rows } = await api.database.db.query(
        `SELECT count(*)::int AS variants, count(DISTINCT sku)::int AS skus FROM product_variants WHERE sku LIKE 'KILLED-%'`,
      );
      expect(rows).toEqual([{ variants: file.rows - file.bad, skus: file.rows - file.bad }]);
      expect((await client.jobs.items({ id }))?.totalCount).toBe(file.bad);
    },
  );
});
