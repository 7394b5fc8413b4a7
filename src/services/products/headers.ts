import type { ProductField } from './fields.ts';

/** Names of columns, as `headerKey` writes them, and what stands in such a column. */
export type HeaderTable = Readonly<Record<string, ProductField>>;

/** A column's name without case, blanks, underscores, accents and other signs; "g:" is the Merchant namespace. */
export function headerKey(name: string): string {
  return name
    .replace(/^g:/i, '')
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '');
}

/**
 * Shopify's product CSV, in the spelling of its exports ("Variant SKU") and in that of its newer template ("SKU",
 * "URL handle"): https://help.shopify.com/en/manual/products/import-export/using-csv
 */
export const SHOPIFY_HEADERS: HeaderTable = {
  handle: 'handle',
  urlhandle: 'handle',
  title: 'title',
  bodyhtml: 'description',
  body: 'description',
  description: 'description',
  vendor: 'vendor',
  type: 'type',
  tags: 'tags',
  published: 'published',
  publishedononlinestore: 'published',
  status: 'status',
  option1name: 'option1Name',
  option1value: 'option1Value',
  option2name: 'option2Name',
  option2value: 'option2Value',
  option3name: 'option3Name',
  option3value: 'option3Value',
  variantsku: 'sku',
  sku: 'sku',
  variantbarcode: 'barcode',
  barcode: 'barcode',
  variantgrams: 'weightGrams',
  weightvaluegrams: 'weightGrams',
  variantinventoryqty: 'quantity',
  inventoryquantity: 'quantity',
  variantprice: 'price',
  price: 'price',
  variantcompareatprice: 'compareAtPrice',
  compareatprice: 'compareAtPrice',
  variantrequiresshipping: 'requiresShipping',
  requiresshipping: 'requiresShipping',
  varianttaxable: 'taxable',
  chargetax: 'taxable',
  variantimage: 'variantImage',
  variantimageurl: 'variantImage',
  imagesrc: 'image',
  productimageurl: 'image',
  imageposition: 'imagePosition',
  imagealttext: 'imageAlt',
};

/** Google's product data specification: https://support.google.com/merchants/answer/7052112 */
export const GOOGLE_HEADERS: HeaderTable = {
  id: 'sku',
  itemgroupid: 'handle',
  title: 'title',
  description: 'description',
  price: 'price',
  saleprice: 'salePrice',
  salepriceeffectivedate: 'salePriceDates',
  availability: 'availability',
  brand: 'vendor',
  gtin: 'barcode',
  color: 'color',
  size: 'size',
  material: 'material',
  pattern: 'pattern',
  imagelink: 'image',
  additionalimagelink: 'additionalImages',
  producttype: 'type',
  shippingweight: 'weight',
};

/** What other programs call it; of two columns with one meaning, the first is read. */
export const GENERIC_HEADERS: HeaderTable = {
  ...synonyms(
    'handle',
    'handle urlhandle slug producthandle parent parentsku parentid groupid itemgroupid productid',
  ),
  ...synonyms('title', 'title name producttitle productname itemname item product'),
  ...synonyms(
    'description',
    'description body bodyhtml descriptionhtml productdescription longdescription details',
  ),
  ...synonyms('vendor', 'vendor brand manufacturer supplier make'),
  ...synonyms('type', 'type producttype category categories productcategory department'),
  ...synonyms('tags', 'tags tag keywords labels'),
  ...synonyms('status', 'status productstatus state'),
  ...synonyms('published', 'published active enabled visible online'),
  ...synonyms('option1Name', 'option1name optionname1'),
  ...synonyms('option1Value', 'option1value optionvalue1 option1 option variant variantname'),
  ...synonyms('option2Name', 'option2name optionname2'),
  ...synonyms('option2Value', 'option2value optionvalue2 option2'),
  ...synonyms('option3Name', 'option3name optionname3'),
  ...synonyms('option3Value', 'option3value optionvalue3 option3'),
  ...synonyms('color', 'color colour'),
  ...synonyms('size', 'size'),
  ...synonyms('material', 'material fabric'),
  ...synonyms('pattern', 'pattern'),
  ...synonyms(
    'sku',
    'sku variantsku itemnumber itemno articlenumber articleno partnumber partno code itemcode stockcode id',
  ),
  ...synonyms('barcode', 'barcode variantbarcode gtin ean ean13 upc isbn'),
  ...synonyms('price', 'price variantprice unitprice sellingprice regularprice retailprice'),
  ...synonyms(
    'compareAtPrice',
    'compareatprice variantcompareatprice msrp rrp listprice originalprice oldprice',
  ),
  ...synonyms('salePrice', 'saleprice specialprice discountprice offerprice'),
  ...synonyms('currency', 'currency currencycode pricecurrency'),
  ...synonyms(
    'quantity',
    'quantity qty stock stockquantity stockqty inventory inventoryquantity inventoryqty variantinventoryqty onhand',
  ),
  ...synonyms('availability', 'availability stockstatus'),
  ...synonyms('weightGrams', 'weightgrams weightvaluegrams grams variantgrams'),
  ...synonyms('weight', 'weight shippingweight itemweight'),
  ...synonyms('weightUnit', 'weightunit unitofweight variantweightunit'),
  ...synonyms('requiresShipping', 'requiresshipping variantrequiresshipping shippable physical'),
  ...synonyms('taxable', 'taxable varianttaxable chargetax'),
  ...synonyms('variantImage', 'variantimage variantimageurl'),
  ...synonyms(
    'image',
    'image imageurl imagesrc imagelink mainimage picture pictureurl photo productimage productimageurl',
  ),
  ...synonyms('imagePosition', 'imageposition'),
  ...synonyms('imageAlt', 'imagealt imagealttext alttext'),
  ...synonyms('additionalImages', 'additionalimages additionalimagelink images otherimages gallery'),
};

function synonyms(field: ProductField, keys: string): HeaderTable {
  return Object.fromEntries(keys.split(' ').map((key) => [key, field]));
}
