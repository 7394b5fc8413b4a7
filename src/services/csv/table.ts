import { detectDialect, type Dialect } from './dialect.ts';
import { guessUtf16, readBom } from './encoding.ts';
import { refuseBinary, refuseOtherText } from './file-type.ts';
import { type Header, readHeader } from './header.ts';
import { invalidFile } from './invalid-file.ts';
import { createRecordReader, type CsvRecord } from './records.ts';
import { createDecoding } from './text.ts';

/** Bytes that are looked at before anything is decided; the header must be whole in them. */
export const SAMPLE_BYTES = 256 * 1024;

/** Records that became whole with one piece of the file. */
export interface RecordsPart {
  readonly records: readonly CsvRecord[];
  /** Bytes of the file read so far */
  readonly bytesRead: number;
}

/** A file of delimited text, opened: its header is read, its records follow once, in order, as they are asked for. */
export interface CsvTable {
  readonly dialect: Dialect;
  readonly header: Header;
  /** @throws JobFailure INVALID_FILE at the place where the file turns out to be broken */
  parts(): AsyncIterable<RecordsPart>;
}

/** @throws JobFailure INVALID_FILE, in words for people, when the file is no CSV at all */
export async function openTable(source: AsyncIterable<Uint8Array>): Promise<CsvTable> {
  const chunks = source[Symbol.asyncIterator]();
  const { sample, behind, ended } = await readSample(chunks);
  refuseBinary(sample);
  const bom = readBom(sample);
  const decoding = createDecoding(bom?.encoding ?? guessUtf16(sample));
  const text = decoding.write(sample.subarray(bom?.length ?? 0)) + (ended ? decoding.end() : '');
  refuseOtherText(text);
  const dialect = detectDialect(text);
  const reader = createRecordReader(dialect);
  const first = reader.write(text.slice(dialect.skip));
  if (ended) first.push(...reader.end());
  const start = first.findIndex(({ cells }) => cells.some((cell) => cell.trim() !== ''));
  const head = first[start];
  if (!head)
    throw invalidFile(
      'The first row, which must hold the names of the columns, does not end. Is this a CSV file?',
    );
  const header = readHeader(head.cells);
  const shift = head.row - 1;
  const numbered = (records: readonly CsvRecord[]): readonly CsvRecord[] =>
    shift === 0 ? records : records.map((record) => ({ ...record, row: record.row - shift }));

  return {
    dialect,
    header,
    async *parts() {
      let bytesRead = sample.length;
      yield { records: numbered(first.splice(0).slice(start + 1)), bytesRead };
      if (ended) return;
      if (behind.length > 0)
        yield {
          records: numbered(reader.write(decoding.write(behind))),
          bytesRead: (bytesRead += behind.length),
        };
      for (let next = await chunks.next(); !next.done; next = await chunks.next()) {
        bytesRead += next.value.length;
        yield { records: numbered(reader.write(decoding.write(toBuffer(next.value)))), bytesRead };
      }
      yield { records: numbered([...reader.write(decoding.end()), ...reader.end()]), bytesRead };
    },
  };
}

interface Sample {
  readonly sample: Buffer;
  /** What the last chunk held beyond the sample: how a file comes in chunks must not change how it is read */
  readonly behind: Buffer;
  readonly ended: boolean;
}

async function readSample(chunks: AsyncIterator<Uint8Array>): Promise<Sample> {
  const parts: Uint8Array[] = [];
  let length = 0;
  while (length <= SAMPLE_BYTES) {
    const next = await chunks.next();
    if (next.done) return { sample: Buffer.concat(parts), behind: Buffer.alloc(0), ended: true };
    parts.push(next.value);
    length += next.value.length;
  }
  const bytes = Buffer.concat(parts);
  return { sample: bytes.subarray(0, SAMPLE_BYTES), behind: bytes.subarray(SAMPLE_BYTES), ended: false };
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
