import { openTable } from '../../../src/services/csv/table.ts';

/** The whole file as one list: what a test compares. */
export interface ReadTable {
  readonly columns: string[];
  readonly rows: string[][];
  readonly numbers: number[];
  readonly malformed: number[];
  readonly delimiter: string;
  readonly bytesRead: number;
}

/** Reads bytes that arrive in the given chunks. */
export async function readChunks(chunks: readonly Uint8Array[]): Promise<ReadTable> {
  const table = await openTable(stream(chunks));
  const rows: string[][] = [];
  const numbers: number[] = [];
  const malformed: number[] = [];
  let bytesRead = 0;
  for await (const part of table.parts()) {
    bytesRead = part.bytesRead;
    for (const record of part.records) {
      rows.push([...record.cells]);
      numbers.push(record.row);
      if (record.malformed) malformed.push(record.row);
    }
  }
  const columns = table.header.columns.map((column) => column.name);
  return { columns, rows, numbers, malformed, delimiter: table.dialect.delimiter, bytesRead };
}

export async function readText(text: string, encoding: BufferEncoding = 'utf8'): Promise<ReadTable> {
  return readChunks([Buffer.from(text, encoding)]);
}

export async function* stream(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield* chunks;
}

/** Cuts bytes at the given places, in any order, doubled or beyond the end. */
export function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const edges = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge));
}
