import Papa from 'papaparse';
import { z } from 'zod';
import type { Dialect } from './dialect.ts';
import { invalidFile } from './invalid-file.ts';

/** One record of the file, cells as they stand there. */
export interface CsvRecord {
  /** The header is 1; blank lines behind it count, so that it is the row that a spreadsheet shows */
  readonly row: number;
  readonly cells: readonly string[];
  /** A quotation mark stands where none may: where the cells end is a guess */
  readonly malformed: boolean;
  /** A cell holds U+FFFD, which stands for bytes that are no character */
  readonly broken: boolean;
}

/** A longer record is a forgotten quotation mark, not a product. In characters */
export const RECORD_CHARACTERS_MAX = 4 * 1024 * 1024;

const REPLACEMENT = '\uFFFD';

/** What papaparse's parser answers; its own types say `any`. */
const parsed = z.object({
  data: z.custom<string[][]>((value) => Array.isArray(value)),
  errors: z.array(z.object({ code: z.string(), row: z.number().optional() })),
  meta: z.object({ cursor: z.number() }),
});

/** Cuts text into records, piece by piece; a record that is not whole yet waits for the next piece. */
export interface RecordReader {
  /** @throws JobFailure INVALID_FILE on a record that is too long */
  write(text: string): CsvRecord[];
  /** The rest. @throws JobFailure INVALID_FILE when a quoted cell never ends */
  end(): CsvRecord[];
}

export function createRecordReader(dialect: Dialect): RecordReader {
  const parser = new Papa.Parser({ delimiter: dialect.delimiter, newline: dialect.lineEnd, quoteChar: '"' });
  let row = 0;
  let rest = '';
  let pieces: string[] = [];
  let waiting = 0;

  const take = (final: boolean): CsvRecord[] => {
    const text = rest + pieces.join('');
    pieces = [];
    waiting = 0;
    const { data, errors, meta } = parsed.parse(parser.parse(text, 0, !final));
    rest = final ? '' : text.slice(meta.cursor);
    if (final && errors.some(({ code }) => code === 'MissingQuotes')) throw neverClosed(row + data.length);
    if (rest.length > RECORD_CHARACTERS_MAX) throw tooLong(row + data.length + 1);
    const faulty = new Set(errors.map((error) => error.row));
    const broken = text.includes(REPLACEMENT);
    return data.map((cells, index) => {
      row += 1;
      dropCarriageReturn(cells, dialect);
      return {
        row,
        cells,
        malformed: faulty.has(index),
        broken: broken && cells.some((cell) => cell.includes(REPLACEMENT)),
      };
    });
  };

  return {
    write(text) {
      pieces.push(text);
      waiting += text.length;
      // A long record is not parsed again with every piece, only when there is as much new text as old.
      return waiting < rest.length ? [] : take(false);
    },
    end: () => (rest === '' && waiting === 0 ? [] : take(true)),
  };
}

/** Lines end with LF for the parser: of a CRLF, the CR is still there when the last cell has no quotes around it. */
function dropCarriageReturn(cells: string[], dialect: Dialect): void {
  const last = cells.at(-1);
  if (dialect.lineEnd === '\n' && last?.endsWith('\r')) cells[cells.length - 1] = last.slice(0, -1);
}

function neverClosed(row: number): Error {
  return invalidFile(
    `A quotation mark that opens in row ${row} is never closed. Close it, or double it if it belongs to the text.`,
  );
}

function tooLong(row: number): Error {
  const megabytes = RECORD_CHARACTERS_MAX / 1024 ** 2;
  return invalidFile(
    `Row ${row} is longer than ${megabytes} MB. Most likely a quotation mark in it is never closed.`,
  );
}
