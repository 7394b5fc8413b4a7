import type { LedgerItem } from '../../domain/job.ts';
import type { Column, Header } from '../csv/header.ts';
import type { CsvRecord } from '../csv/records.ts';
import type { Delimiter } from '../csv/dialect.ts';
import type { CsvTable } from '../csv/table.ts';
import { csvLine, restoreCell } from '../csv/writer.ts';

/** Columns that a file of rejected rows has behind those of the file it came from. */
export const REJECTED_COLUMNS = {
  row: 'millrace_row',
  code: 'millrace_code',
  message: 'millrace_message',
} as const;
const OWN_NAMES: ReadonlySet<string> = new Set(Object.values(REJECTED_COLUMNS));

/** Writes rejected rows in the layout they came in, with the reason behind them. */
export interface RejectedFile {
  /** The header line */
  readonly head: string;
  /** One line: the record's cells, its number, and each reason for its rejection */
  line(record: CsvRecord, row: number, items: readonly LedgerItem[]): string;
  /** The record's number in the file that it first came from: what our own column says, else its place here */
  originalRow(record: CsvRecord): number;
}

/** @param header of the source; where it is itself a file of rejected rows, its reasons are replaced by new ones */
export function rejectedFile(header: Header, delimiter: Delimiter): RejectedFile {
  const kept = header.columns.filter(({ name }) => !OWN_NAMES.has(name));
  const numbers = header.columns.find(({ name }) => name === REJECTED_COLUMNS.row);
  const csv = (cells: readonly string[]): string => csvLine(cells, delimiter);
  return {
    head: csv([
      ...kept.map(({ name }) => name),
      REJECTED_COLUMNS.row,
      REJECTED_COLUMNS.code,
      REJECTED_COLUMNS.message,
    ]),
    line(record, row, items) {
      const reasons = items.filter((item) => item.outcome === 'failed');
      const codes = [...new Set(reasons.map(({ code }) => code))].join(' ');
      const messages = reasons.map(({ message }) => message).join(' ');
      return csv([...cellsOf(record, kept), String(row), codes, messages]);
    },
    originalRow: (record) => rowNumber(numbers ? record.cells[numbers.index] : undefined) ?? record.row,
  };
}

/**
 * The table as it was before its rows were rejected: a file of ours, told by any of our columns, has apostrophes before
 * what a spreadsheet would take for formulas. In all other files they are the owner's.
 */
export function restoreTable(table: CsvTable): CsvTable {
  const { columns, repeated } = table.header;
  if (!columns.some(({ name }) => OWN_NAMES.has(name))) return table;
  return {
    dialect: table.dialect,
    header: {
      columns: columns.map(({ index, name }) => ({ index, name: restoreCell(name) })),
      repeated: repeated.map(restoreCell),
    },
    async *parts() {
      for await (const { records, bytesRead } of table.parts())
        yield {
          records: records.map((record) => ({ ...record, cells: record.cells.map(restoreCell) })),
          bytesRead,
        };
    },
  };
}

function cellsOf(record: CsvRecord, kept: readonly Column[]): string[] {
  return kept.map(({ index }) => record.cells[index] ?? '');
}

function rowNumber(text: string | undefined): number | null {
  return text !== undefined && /^[1-9]\d{0,8}$/.test(text.trim()) ? Number(text) : null;
}
