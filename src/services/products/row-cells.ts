import type { LedgerItem } from '../../domain/job.ts';
import type { CsvRecord } from '../csv/records.ts';
import type { ProductField } from './fields.ts';
import type { ProductLayout } from './layout.ts';
import type { CellResult } from './values/cell.ts';

const VALUE_SHOWN_CHARACTERS = 60;
const VALUE_KEPT_CHARACTERS = 500;

/** One record seen through the layout: cells by field, and what was found wrong with them. */
export class RowCells {
  readonly row: number;
  readonly items: LedgerItem[] = [];
  private readonly layout: ProductLayout;
  private readonly cells: readonly string[];

  /** @param row its number for people: another than the record's own when the file is a rest of an earlier one */
  constructor(layout: ProductLayout, record: CsvRecord, row: number) {
    this.layout = layout;
    this.cells = record.cells;
    this.row = row;
  }

  /** The cell without blanks around it; "" where it is blank or there is no such column. */
  text(field: ProductField): string {
    const index = this.layout.columns.get(field);
    return index === undefined ? '' : (this.cells[index]?.trim() ?? '');
  }

  /** What the cell says, null where it is blank. A fault is noted: it fails the row, or only warns and gives null. */
  read<T>(
    field: ProductField,
    parse: (text: string) => CellResult<T>,
    outcome: 'failed' | 'warned' = 'failed',
  ): T | null {
    const text = this.text(field);
    if (text === '') return null;
    const result = parse(text);
    if (result.code === undefined) return result.value;
    this.fault(field, result.code, result.message, outcome);
    return null;
  }

  /** @param message goes on after the column's name and the value: `Variant Price "abc" …` */
  fault(field: ProductField, code: string, message: string, outcome: 'failed' | 'warned'): void {
    const column = this.layout.names.get(field) ?? field;
    const value = this.text(field);
    const shown =
      value.length > VALUE_SHOWN_CHARACTERS ? `${value.slice(0, VALUE_SHOWN_CHARACTERS)}…` : value;
    const sentence = value === '' ? `${column} ${message}.` : `${column} "${shown}" ${message}.`;
    this.items.push({
      row: this.row,
      column,
      value: value.slice(0, VALUE_KEPT_CHARACTERS),
      code,
      message: sentence,
      outcome,
    });
  }

  /** Something about the row as a whole. */
  note(code: string, message: string, outcome: 'failed' | 'warned'): void {
    this.items.push({ row: this.row, code, message, outcome });
  }

  get failed(): boolean {
    return this.items.some((item) => item.outcome === 'failed');
  }
}
