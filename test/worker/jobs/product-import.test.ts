import { readFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { JobFailure } from '../../../src/domain/errors.ts';
import { newUuid } from '../../../src/domain/ids.ts';
import type { JobContext } from '../../../worker/context.ts';
import { BATCH_LIMITS, importProducts } from '../../../worker/jobs/product-import.ts';
import { prune } from '../../../worker/maintenance/prune.ts';
import { silentLog } from '../../support/log.ts';
import { createOrganization } from '../../support/organization.ts';
import { openImports, type ImportBench } from './product-import-support.ts';

const HEAD = 'Handle,Title,Vendor,Option1 Name,Option1 Value,Variant SKU,Variant Price,Image Src\r\n';
let bench: ImportBench;

beforeEach(async () => {
  const own = await openImports();
  bench = own;
  onTestFinished(() => own.close());
});

/** `count` rows in products of three variants; each seventh has a bad price. */
function manyRows(count: number): string {
  const lines = Array.from({ length: count }, (_, index) => {
    const product = Math.floor(index / 3);
    const title = index % 3 === 0 ? `Thing ${product},Oak,Size` : ',,';
    const price = index % 7 === 6 ? 'free' : `${(index % 90) + 1}.50`;
    return `thing-${product},${title},S${index % 3},T-${index},${price},\r\n`;
  });
  return HEAD + lines.join('');
}

/** Fails each transaction from the nth on, as a process does that is killed there. */
function killedAfter(transactions: number): (ctx: JobContext) => JobContext {
  let begun = 0;
  return (ctx) => ({
    ...ctx,
    transaction: (fn) => {
      begun += 1;
      return begun > transactions ? Promise.reject(new Error('killed')) : ctx.transaction(fn);
    },
  });
}

async function leftovers(): Promise<number> {
  const { rows } = await bench.db.query<{ count: string }>(
    'SELECT (SELECT count(*) FROM product_import_keys) + (SELECT count(*) FROM product_import_rejects) AS count',
  );
  return Number(rows[0]?.count);
}

describe('an import', () => {
  it('of the sample makes a catalog, a ledger and a file of the rows to mend', async () => {
    const { output, counts, items, rejected } = await bench.run(
      await readFile(new URL('../../../samples/products.csv', import.meta.url)),
    );
    expect(counts).toEqual({ total: 60, processed: 60, succeeded: 55, warned: 2, failed: 5 });
    expect(output).toMatchObject({ rejected: 5, productsCreated: 24, unchanged: 0 });
    expect(output.created + output.updated).toBe(55);
    expect(items).toHaveLength(7);
    expect(rejected?.trimEnd().split('\r\n')[0]).toMatch(
      /^Handle,Title,.*,Status,millrace_row,millrace_code,millrace_message$/,
    );
    expect(rejected).toContain('TITLE_MISSING');
    expect(await leftovers()).toBe(0);
  });

  it('of the same file again changes nothing and says so', async () => {
    const file = await readFile(new URL('../../../samples/products.csv', import.meta.url));
    await bench.run(manyRows(5_000));
    await bench.run(file);
    const before = await bench.catalog();
    const again = await bench.run(manyRows(5_000));
    expect(again.output).toMatchObject({
      created: 0,
      updated: 0,
      unchanged: 5_000 - 714,
      rejected: 714,
      productsUpdated: 0,
    });
    expect(await bench.catalog()).toEqual(before);
  });

  it('updates what differs, down to a description, and counts it', async () => {
    const head =
      'Handle,Title,Body (HTML),Tags,Variant SKU,Variant Price,Variant Grams,Image Src,Image Alt Text\n';
    const row = (price: string, body: string, alt: string) =>
      `mug,Mug,"${body.replaceAll('"', '""')}","a, b",M-1,${price},200,https://x.example/1.jpg,${alt}\npot,Pot,,,P-1,5.00,,,\n`;
    await bench.run(head + row('5.00', '<p>Old\t"\\n"</p>', 'front'));
    const { output } = await bench.run(head + row('6.00', '<p>New \\ {}</p>', 'back'));
    expect(output).toMatchObject({
      created: 0,
      updated: 1,
      unchanged: 1,
      productsUpdated: 1,
      variantsUpdated: 1,
    });
    const { products, variants, images } = await bench.catalog();
    expect(products).toMatchObject([
      { description_html: '<p>New \\ {}</p>', tags: ['a', 'b'] },
      { description_html: null, tags: [] },
    ]);
    expect(variants).toMatchObject([{ price: '6.0000', weight_grams: '200.0000' }, { price: '5.0000' }]);
    expect(images).toMatchObject([{ alt_text: 'back' }]);
  });

  it('in a dry run tells all that it would do and writes nothing', async () => {
    await bench.run(`${HEAD}thing-1,Old,Oak,Size,S0,T-3,1.00,\r\n`);
    const before = await bench.catalog();
    const dry = await bench.run(manyRows(5_000), { dryRun: true });
    expect(await bench.catalog()).toEqual(before);
    const real = await bench.run(manyRows(5_000));
    expect(dry.output).toEqual(real.output);
    expect(dry.counts).toEqual(real.counts);
    expect(dry.rejected).toBe(real.rejected);
    expect(dry.items).toEqual(real.items);
  });

  it('keeps out of other organizations, whose products have the same handles', async () => {
    const other = await createOrganization(bench.db);
    await bench.db.query(
      `INSERT INTO products (id, organization_id, handle, title, status, search_text) VALUES ($1, $2, 'mug', 'Theirs', 'active', '')`,
      [newUuid(), other.id],
    );
    const { output } = await bench.run(`${HEAD}mug,Ours,Oak,,,M-1,1.00,\r\n`);
    expect(output).toMatchObject({ created: 1, productsCreated: 1 });
    const { products } = await bench.catalog();
    expect(products.map(({ title }: { title?: string }) => title).sort()).toEqual(['Ours', 'Theirs']);
  });
});

describe('an import that was killed', () => {
  it('is finished by the next attempt with every row exactly once, wherever it was killed', async () => {
    const file = manyRows(9_000);
    const whole = await openImports();
    const expected = await whole.run(file).finally(() => whole.close());
    for (const transactions of [0, 1, 4, 9]) {
      const own = await openImports();
      try {
        const { job, input } = await own.start(await own.upload(file));
        await expect(own.attempt(job, input, killedAfter(transactions))).rejects.toThrow('killed');
        await expect(own.attempt(job, input, killedAfter(transactions < 9 ? 1 : 0))).rejects.toThrow(
          'killed',
        );
        expect(await own.attempt(job, input)).toEqual(expected.output);
        expect(await job.counts()).toEqual(expected.counts);
        expect(await own.items(job.id)).toEqual(expected.items);
        expect(await own.rejected(job.id)).toBe(expected.rejected);
        const { rows } = await own.db.query<{ count: string }>('SELECT count(*) FROM product_variants');
        expect(Number(rows[0]?.count)).toBe(9_000 - 1_285);
      } finally {
        await own.close();
      }
    }
  });

  it('and had told all but its end makes no second file of rejected rows', async () => {
    const { job, input } = await bench.start(await bench.upload(manyRows(100)));
    const first = await bench.attempt(job, input);
    expect(await bench.attempt(job, input)).toEqual(first);
    expect((await bench.rejected(job.id))?.split('\r\n')).toHaveLength(1 + 14 + 1);
    expect(await job.counts()).toMatchObject({ processed: 100, failed: 14 });
  });

  it('and is taken over meanwhile commits nothing more', async () => {
    const { job, input } = await bench.start(await bench.upload(manyRows(9_000)));
    const takenOver = (ctx: JobContext): JobContext => ({
      ...ctx,
      transaction: async (fn) => {
        const result = await ctx.transaction(fn);
        await job.attempt();
        return result;
      },
    });
    await expect(bench.attempt(job, input, takenOver)).rejects.toThrow(/no longer its own/);
    expect(await job.counts()).toMatchObject({ processed: BATCH_LIMITS.rows });
  });

  it('or failed leaves notes to the upkeep, which clears them up once the job has ended', async () => {
    const { job, input } = await bench.start(await bench.upload(manyRows(5_000)));
    await expect(bench.attempt(job, input, killedAfter(1))).rejects.toThrow('killed');
    const upkeep = { db: bench.db, storage: bench.storage, log: silentLog };
    await prune(upkeep, AbortSignal.timeout(10_000));
    expect(await leftovers()).toBeGreaterThan(0);
    await job.settle('failed');
    await prune(upkeep, AbortSignal.timeout(10_000));
    expect(await leftovers()).toBe(0);
  });
});

describe('two imports at once', () => {
  it('of one file both end, and the catalog holds each row once', async () => {
    const file = manyRows(6_000);
    const results = await Promise.all([bench.run(file), bench.run(file), bench.run(file)]);
    const created = results.reduce((sum, { output }) => sum + output.created, 0);
    const unchanged = results.reduce((sum, { output }) => sum + output.unchanged, 0);
    expect([created, unchanged]).toEqual([6_000 - 857, 2 * (6_000 - 857)]);
    expect((await bench.catalog()).variants).toHaveLength(6_000 - 857);
  });

  it('beside a writer who does not ask for the lock reads again what that one wrote', async () => {
    const { job, input } = await bench.start(await bench.upload(`${HEAD}mug,Mug,Oak,,,M-1,5.00,\r\n`));
    let met = false;
    const meddled = (ctx: JobContext): JobContext => ({
      ...ctx,
      transaction: (fn) =>
        ctx.transaction((tx) =>
          fn({
            ...tx,
            query: async (sql, values) => {
              const result = await tx.query<never>(sql, values);
              // After the import has looked for the product, and before it adds it.
              if (!met && sql.includes('FROM unnest($2::text[]) AS wanted (handle)')) {
                met = true;
                await bench.db.query(
                  `INSERT INTO products (id, organization_id, handle, title, status, search_text) VALUES ($1, $2, 'mug', 'Theirs', 'active', '')`,
                  [newUuid(), bench.organization.id],
                );
              }
              return result;
            },
          }),
        ),
    });
    expect(await bench.attempt(job, input, meddled)).toMatchObject({
      productsCreated: 0,
      productsUpdated: 1,
      variantsCreated: 1,
    });
    expect((await bench.catalog()).products).toMatchObject([{ title: 'Mug' }]);
  });
});

describe('the rejected rows', () => {
  it('come back in their layout, and their import tells their first numbers', async () => {
    const file =
      'Handle;Title;Variant SKU;Variant Price\nmug;Mug;M-1;"zu ""teuer"""\npot;Pot;P-1;5\ntea;"Tee; grün";T-1;x\n';
    const first = await bench.run(Buffer.from(file, 'latin1'));
    expect(first.rejected).toBe(
      [
        'Handle;Title;Variant SKU;Variant Price;millrace_row;millrace_code;millrace_message',
        'mug;Mug;M-1;"zu ""teuer""";2;INVALID_PRICE;"Variant Price ""zu ""teuer"""" is not a price. Write it like 12.50."',
        'tea;"Tee; grün";T-1;x;4;INVALID_PRICE;"Variant Price ""x"" is not a price. Write it like 12.50."',
        '',
      ].join('\r\n'),
    );
    const { job, input } = await bench.start({ rejectedRowsOf: first.job.id });
    expect(await bench.attempt(job, input)).toMatchObject({ rejected: 2, created: 0 });
    expect((await bench.items(job.id)).map(({ row }) => row)).toEqual([2, 4]);
    expect((await bench.rejected(job.id))?.split('\r\n')[0]).toBe(
      'Handle;Title;Variant SKU;Variant Price;millrace_row;millrace_code;millrace_message',
    );
  });

  it('once mended, end in the catalog', async () => {
    const first = await bench.run(`${HEAD}mug,Mug,Oak,Size,S,M-S,5.00,\r\nmug,,,,L,M-L,much,\r\n`);
    const second = await bench.run((first.rejected ?? '').replace(',much,', ',7.00,'));
    expect(second.output).toMatchObject({ created: 1, rejected: 0 });
    const { products, variants } = await bench.catalog();
    expect(products).toMatchObject([{ title: 'Mug', vendor: 'Oak', option_names: ['Size'] }]);
    expect(variants).toMatchObject([
      { sku: 'M-L', price: '7.0000' },
      { sku: 'M-S', price: '5.0000' },
    ]);
  });

  it('hold nothing that a spreadsheet calculates, and once mended give back what stood there', async () => {
    const head = 'Handle,Title,Vendor,Option1 Name,Option1 Value,Variant SKU,Variant Price,=Note\r\n';
    const first = await bench.run(
      `${head}sum,=SUM(A1:A9),@acme,+Size,-S,'=M,much,=cmd|'/c calc'!A0\r\nlow,Low,Oak,Size,L,L-1,-5,-7\r\n`,
    );
    expect(first.rejected?.split('\r\n').slice(0, 3)).toEqual([
      `Handle,Title,Vendor,Option1 Name,Option1 Value,Variant SKU,Variant Price,"'=Note",millrace_row,millrace_code,millrace_message`,
      expect.stringContaining(
        `sum,"'=SUM(A1:A9)","'@acme","'+Size","'-S","''=M",much,"'=cmd|'/c calc'!A0",2,INVALID_PRICE,`,
      ),
      expect.stringContaining('low,Low,Oak,Size,L,L-1,-5,-7,3,'),
    ]);
    const again = await bench.run(first.rejected ?? '');
    expect(again.rejected).toBe(first.rejected);
    await bench.run((first.rejected ?? '').replace(',much,', ',7.00,'));
    const { products, variants } = await bench.catalog();
    expect(products).toMatchObject([
      { title: 'Low' },
      { title: '=SUM(A1:A9)', vendor: '@acme', option_names: ['+Size'] },
    ]);
    expect(variants).toMatchObject([{ sku: "'=M", price: '7.0000', option_values: ['-S'] }]);
  });

  it('of other files keep the apostrophes that stand before a sign in them', async () => {
    await bench.run(`${HEAD}mug,'=Mug,'-Oak,Size,S,M-S,5.00,\r\n`);
    const { products } = await bench.catalog();
    expect(products).toMatchObject([{ title: "'=Mug", vendor: "'-Oak" }]);
  });

  it('are all there when none succeeded', async () => {
    const { output, counts, rejected } = await bench.run(`${HEAD}${',Mug,,,,M,1.00,\r\n'.repeat(4_500)}`);
    expect(output).toMatchObject({ created: 0, rejected: 4_500 });
    expect(counts).toMatchObject({ succeeded: 0, failed: 4_500 });
    expect(rejected?.split('\r\n')).toHaveLength(1 + 4_500 + 1);
  });
});

describe('an import without a usable file fails for good, in words for people', () => {
  const failureOf = async (promise: Promise<unknown>): Promise<JobFailure> => {
    const error: unknown = await promise.then(
      () => null,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof JobFailure)) throw new Error(`expected a JobFailure, got ${String(error)}`);
    expect(error.next.type).toBe('never');
    return error;
  };

  it.each([
    ['an Excel workbook', 'PK\x03\x04....[Content_Types].xml xl/workbook.xml', /Excel/],
    ['no columns of ours', 'a,b\n1,2\n', /None of the columns/],
    ['a quotation mark that never closes', `${manyRows(3_000)}mug,"Mug\r\n`, /row 3002 is never closed/],
  ])('%s', async (_, file, message) => {
    const failure = await failureOf(bench.run(file));
    expect(failure).toMatchObject({ code: 'INVALID_FILE', message: expect.stringMatching(message) });
  });

  it('a mapping that does not fit', async () => {
    const failure = await failureOf(
      bench.run('Name,Price\nMug,1\n', { mapping: [{ column: 'Titel', field: 'title' }] }),
    );
    expect(failure.message).toContain('no column "Titel"; there are "Name", "Price"');
  });

  it('a file that is gone, and one that is not there yet', async () => {
    const { job, input } = await bench.start({ uploadId: newUuid() });
    expect((await failureOf(bench.attempt(job, input))).code).toBe('SOURCE_EXPIRED');
    const rest = await bench.start({ rejectedRowsOf: job.id });
    expect((await failureOf(bench.attempt(rest.job, rest.input))).code).toBe('SOURCE_EXPIRED');
    const source = await bench.upload(manyRows(3));
    const { rows } = await bench.db.query<{ storage_key: string }>('SELECT storage_key FROM uploads');
    await bench.storage.remove(rows[0]?.storage_key ?? '');
    const removed = await bench.start(source);
    expect((await failureOf(bench.attempt(removed.job, removed.input))).code).toBe('SOURCE_EXPIRED');
  });
});

it('a cancelled import stops between two batches', async () => {
  const { job, input } = await bench.start(await bench.upload(manyRows(9_000)));
  const controller = new AbortController();
  const { ctx, end } = await job.attempt({ signal: controller.signal });
  const cancelled: JobContext = {
    ...ctx,
    transaction: async (fn) => {
      const result = await ctx.transaction(fn);
      controller.abort(new Error('cancelled'));
      return result;
    },
  };
  await expect(importProducts(cancelled, input)).rejects.toThrow('cancelled');
  await end();
  expect(await job.counts()).toMatchObject({ processed: BATCH_LIMITS.rows });
});
