import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readHeader } from '../../../src/services/csv/header.ts';
import { detectFormat, mappingProblems } from '../../../src/services/products/layout.ts';
import { testDataFile } from '../../support/test-data.ts';
import { readChunks } from '../csv/support.ts';
import { layoutOf, MemoryCatalog } from './support.ts';

const SHOPIFY = 'Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Variant SKU,Variant Grams,Variant Inventory Qty,Variant Price,Image Src,Variant Weight Unit,Status'.split(','); // prettier-ignore
const SHOPIFY_NEW = 'Title,URL handle,Description,Vendor,Type,Tags,Published on online store,Status,SKU,Barcode,Option1 name,Option1 value,Option1 Linked To,Price,Compare-at price,Charge tax,Inventory quantity,Weight value (grams),Requires shipping,Product image URL,Image position,Image alt text,Variant image URL'.split(','); // prettier-ignore
const GOOGLE = 'id,item_group_id,title,description,price,sale_price,availability,brand,gtin,color,size,image_link,additional_image_link,product_type'.split(','); // prettier-ignore

const named = (columns: readonly string[]): Record<string, string> =>
  Object.fromEntries(layoutOf(columns).names);

describe('the layout of a file', () => {
  it("is told by its columns: Shopify's exports, its newer template, Google's feed, anything else", () => {
    const formats = [SHOPIFY, SHOPIFY_NEW, GOOGLE, ['Name', 'Price', 'SKU']].map((names) =>
      detectFormat(readHeader(names).columns),
    );
    expect(formats).toEqual(['shopify_csv', 'shopify_csv', 'google_merchant_tsv', 'generic_csv']);
  });

  it("finds the same fields in both spellings of Shopify's", () => {
    expect(named(SHOPIFY)).toMatchObject({
      handle: 'Handle',
      description: 'Body (HTML)',
      sku: 'Variant SKU',
      weightGrams: 'Variant Grams',
    });
    expect(named(SHOPIFY_NEW)).toMatchObject({ handle: 'URL handle', sku: 'SKU', compareAtPrice: 'Compare-at price', weightGrams: 'Weight value (grams)', image: 'Product image URL', variantImage: 'Variant image URL' }); // prettier-ignore
  });

  it('reads other files by the names of their columns, whatever their case, blanks and underscores', () => {
    expect(named(['Product_Name', 'ITEM NUMBER', 'Unit Price', 'qty', 'Brand', 'EAN'])).toEqual({
      title: 'Product_Name',
      sku: 'ITEM NUMBER',
      price: 'Unit Price',
      quantity: 'qty',
      vendor: 'Brand',
      barcode: 'EAN',
    });
  });

  it('takes the first of two columns with one meaning', () => {
    expect(named(['Title', 'Price', 'price'])).toMatchObject({ price: 'Price' });
    expect(layoutOf(['Title', 'Price', 'price']).columns.get('price')).toBe(1);
  });

  it('is of no use when nothing names the products', () => {
    expect(() => layoutOf(['InvoiceNo', 'CustomerID', 'Country'])).toThrow(
      /None of the columns says which product.*"InvoiceNo"/,
    );
  });
});

describe('a given mapping', () => {
  const columns = ['Bezeichnung', 'Preis', 'Nr'];
  it('stands alone', () => {
    const layout = layoutOf(columns, 'generic_csv', [
      { column: 'bezeichnung', field: 'title' },
      { column: 'Nr', field: 'sku' },
    ]);
    expect(Object.fromEntries(layout.columns)).toEqual({ title: 0, sku: 2 });
  });

  it('names each column and field that does not exist, and what does', () => {
    expect(() => layoutOf(columns, 'generic_csv', [{ column: 'Name', field: 'title' }])).toThrow(
      /no column "Name"; there are "Bezeichnung", "Preis", "Nr"/,
    );
    expect(() => layoutOf(columns, 'generic_csv', [{ column: 'Preis', field: 'cost' }])).toThrow(
      /no field "cost"; there are handle, title/,
    );
  });

  it('can be checked before there is a file', () => {
    expect(mappingProblems([{ column: 'x', field: 'title' }])).toEqual([]);
    expect(mappingProblems([{ column: 'x', field: 'titel' }, { column: 'y', field: 'price' }, { column: 'z', field: 'price' }])).toHaveLength(3); // prettier-ignore
  });
});

describe("Google's feed", () => {
  const row = (cells: Record<string, string>): string[] => GOOGLE.map((name) => cells[name] ?? '');
  it('groups variants by item_group_id, else by id; the id is the SKU', () => {
    const catalog = new MemoryCatalog();
    const { items } = catalog.import(GOOGLE, [
      row({ id: 'A1', item_group_id: 'A', title: 'Shirt', price: '20.00 EUR', sale_price: '15.00 EUR', color: 'Red', size: 'M', availability: 'in_stock', image_link: 'https://x.example/a.jpg', additional_image_link: 'https://x.example/b.jpg,https://x.example/c.jpg' }), // prettier-ignore
      row({
        id: 'A2',
        item_group_id: 'A',
        title: 'Shirt',
        price: '20.00 EUR',
        color: 'Blue',
        size: 'M',
        availability: 'out of stock',
      }),
      row({ id: 'B', title: 'Mug', price: '5 EUR' }),
    ]);
    expect(items).toEqual([]);
    const { products, variants, images } = catalog.snapshot();
    expect(products.map(({ handle, optionNames }) => [handle, optionNames])).toEqual([
      ['A', ['Color', 'Size']],
      ['B', []],
    ]);
    expect(variants).toMatchObject([
      { handle: 'A', sku: 'A1', price: '15.0000', compareAtPrice: '20.0000', currency: 'EUR', optionValues: ['Red', 'M'], inventoryQuantity: null, imageUrl: 'https://x.example/a.jpg' }, // prettier-ignore
      { handle: 'A', sku: 'A2', price: '20.0000', compareAtPrice: null, inventoryQuantity: 0 },
      { handle: 'B', sku: 'B', price: '5.0000' },
    ]);
    expect(images.map(({ url, position }) => [url, position])).toEqual([
      ['https://x.example/a.jpg', 1],
      ['https://x.example/b.jpg', 2],
      ['https://x.example/c.jpg', 3],
    ]);
  });
});

describe('statuses', () => {
  it('an explicit status stands; without one, what is not published is a draft', () => {
    const catalog = new MemoryCatalog();
    const columns = ['Handle', 'Title', 'Variant SKU', 'Variant Price', 'Published', 'Status'];
    catalog.import(columns, [
      ['a', 'A', 'A', '1', 'true', ''],
      ['b', 'B', 'B', '1', 'FALSE', ''],
      ['c', 'C', 'C', '1', 'FALSE', 'Archived'],
      ['d', 'D', 'D', '1', '', ''],
    ]);
    expect(catalog.snapshot().products.map(({ status }) => status)).toEqual([
      'active',
      'draft',
      'archived',
      'active',
    ]);
  });
});

describe('the product template that Shopify hands out', () => {
  const own = `${SHOPIFY.join(',')}\r\nred-tee,Red Tee,"<p>Soft.\nVery.</p>",Oak,Shirts,"a, b",true,Size,S,T-S,200,3,19.99,https://x.example/t.jpg,g,active\r\nred-tee,,,,,,,,M,T-M,200,1,19.99,,g,\r\n`;
  it.each(['apparel', 'jewelery'])(
    '%s is read without a single fault, and again without a change',
    async (name) => {
      const file = testDataFile(`shopify-partners/${name}.csv`);
      const table = await readChunks([file ? readFileSync(file) : Buffer.from(own)]);
      const catalog = new MemoryCatalog();
      const first = catalog.import(table.columns, table.rows, { sizes: [7] });
      expect(first.items).toEqual([]);
      expect(first.tally).toMatchObject({ created: table.rows.length, rejected: 0 });
      expect(catalog.import(table.columns, table.rows).tally).toMatchObject({
        unchanged: table.rows.length,
        updated: 0,
      });
    },
  );
});
