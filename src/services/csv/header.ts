import { invalidFile } from './invalid-file.ts';

export const COLUMNS_MAX = 2_000;
const COLUMN_NAME_CHARACTERS_MAX = 1_000;

/** A column as the header names it, trimmed; "" where the header's cell is empty. */
export interface Column {
  readonly index: number;
  readonly name: string;
}

export interface Header {
  readonly columns: readonly Column[];
  /** Names that stand there more than once: only the first of such columns is read */
  readonly repeated: readonly string[];
}

/** @throws JobFailure INVALID_FILE when there are too many columns or no name among them */
export function readHeader(cells: readonly string[]): Header {
  const names = cells.map((cell) => cell.trim().slice(0, COLUMN_NAME_CHARACTERS_MAX));
  if (names.every((name) => name === ''))
    throw invalidFile('The first row is blank: it must hold the names of the columns.');
  if (names.length > COLUMNS_MAX) {
    throw invalidFile(`The file has ${names.length} columns; at most ${COLUMNS_MAX} can be read.`);
  }
  const first = new Map<string, number>();
  const repeated = new Set<string>();
  names.forEach((name, index) => {
    const key = name.toLowerCase();
    if (name !== '' && first.has(key)) repeated.add(name);
    else first.set(key, index);
  });
  return { columns: names.map((name, index) => ({ index, name })), repeated: [...repeated] };
}
