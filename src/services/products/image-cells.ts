import type { CatalogImage } from '../../domain/product.ts';
import type { RowCells } from './row-cells.ts';
import { parsePosition, parseText, parseUrl } from './values/simple.ts';

/** A picture that a row names. */
export type ImageCells = Omit<CatalogImage, 'productId'>;

const IMAGES_PER_CELL_MAX = 20;

/**
 * The pictures of a row: its own, then the further ones of the same cell, by their place in it.
 * @param outcome what a useless address does: fails a row that is only about a picture, else leaves the picture out
 */
export function readImages(cells: RowCells, outcome: 'failed' | 'warned'): readonly ImageCells[] {
  const url = cells.read('image', parseUrl, outcome);
  const further = cells.text('additionalImages');
  if (url === null && further === '') return [];
  const position = cells.read('imagePosition', parsePosition, 'warned');
  const altText = cells.read('imageAlt', (text) => parseText(text, 512), 'warned');
  const images: ImageCells[] =
    url === null ? [] : [{ url, position: position ?? (further === '' ? null : 1), altText }];
  if (further !== '') images.push(...readFurther(cells, further));
  return images;
}

function readFurther(cells: RowCells, text: string): ImageCells[] {
  const urls = text.split(/\s*[,|]\s*(?=https?:)/i);
  if (urls.length > IMAGES_PER_CELL_MAX) {
    cells.fault(
      'additionalImages',
      'TOO_MANY_IMAGES',
      `has ${urls.length} addresses; the first ${IMAGES_PER_CELL_MAX} were taken`,
      'warned',
    );
  }
  return urls.slice(0, IMAGES_PER_CELL_MAX).flatMap((url, index) => {
    const result = parseUrl(url);
    if (result.code === undefined) return [{ url: result.value, position: index + 2, altText: null }];
    cells.fault('additionalImages', result.code, result.message, 'warned');
    return [];
  });
}
