import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from } from 'pg-copy-streams';
import { createOrganization } from '../test/support/organization.ts';
import { SHOPIFY_COLUMNS } from './make-products.ts';

/**
 * PostgreSQL doing the import alone: COPY of the file into a staging table, then one INSERT … ON CONFLICT into each of
 * the tables that an import fills. Nothing is checked, counted, recorded or fenced. @returns seconds
 */
export async function runBaseline(url: string, file: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const organization = await createOrganization({
      query: (text, values) => client.query(text, values ? [...values] : undefined),
    });
    const names = SHOPIFY_COLUMNS.map((column) => `"${column}" text`).join(', ');
    const started = performance.now();
    await client.query(`CREATE TEMP TABLE staged (row serial, ${names})`);
    const columns = SHOPIFY_COLUMNS.map((column) => `"${column}"`).join(', ');
    const copy = client.query(from(`COPY staged (${columns}) FROM STDIN (FORMAT csv, HEADER, NULL '')`));
    await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), copy);
    for (const statement of STATEMENTS) await client.query(statement, [organization.id]);
    return (performance.now() - started) / 1_000;
  } finally {
    await client.end();
  }
}

/** `uuidv7()` came with PostgreSQL 18, which the embedded one is. */
const STATEMENTS: readonly string[] = [
  `INSERT INTO products (id, organization_id, handle, title, description_html, vendor, product_type, tags, status,
                         option_names, search_text)
   SELECT uuidv7(), $1, "Handle", "Title", "Body (HTML)", "Vendor", "Type", string_to_array("Tags", ', '),
          CASE WHEN "Published" = 'TRUE' THEN 'active' ELSE 'draft' END::product_status,
          ARRAY["Option1 Name", "Option2 Name"],
          lower(concat_ws(' ', "Title", "Handle", "Vendor", "Type"))
     FROM staged WHERE "Title" IS NOT NULL
   ON CONFLICT (organization_id, handle) DO UPDATE
      SET title = excluded.title, description_html = excluded.description_html, vendor = excluded.vendor,
          product_type = excluded.product_type, tags = excluded.tags, status = excluded.status,
          option_names = excluded.option_names, search_text = excluded.search_text`,
  `INSERT INTO product_variants (id, organization_id, product_id, variant_key, sku, barcode, option_values, price,
                                 compare_at_price, inventory_quantity, weight_grams, requires_shipping, taxable, image_url)
   SELECT uuidv7(), $1, p.id, 'sku:' || s."Variant SKU", s."Variant SKU", s."Variant Barcode",
          ARRAY[s."Option1 Value", s."Option2 Value"], s."Variant Price"::numeric,
          s."Variant Compare At Price"::numeric, s."Variant Inventory Qty"::int, s."Variant Grams"::numeric,
          s."Variant Requires Shipping"::boolean, s."Variant Taxable"::boolean, s."Variant Image"
     FROM staged s JOIN products p ON p.organization_id = $1 AND p.handle = s."Handle"
   ON CONFLICT (organization_id, product_id, variant_key) DO UPDATE
      SET sku = excluded.sku, barcode = excluded.barcode, option_values = excluded.option_values,
          price = excluded.price, compare_at_price = excluded.compare_at_price,
          inventory_quantity = excluded.inventory_quantity, weight_grams = excluded.weight_grams,
          requires_shipping = excluded.requires_shipping, taxable = excluded.taxable, image_url = excluded.image_url`,
  `INSERT INTO product_images (organization_id, product_id, url, position, alt_text)
   SELECT $1, p.id, s."Image Src", s."Image Position"::int, s."Image Alt Text"
     FROM staged s JOIN products p ON p.organization_id = $1 AND p.handle = s."Handle"
    WHERE s."Image Src" IS NOT NULL
   ON CONFLICT (organization_id, product_id, url) DO UPDATE
      SET position = excluded.position, alt_text = excluded.alt_text`,
];
