import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ENTRIES_PER_PRODUCT_MAX } from '../../../src/services/products/plan-batch.ts';
import { MemoryCatalog } from './support.ts';

const COLUMNS = [
  'Handle',
  'Title',
  'Vendor',
  'Option1 Name',
  'Option1 Value',
  'Variant SKU',
  'Variant Price',
  'Image Src',
  'Image Position',
];
const mug = ['mug', 'Mug', 'Oak', 'Size', 'S', 'M-S', '5.00', 'https://x.example/1.jpg', '1'];
const mugLarge = ['mug', '', '', '', 'L', 'M-L', '7.00', '', ''];
const picture = ['mug', '', '', '', '', '', '', 'https://x.example/2.jpg', '2'];
const pot = ['pot', 'Pot', 'Oak', '', '', 'P-1', '30.00', '', ''];

const edit = (row: string[], changes: Record<string, string>): string[] =>
  row.map((cell, index) => changes[COLUMNS[index] ?? ''] ?? cell);

describe('rows become products, variants and pictures', () => {
  it('one product for the rows with one handle', () => {
    const catalog = new MemoryCatalog();
    const { tally, items } = catalog.import(COLUMNS, [mug, mugLarge, picture, pot]);
    expect(items).toEqual([]);
    expect(tally).toMatchObject({
      created: 4,
      updated: 0,
      unchanged: 0,
      rejected: 0,
      productsCreated: 2,
      variantsCreated: 3,
    });
    expect(catalog.snapshot().products).toMatchObject([
      { handle: 'mug', title: 'Mug', vendor: 'Oak', status: 'active', optionNames: ['Size'] },
      { handle: 'pot', title: 'Pot', optionNames: [] },
    ]);
    expect(
      catalog.snapshot().variants.map(({ sku, optionValues, price }) => [sku, optionValues, price]),
    ).toEqual([
      ['M-S', ['S'], '5.0000'],
      ['M-L', ['L'], '7.0000'],
      ['P-1', [], '30.0000'],
    ]);
    expect(catalog.snapshot().images.map(({ url, position }) => [url, position])).toEqual([
      ['https://x.example/1.jpg', 1],
      ['https://x.example/2.jpg', 2],
    ]);
  });

  it('the same file again changes nothing', () => {
    const catalog = new MemoryCatalog();
    catalog.import(COLUMNS, [mug, mugLarge, picture, pot]);
    const before = catalog.snapshot();
    const { tally } = catalog.import(COLUMNS, [mug, mugLarge, picture, pot]);
    expect(tally).toMatchObject({
      created: 0,
      updated: 0,
      unchanged: 4,
      productsUpdated: 0,
      variantsUpdated: 0,
    });
    expect(catalog.snapshot()).toEqual(before);
  });

  it('rows that are absent touch nothing, and so do columns', () => {
    const catalog = new MemoryCatalog();
    catalog.import(COLUMNS, [mug, mugLarge, pot]);
    const layoutColumns = ['Handle', 'Variant SKU', 'Variant Price', 'Option1 Value'];
    const { tally } = catalog.import(layoutColumns, [['mug', 'M-S', '6.00', 'S']]);
    expect(tally).toMatchObject({ updated: 1, productsUpdated: 0, variantsUpdated: 1 });
    expect(catalog.snapshot().products).toMatchObject([
      { title: 'Mug', vendor: 'Oak', optionNames: ['Size'] },
      { title: 'Pot' },
    ]);
    expect(catalog.snapshot().variants.map(({ price }) => price)).toEqual(['6.0000', '7.0000', '30.0000']);
  });

  it('a row with a title clears what its blank cells name; one without keeps it', () => {
    const catalog = new MemoryCatalog();
    catalog.import(COLUMNS, [mug]);
    catalog.import(COLUMNS, [mugLarge]);
    expect(catalog.snapshot().products).toMatchObject([
      { title: 'Mug', vendor: 'Oak', optionNames: ['Size'] },
    ]);
    catalog.import(COLUMNS, [edit(mug, { Vendor: '' })]);
    expect(catalog.snapshot().products).toMatchObject([{ title: 'Mug', vendor: null }]);
  });

  it('without a SKU, the option values are the identity', () => {
    const catalog = new MemoryCatalog();
    const small = edit(mug, { 'Variant SKU': '' });
    catalog.import(COLUMNS, [small, edit(mugLarge, { 'Variant SKU': '' })]);
    const { tally } = catalog.import(COLUMNS, [edit(small, { 'Variant Price': '5.50' })]);
    expect(tally).toMatchObject({ updated: 1, variantsUpdated: 1, variantsCreated: 0 });
    expect(catalog.snapshot().variants.map(({ price }) => price)).toEqual(['5.5000', '7.0000']);
  });
});

describe('bad rows', () => {
  it('reject their variant only: the product comes from its first row even then', () => {
    const catalog = new MemoryCatalog();
    const { tally, items } = catalog.import(COLUMNS, [edit(mug, { 'Variant Price': 'five' }), mugLarge]);
    expect(tally).toMatchObject({ created: 1, rejected: 1, productsCreated: 1, variantsCreated: 1 });
    expect(items).toEqual([
      {
        row: 2,
        column: 'Variant Price',
        value: 'five',
        code: 'INVALID_PRICE',
        message: 'Variant Price "five" is not a price. Write it like 12.50.',
        outcome: 'failed',
      },
    ]);
    expect(catalog.snapshot().products).toMatchObject([{ title: 'Mug', vendor: 'Oak' }]);
  });

  it('a new product without a title takes all its rows with it, and they say which row is to blame', () => {
    for (const sizes of [[3], [1]]) {
      const catalog = new MemoryCatalog();
      const { tally, items } = catalog.import(COLUMNS, [edit(mug, { Title: '' }), mugLarge, pot], { sizes });
      expect(tally).toMatchObject({ created: 1, rejected: 2 });
      expect(items.map(({ row, code }) => [row, code])).toEqual([
        [2, 'TITLE_MISSING'],
        [3, 'PRODUCT_REJECTED'],
      ]);
      expect(items[1]?.message).toContain('row 2');
      expect(catalog.snapshot().products).toMatchObject([{ handle: 'pot' }]);
    }
  });

  it('a row without a handle is rejected with every fault that it has', () => {
    const { items } = new MemoryCatalog().import(COLUMNS, [edit(mug, { Handle: '', 'Variant Price': '-1' })]);
    expect(items.map(({ code }) => code).sort()).toEqual(['HANDLE_MISSING', 'NEGATIVE_PRICE']);
  });

  it('a useless picture is left out with a warning, but fails a row that is about nothing else', () => {
    const catalog = new MemoryCatalog();
    const { tally, items } = catalog.import(COLUMNS, [
      edit(mug, { 'Image Src': 'x.jpg' }),
      edit(picture, { 'Image Src': 'y.jpg' }),
    ]);
    expect(tally).toMatchObject({ created: 1, warned: 1, rejected: 1 });
    expect(items.map(({ code, outcome }) => [code, outcome])).toEqual([
      ['INVALID_URL', 'warned'],
      ['INVALID_URL', 'failed'],
    ]);
  });

  it('a file that gives one product more than it can have is stopped there', () => {
    const rows = Array.from({ length: ENTRIES_PER_PRODUCT_MAX + 2 }, (_, index) =>
      edit(pot, { 'Variant SKU': `P-${index}` }),
    );
    const { tally, items } = new MemoryCatalog().import(COLUMNS, rows, { sizes: [2_000] });
    expect(tally).toMatchObject({ created: ENTRIES_PER_PRODUCT_MAX, rejected: 2 });
    expect(items[0]?.code).toBe('TOO_MANY_VARIANTS');
  });
});

describe('duplicates in one file', () => {
  const rows = [mug, edit(mug, { 'Variant Price': '6.00' }), edit(mug, { 'Variant Price': '6.00' })];

  it.each([[[3]], [[1]], [[2]]])('in batches of %s: the last wins and the later rows are warned', (sizes) => {
    const catalog = new MemoryCatalog();
    const { tally, items } = catalog.import(COLUMNS, rows, { sizes });
    expect(catalog.snapshot().variants).toMatchObject([{ sku: 'M-S', price: '6.0000' }]);
    expect(items.map(({ row, code, outcome }) => [row, code, outcome])).toEqual([
      [3, 'DUPLICATE_VARIANT', 'warned'],
      [4, 'DUPLICATE_VARIANT', 'warned'],
    ]);
    expect(tally).toMatchObject({
      created: 1,
      updated: 1,
      unchanged: 1,
      warned: 2,
      variantsCreated: 1,
      variantsUpdated: 0,
    });
  });

  it('a dry run counts the same and writes nothing', () => {
    for (const sizes of [[3], [1]]) {
      const dry = new MemoryCatalog();
      const real = new MemoryCatalog();
      const counted = dry.import(COLUMNS, [...rows, mugLarge, picture], { sizes, dryRun: true });
      expect(counted).toEqual(real.import(COLUMNS, [...rows, mugLarge, picture], { sizes }));
      expect(dry.snapshot()).toEqual({ products: [], variants: [], images: [] });
    }
  });
});

describe('batch edges', () => {
  const cell = (values: string[]) => fc.constantFrom(...values);
  const row = fc.tuple(
    cell(['mug', 'pot', 'tea', '']),
    cell(['Mug', '', '', 'Pot']),
    cell(['Oak', '', 'Elm']),
    cell(['', 'Size']),
    cell(['', 'S', 'L']),
    cell(['', 'A', 'B', 'C']),
    cell(['', '1', '2.50', 'x']),
    cell(['', '', 'https://x.example/1.jpg', 'https://x.example/2.jpg', 'bad']),
    cell(['', '1', '2']),
  );
  const file = fc.array(row, { maxLength: 25 });
  const sizes = fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 6 });

  it('make no difference to the catalog, the counts or the ledger', () => {
    fc.assert(
      fc.property(file, file, sizes, (before, rows, cut) => {
        const whole = new MemoryCatalog();
        const parts = new MemoryCatalog();
        const dry = new MemoryCatalog();
        for (const catalog of [whole, parts, dry]) catalog.import(COLUMNS, before);
        const expected = whole.import(COLUMNS, rows);
        expect(dry.import(COLUMNS, rows, { sizes: cut, dryRun: true })).toEqual(expected);
        expect(parts.import(COLUMNS, rows, { sizes: cut })).toEqual(expected);
        expect(parts.snapshot()).toEqual(whole.snapshot());
        const { created, updated, unchanged, rejected } = expected.tally;
        expect(created + updated + unchanged + rejected).toBe(rows.length);
      }),
      { numRuns: 1_000 },
    );
  });
});
