import Papa from 'papaparse';
import type { LedgerItem } from '../../domain/job.ts';
import type { Column, Header } from '../csv/header.ts';
import type { CsvRecord } from '../csv/records.ts';
import type { Delimiter } from '../csv/dialect.ts';

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
  const csv = (cells: readonly string[]): string =>
    `${Papa.unparse([[...cells]], { delimiter, newline: '\r\n' })}\r\n`;
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

function cellsOf(record: CsvRecord, kept: readonly Column[]): string[] {
  return kept.map(({ index }) => record.cells[index] ?? '');
}

function rowNumber(text: string | undefined): number | null {
  return text !== undefined && /^[1-9]\d{0,8}$/.test(text.trim()) ? Number(text) : null;
}
