import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';

/** Columns of a Shopify product export, as its template of 46 has them. */
export const SHOPIFY_COLUMNS: readonly string[] = [
  'Handle', 'Title', 'Body (HTML)', 'Vendor', 'Type', 'Tags', 'Published',
  'Option1 Name', 'Option1 Value', 'Option2 Name', 'Option2 Value', 'Option3 Name', 'Option3 Value',
  'Variant SKU', 'Variant Grams', 'Variant Inventory Tracker', 'Variant Inventory Qty', 'Variant Inventory Policy',
  'Variant Fulfillment Service', 'Variant Price', 'Variant Compare At Price', 'Variant Requires Shipping',
  'Variant Taxable', 'Variant Barcode', 'Image Src', 'Image Position', 'Image Alt Text', 'Gift Card', 'SEO Title',
  'SEO Description', 'Google Shopping / Google Product Category', 'Google Shopping / Gender',
  'Google Shopping / Age Group', 'Google Shopping / MPN', 'Google Shopping / AdWords Grouping',
  'Google Shopping / AdWords Labels', 'Google Shopping / Condition', 'Google Shopping / Custom Product',
  'Google Shopping / Custom Label 0', 'Google Shopping / Custom Label 1', 'Google Shopping / Custom Label 2',
  'Google Shopping / Custom Label 3', 'Google Shopping / Custom Label 4', 'Variant Image', 'Variant Weight Unit',
  'Variant Tax Code',
]; // prettier-ignore

const SIZES = ['XS', 'S', 'M', 'L', 'XL'];
const COLORS = ['Moss', 'Clay', 'Ink', 'Chalk'];
const NOUNS = [
  'Kettle',
  'Raincoat',
  'Notebook',
  'Lantern',
  'Mug',
  'Blanket',
  'Scarf',
  'Teapot',
  'Backpack',
  'Stool',
];
const VENDORS = ['Harbour & Hill', 'Nordlicht', 'Oak Street Goods', 'Papermoon', 'Tin Whistle'];
const TEXT = 'Made in small runs from materials that last, and mended for free for as long as you own it.';

/**
 * Writes a Shopify-like product file: the same bytes for the same number of rows. Every fifth row opens a product,
 * the four behind it are further variants with blank titles; bodies hold quotes, commas and line breaks.
 * @returns bytes written
 */
export async function makeProducts(path: string, rows: number): Promise<number> {
  const file = createWriteStream(path, { highWaterMark: 1 << 20 });
  let lines = `${SHOPIFY_COLUMNS.join(',')}\r\n`;
  for (let row = 0; row < rows; row += 1) {
    lines += line(row);
    if (lines.length < 1 << 18) continue;
    if (!file.write(lines)) await once(file, 'drain');
    lines = '';
  }
  file.end(lines);
  await finished(file);
  return file.bytesWritten;
}

function line(row: number): string {
  const product = Math.floor(row / SIZES.length);
  const nth = row % SIZES.length;
  const noun = NOUNS[product % NOUNS.length] ?? '';
  const color = COLORS[product % COLORS.length] ?? '';
  const handle = `${color}-${noun}-${product}`.toLowerCase();
  const vendor = VENDORS[product % VENDORS.length] ?? '';
  const product_ =
    nth > 0
      ? ',,,,,'
      : `${color} ${noun} No. ${product},"<p>${TEXT}</p>\n<p class=""note"">Ships flat, ${product % 9} days.</p>",` +
        `${vendor},${noun},"home, ${color.toLowerCase()}, gift",TRUE`;
  const options = nth > 0 ? `,${SIZES[nth] ?? ''},,${color},,` : `Size,${SIZES[nth] ?? ''},Color,${color},,`;
  const price = `${9 + (row % 90)}.${String(row % 100).padStart(2, '0')}`;
  const variant =
    `MR-${String(row).padStart(8, '0')},${100 + (row % 900)},shopify,${row % 250},deny,manual,${price},` +
    `${row % 3 === 0 ? `${99 + (row % 90)}.00` : ''},TRUE,TRUE,${4_000_000_000_000 + row}`;
  const image =
    nth > 0 ? ',,' : `https://cdn.example.com/products/${handle}-front.jpg,1,${color} ${noun} from the front`;
  return `${handle},${product_},${options},${variant},${image},${nth > 0 ? '' : 'FALSE'},,,,,,,,,,,,,,,,,g,\r\n`;
}
