/**
 * What a column of a product file can hold, in our words: the fields that a mapping may name, with what they mean.
 * A cell of `product` and `image` belongs to the product, one of `variant` to the row's own variant.
 */
export const PRODUCT_FIELDS = {
  handle: {
    scope: 'product',
    label: 'name of the product in addresses; rows with the same handle are one product',
  },
  title: { scope: 'product', label: 'title' },
  description: { scope: 'product', label: 'description, HTML' },
  vendor: { scope: 'product', label: 'vendor or brand' },
  type: { scope: 'product', label: 'product type' },
  tags: { scope: 'product', label: 'tags, separated by commas' },
  status: { scope: 'product', label: 'active, draft or archived' },
  published: { scope: 'product', label: 'true or false; false makes a draft where no status is given' },
  option1Name: { scope: 'product', label: 'name of the first option, such as Size' },
  option2Name: { scope: 'product', label: 'name of the second option' },
  option3Name: { scope: 'product', label: 'name of the third option' },
  option1Value: { scope: 'variant', label: 'value of the first option, such as XL' },
  option2Value: { scope: 'variant', label: 'value of the second option' },
  option3Value: { scope: 'variant', label: 'value of the third option' },
  color: { scope: 'variant', label: 'color, an option of its own' },
  size: { scope: 'variant', label: 'size, an option of its own' },
  material: { scope: 'variant', label: 'material, an option of its own' },
  pattern: { scope: 'variant', label: 'pattern, an option of its own' },
  sku: { scope: 'variant', label: 'SKU' },
  barcode: { scope: 'variant', label: 'barcode, GTIN or EAN' },
  price: { scope: 'variant', label: 'price' },
  compareAtPrice: { scope: 'variant', label: 'price before a reduction' },
  salePrice: { scope: 'variant', label: 'reduced price; makes the price the one before' },
  salePriceDates: { scope: 'variant', label: 'period of the reduced price' },
  currency: { scope: 'variant', label: 'currency of the prices, such as EUR' },
  quantity: { scope: 'variant', label: 'pieces in stock' },
  availability: { scope: 'variant', label: 'in_stock, out_of_stock, preorder or backorder' },
  weightGrams: { scope: 'variant', label: 'weight in grams' },
  weight: { scope: 'variant', label: 'weight, with its unit or one in weightUnit' },
  weightUnit: { scope: 'variant', label: 'unit of the weight: g, kg, lb or oz' },
  requiresShipping: { scope: 'variant', label: 'true or false' },
  taxable: { scope: 'variant', label: 'true or false' },
  variantImage: { scope: 'variant', label: 'address of the picture of the variant' },
  image: { scope: 'image', label: 'address of a picture of the product' },
  imagePosition: { scope: 'image', label: 'place of the picture, 1 is first' },
  imageAlt: { scope: 'image', label: 'what the picture shows, in words' },
  additionalImages: { scope: 'image', label: 'addresses of further pictures, separated by commas' },
} as const;

export type ProductField = keyof typeof PRODUCT_FIELDS;

export const PRODUCT_FIELD_NAMES = Object.keys(PRODUCT_FIELDS).filter(isProductField);

export function isProductField(name: string): name is ProductField {
  return Object.hasOwn(PRODUCT_FIELDS, name);
}

/** Where the value of an option stands, where its name, and what it is called when nothing names it; in order. */
export const OPTION_FIELDS: readonly { value: ProductField; name: ProductField | null; fallback: string }[] =
  [
    { value: 'option1Value', name: 'option1Name', fallback: 'Option 1' },
    { value: 'option2Value', name: 'option2Name', fallback: 'Option 2' },
    { value: 'option3Value', name: 'option3Name', fallback: 'Option 3' },
    { value: 'color', name: null, fallback: 'Color' },
    { value: 'size', name: null, fallback: 'Size' },
    { value: 'material', name: null, fallback: 'Material' },
    { value: 'pattern', name: null, fallback: 'Pattern' },
  ];
