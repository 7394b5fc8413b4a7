import type { CatalogProduct } from '../../domain/product.ts';
import type { ProductField } from './fields.ts';
import type { ProductLayout } from './layout.ts';
import type { RowCells } from './row-cells.ts';
import { parseBoolean, parseStatus, parseText } from './values/simple.ts';
import type { CellResult } from './values/cell.ts';

/** An option's name as the file gives it; without one, the stored name stays, and a new option gets `fallback`. */
export interface OptionName {
  readonly given: string | null;
  readonly fallback: string;
}

type OwnColumns = Omit<CatalogProduct, 'id' | 'handle' | 'optionNames'>;

/** What a product's first row says about it. `undefined` keeps what is stored, null and [] clear it. */
export type ProductCells = { readonly [Column in keyof OwnColumns]?: OwnColumns[Column] | undefined } & {
  readonly optionNames?: readonly OptionName[] | undefined;
};

/** The names that a product gets, given those that it has. */
export function optionNames(names: readonly OptionName[], stored: readonly string[]): readonly string[] {
  return names.map(({ given, fallback }, index) => given ?? (stored[index] || fallback));
}

const DESCRIPTION_CHARACTERS_MAX = 512 * 1024;
const NAME_CHARACTERS_MAX = 255;
const TAGS_MAX = 250;

/**
 * Reads a product's own columns. A row with a title speaks for the whole product: its blank cells clear what is
 * stored. A row without one adds only what it does say.
 */
export function readProduct(cells: RowCells, layout: ProductLayout): ProductCells {
  const title = cells.read('title', (text) => parseText(text, NAME_CHARACTERS_MAX)) ?? undefined;
  const whole = cells.text('title') !== '';
  const column = <T>(
    field: ProductField,
    parse: (text: string) => CellResult<T>,
    blank: T | null,
  ): T | null | undefined =>
    cells.read(field, parse) ?? (whole && layout.columns.has(field) ? blank : undefined);
  const name = (text: string): CellResult<string> => parseText(text, NAME_CHARACTERS_MAX);
  return {
    title,
    descriptionHtml: column('description', (text) => parseText(text, DESCRIPTION_CHARACTERS_MAX), null),
    vendor: column('vendor', name, null),
    productType: column('type', name, null),
    tags: column('tags', parseTags, []) ?? undefined,
    status: readStatus(cells),
    optionNames: readOptionNames(cells, layout, whole),
  };
}

function readStatus(cells: RowCells): CatalogProduct['status'] | undefined {
  const status = cells.read('status', parseStatus);
  const published = cells.read('published', parseBoolean);
  if (status !== null || published === null) return status ?? undefined;
  return published ? 'active' : 'draft';
}

function parseTags(text: string): CellResult<string[]> {
  const tags = [...new Set(text.split(',').map((tag) => tag.trim()))].filter((tag) => tag !== '');
  if (tags.length > TAGS_MAX)
    return { code: 'TOO_MANY_TAGS', message: `has ${tags.length} tags; at most ${TAGS_MAX} fit` };
  if (tags.every((tag) => tag.length <= NAME_CHARACTERS_MAX)) return { value: tags };
  return { code: 'VALUE_TOO_LONG', message: `has a tag of more than ${NAME_CHARACTERS_MAX} characters` };
}

/** Names for the positions up to the last option that the row gives a value or a name. */
function readOptionNames(
  cells: RowCells,
  layout: ProductLayout,
  whole: boolean,
): readonly OptionName[] | undefined {
  const names = layout.options.map(({ value, name, fallback }) => {
    const given = name ? cells.read(name, (text) => parseText(text, NAME_CHARACTERS_MAX)) : null;
    return { given, fallback: cells.text(value) === '' ? '' : fallback };
  });
  while (names.at(-1)?.given === null && names.at(-1)?.fallback === '') names.pop();
  const none =
    names.length === 1 && names[0]?.given === 'Title' && cells.text('option1Value') === 'Default Title';
  if (names.length > 0 && !none) return names;
  return whole && layout.options.length > 0 ? [] : undefined;
}
