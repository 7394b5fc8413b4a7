import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { readChunks } from '../csv/support.ts';
import { MemoryCatalog } from './support.ts';

it('the sample file has just the faults that the demo shows', async () => {
  const table = await readChunks([await readFile(new URL('../../../samples/products.csv', import.meta.url))]);
  const catalog = new MemoryCatalog();
  const { tally, items } = catalog.import(table.columns, table.rows);
  expect(items.map(({ column, code, outcome }) => `${outcome}: ${column ?? 'row'} ${code}`))
    .toMatchInlineSnapshot(`
    [
      "failed: Variant Inventory Qty INVALID_QUANTITY",
      "failed: Variant Price INVALID_PRICE",
      "failed: Handle HANDLE_MISSING",
      "warned: row DUPLICATE_VARIANT",
      "failed: Variant Price NEGATIVE_PRICE",
      "warned: Image Src INVALID_URL",
      "failed: Title TITLE_MISSING",
    ]
  `);
  expect({ rows: table.rows.length, ...tally }).toMatchInlineSnapshot(`
    {
      "created": 54,
      "productsCreated": 24,
      "productsUpdated": 0,
      "rejected": 5,
      "rows": 60,
      "unchanged": 0,
      "updated": 1,
      "variantsCreated": 53,
      "variantsUpdated": 0,
      "warned": 2,
    }
  `);
});
