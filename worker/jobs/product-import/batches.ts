import type { CsvRecord } from '../../../src/services/csv/records.ts';
import type { CsvTable } from '../../../src/services/csv/table.ts';

/** Records that are committed together. */
export interface RecordBatch {
  readonly records: readonly CsvRecord[];
  /** Data records of the file up to the end of this batch, blank ones included */
  readonly recordsRead: number;
  readonly bytesRead: number;
}

export interface BatchLimits {
  readonly rows: number;
  /** Of all cells together, in characters */
  readonly characters: number;
}

/** Cuts a table into batches, without blank records and without the first `skip` records, which are done already. */
export async function* readBatches(
  table: CsvTable,
  skip: number,
  limits: BatchLimits,
): AsyncGenerator<RecordBatch> {
  let records: CsvRecord[] = [];
  let characters = 0;
  let recordsRead = 0;
  let bytesRead = 0;
  for await (const part of table.parts()) {
    for (const record of part.records) {
      recordsRead += 1;
      if (recordsRead <= skip || isBlank(record)) continue;
      records.push(record);
      for (const cell of record.cells) characters += cell.length;
      if (records.length < limits.rows && characters < limits.characters) continue;
      yield { records, recordsRead, bytesRead };
      records = [];
      characters = 0;
    }
    bytesRead = part.bytesRead;
  }
  yield { records, recordsRead, bytesRead };
}

function isBlank(record: CsvRecord): boolean {
  return record.cells.every((cell) => cell.trim() === '');
}
