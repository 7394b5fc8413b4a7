/** A product file of `products` × 3 rows in Shopify's layout; every `badEvery`th row has a price that is none. */
export function catalogFile(
  products: number,
  badEvery = 0,
): { readonly text: string; readonly rows: number; readonly bad: number } {
  const lines = ['Handle,Title,Vendor,Option1 Name,Option1 Value,Variant SKU,Variant Price'];
  let bad = 0;
  for (let product = 1; product <= products; product += 1) {
    for (const [index, size] of ['S', 'M', 'L'].entries()) {
      const row = (product - 1) * 3 + index + 1;
      const isBad = badEvery > 0 && row % badEvery === 0;
      if (isBad) bad += 1;
      const title = index === 0 ? [`Shirt ${product}`, 'Loom & Sons', 'Size'] : ['', '', ''];
      lines.push(
        [
          `shirt-${product}`,
          ...title,
          size,
          `SHIRT-${product}-${size}`,
          isBad ? 'soon' : `${10 + index}.50`,
        ].join(','),
      );
    }
  }
  return { text: `${lines.join('\r\n')}\r\n`, rows: products * 3, bad };
}
