import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JobFailure } from '../../../src/domain/errors.ts';
import { RECORD_CHARACTERS_MAX } from '../../../src/services/csv/records.ts';
import { SAMPLE_BYTES } from '../../../src/services/csv/table.ts';
import { GUESS_WINDOW_BYTES } from '../../../src/services/csv/text.ts';
import { testDataFile } from '../../support/test-data.ts';
import { cut, readChunks, readText } from './support.ts';

const ACCENTS = 'Name;Preis\nKäsebrett;12,50\nTasse "Glück";9,00\n';
const ACCENT_ROWS = [
  ['Käsebrett', '12,50'],
  ['Tasse "Glück"', '9,00'],
];

function utf16be(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16();
}

describe('encodings', () => {
  const encodings: [string, Buffer][] = [
    ['UTF-8', Buffer.from(ACCENTS)],
    ['UTF-8 with a byte order mark', Buffer.from(`\uFEFF${ACCENTS}`)],
    ['UTF-16 LE with a byte order mark', Buffer.from(`\uFEFF${ACCENTS}`, 'utf16le')],
    ['UTF-16 BE with a byte order mark', utf16be(`\uFEFF${ACCENTS}`)],
    ['UTF-16 LE without one', Buffer.from(ACCENTS, 'utf16le')],
    ['UTF-16 BE without one', utf16be(ACCENTS)],
    ['Latin-1', Buffer.from(ACCENTS, 'latin1')],
  ];
  it.each(encodings)('%s reads as what was written', async (_, bytes) => {
    const table = await readChunks([bytes]);
    expect(table.columns).toEqual(['Name', 'Preis']);
    expect(table.rows).toEqual(ACCENT_ROWS);
    expect(table.delimiter).toBe(';');
  });

  it('reads the characters that Windows-1252 has beyond Latin-1', async () => {
    const bytes = Buffer.concat([
      Buffer.from('name,price\nMug '),
      Buffer.from([0x93, 0x80, 0x94]),
      Buffer.from(',1\n'),
    ]);
    expect((await readChunks([bytes])).rows).toEqual([['Mug “€”', '1']]);
  });

  it('takes a file whose only accents come after its first megabyte for what they are', async () => {
    const plain = `name,price\n${'Mug,1\n'.repeat(200_000)}`;
    const last = async (bytes: Buffer) => (await readChunks(cut(bytes, [SAMPLE_BYTES, 999_999]))).rows.at(-1);
    expect(await last(Buffer.from(`${plain}Käse,2\n`))).toEqual(['Käse', '2']);
    expect(await last(Buffer.from(`${plain}Käse,2\n`, 'latin1'))).toEqual(['Käse', '2']);
  });

  it('keeps the accents of a UTF-8 file that holds one broken byte', async () => {
    const bytes = Buffer.concat([
      Buffer.from('name\nx'),
      Buffer.from([0xe4]),
      Buffer.from('\nKäse\nBröd\nœuf\n'),
    ]);
    expect((await readChunks([bytes])).rows.flat()).toEqual(['x\uFFFD', 'Käse', 'Bröd', 'œuf']);
  });

  it('decides the same when a character is cut by the edge of the window that decides', async () => {
    const bytes = Buffer.from(`name\n${'é'.repeat(GUESS_WINDOW_BYTES)}x€\n`);
    const text = (await readChunks(cut(bytes, [GUESS_WINDOW_BYTES + 4, GUESS_WINDOW_BYTES + 7])))
      .rows[0]?.[0];
    expect(text?.replaceAll('é', '')).toBe('x€');
  });

  it('drops NUL characters, which Postgres cannot store', async () => {
    expect((await readText('name,sku\nMu\0g,A\0\n')).rows).toEqual([['Mug', 'A']]);
  });
});

describe('records', () => {
  const cases: [string, string, string[][]][] = [
    ['quoted delimiters, quotes and line breaks', 'a,b\n"x, y","say ""hi""\nthere"\n', [['x, y', 'say "hi"\nthere']]],
    ['CRLF, and a last record without line end', 'a,b\r\n1,2\r\n"3","4"', [['1', '2'], ['3', '4']]],
    ['CR alone', 'a,b\r1,2\r"x\ry",3\r', [['1', '2'], ['x\ry', '3']]],
    ['CRLF and LF in one file', 'a,b\r\n1,2\n3,"4"\r\n5,6\n', [['1', '2'], ['3', '4'], ['5', '6']]],
    ['LF inside cells of a file with CRLF', 'a,b\r\n"x\ny",2\r\n', [['x\ny', '2']]],
    ['tabs', 'a\tb\n1,5\t2\n', [['1,5', '2']]],
    ['short and long records as they are', 'a,b\n1\n1,2,3\n', [['1'], ['1', '2', '3']]],
    ['quotes inside a cell that has none around it', 'a,b\n5" pipe,2\n', [['5" pipe', '2']]],
    ["Excel's separator line", 'sep=;\r\na;b,c\r\n1;2\r\n', [['1', '2']]],
    ['a delimiter inside a quoted header cell', '"a, b, c";d\n1;2\n', [['1', '2']]],
    ['blank lines before the header', '\n\n,\na,b\n1,2\n', [['1', '2']]],
  ]; // prettier-ignore
  it.each(cases)('%s', async (_, text, rows) => {
    expect((await readText(text)).rows).toEqual(rows);
  });

  it('numbers records as a spreadsheet does: the header is 1 and blank lines count', async () => {
    expect((await readText('\na,b\n1,2\n\n"x\ny",3\n')).numbers).toEqual([2, 3, 4]);
  });

  it('marks a record whose quotes leave the ends of its cells to guessing', async () => {
    expect((await readText('a,b\n"x"y",2\n3,4\n')).malformed).toEqual([2]);
  });

  it('counts the bytes it read to the end of the file', async () => {
    const bytes = Buffer.from(`a,b\n${'ä,1\n'.repeat(300_000)}`);
    expect((await readChunks(cut(bytes, [400_000, 800_000]))).bytesRead).toBe(bytes.length);
  });

  it('names columns without blanks around them, and which names are doubled', async () => {
    const table = await readText('\uFEFF Title , SKU,,title\n1,2,3,4\n');
    expect(table.columns).toEqual(['Title', 'SKU', '', 'title']);
  });

  const cell = fc.oneof(
    fc.string({
      maxLength: 12,
      unit: fc.constantFrom('a', ',', ';', '"', '\n', '\r', '\t', ' ', 'é', '€', '😀'),
    }),
    fc.constant(''),
  );
  const table = fc.record({
    rows: fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { maxLength: 12 }),
    places: fc.array(fc.nat(), { maxLength: 20 }),
    lineEnd: fc.constantFrom('\n', '\r\n'),
    delimiter: fc.constantFrom(',', ';', '\t'),
    encoding: fc.constantFrom<BufferEncoding>('utf8', 'utf16le'),
  });

  it('are what was written, however the bytes are cut into chunks', async () => {
    await fc.assert(
      fc.asyncProperty(table, async ({ rows, places, lineEnd, delimiter, encoding }) => {
        const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
        const lines = [['first', 'second'], ...rows].map(
          (cells) => cells.map(quoted).join(delimiter) + lineEnd,
        );
        const mark = encoding === 'utf16le' ? '\uFEFF' : '';
        const read = await readChunks(cut(Buffer.from(mark + lines.join(''), encoding), places));
        // A CR at the very end of a record cannot be told from that of a CRLF.
        expect(read.rows).toEqual(
          rows.map((cells) => cells.with(-1, cells.at(-1)?.replace(/\r$/, '') ?? '')),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('are the same for every cut, for any text at all', async () => {
    const noise = fc.string({
      maxLength: 60,
      unit: fc.constantFrom('a', 'b', ',', '"', '\n', '\r', ' ', 'é', ';'),
    });
    const outcome = async (chunks: Uint8Array[]): Promise<unknown> =>
      readChunks(chunks).catch((error: unknown) =>
        error instanceof JobFailure ? error.message : Promise.reject(error),
      );
    await fc.assert(
      fc.asyncProperty(
        noise,
        fc.array(fc.nat(), { maxLength: 10 }),
        fc.boolean(),
        async (text, places, latin) => {
          const bytes = Buffer.from(`h1,h2\n${text}`, latin ? 'latin1' : 'utf8');
          expect(await outcome(cut(bytes, places))).toEqual(await outcome([bytes]));
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

describe('a file that is no CSV is refused in words for people', () => {
  const zip = (member: string): Buffer => Buffer.from(`PK\x03\x04\x14\0\0\0${member}`, 'latin1');
  const cases: [string, Buffer, RegExp][] = [
    ['empty', Buffer.alloc(0), /empty/],
    ['blank', Buffer.from(' \n\n  '), /empty/],
    ['Excel', zip('[Content_Types].xml ... xl/workbook.xml'), /Excel workbook \(\.xlsx\).*Save it as CSV/],
    ['old Excel', Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1]), /Excel workbook \(\.xls\)/],
    ['ZIP', zip('products.csv'), /ZIP archive/],
    ['PDF', Buffer.from('%PDF-1.7\n%âãÏÓ'), /PDF/],
    ['PNG', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), /picture/],
    ['a web page', Buffer.from('\n<!DOCTYPE html><html><body>Sign in</body></html>'), /web page/],
    ['XML', Buffer.from('<?xml version="1.0"?><rss></rss>'), /XML/],
    ['JSON', Buffer.from('[{"title": "Mug"}]'), /JSON/],
    ['noise', Buffer.from(Array.from({ length: 4_000 }, (_, index) => (index * 7_919) % 256)), /not text/],
    ['a quote that never closes', Buffer.from('a,b\n1,2\n3,"4\n5,6\n'), /opens in row 3 is never closed/],
    ['too many columns', Buffer.from(`${'a,'.repeat(2_000)}a\n`), /2001 columns; at most 2000/],
  ];
  it.each(cases)('%s', async (_, bytes, message) => {
    const failure = await readChunks([bytes]).then(
      () => null,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(JobFailure);
    expect(failure).toMatchObject({
      code: 'INVALID_FILE',
      next: { type: 'never' },
      message: expect.stringMatching(message),
    });
  });

  it('a record without end, before it fills the memory', async () => {
    const chunk = Buffer.from('x'.repeat(64 * 1024));
    let served = 0;
    async function* endless(): AsyncGenerator<Buffer> {
      await Promise.resolve();
      yield Buffer.from('a,b\n1,"');
      for (;;) {
        served += chunk.length;
        yield chunk;
      }
    }
    const { openTable } = await import('../../../src/services/csv/table.ts');
    const table = await openTable(endless());
    await expect(async () => {
      for await (const part of table.parts()) expect(part.records).toEqual([]);
    }).rejects.toThrow(/Row 2 is longer than 4 MB/);
    expect(served).toBeLessThan(4 * RECORD_CHARACTERS_MAX);
  });
});

describe('files as other programs write them', () => {
  // Our own equivalents stand above; with the folder at hand the originals are read as well.
  const originals: [string, string[], string[] | undefined][] = [
    ['csv-edge/csvparser-utf16-big.csv', ['a', 'b', 'c'], ['4', '5', 'ʤ']],
    ['csv-edge/csvparser-utf16.csv', ['a', 'b', 'c'], ['4', '5', 'ʤ']],
    ['csv-edge/csvparser-latin.csv', ['a', 'b', 'c'], ['4', '5', '©']],
    ['csv-edge/csvparser-mac-newlines.csv', ['a', 'b', 'c'], ['Once upon\ra time', '5', '6']],
    ['csv-edge/papaparse-utf-8-bom-sample.csv', ['A', 'B', 'C'], ['X', 'Y', 'Z']],
    ['frictionless-mit/latin1.csv', ['id', 'name'], ['2', '©']],
    ['frictionless-mit/bom.csv', ['id', 'name'], ['2', '中国人']],
  ];
  it('are read as their authors meant them', async () => {
    for (const [path, columns, lastRow] of originals) {
      const file = testDataFile(path);
      const own = Buffer.from(
        `${columns.join(',')}\n${(lastRow ?? []).map((cell) => `"${cell}"`).join(',')}\n`,
      );
      const table = await readChunks([file ? readFileSync(file) : own]);
      expect([path, table.columns, table.rows.at(-1)]).toEqual([path, columns, lastRow]);
    }
  });
});
