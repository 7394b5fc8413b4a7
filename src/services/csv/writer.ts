import Papa from 'papaparse';
import type { Delimiter } from './dialect.ts';

/**
 * What a spreadsheet would calculate instead of show: after blanks and characters that nobody sees, a sign that begins
 * a formula (full-width and small forms too, which some take for the plain ones), or a tab or line end at the very
 * start. Apostrophes before it do not change that, so that one more can always be taken away again. A negative number
 * is none: calculated or shown, it is the same.
 */
const FORMULA =
  /^'*(?:(?!\s*-\d+(?:[.,]\d+)*\s*$)[\s\p{Cc}\p{Cf}]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20\uFE66\uFE62\uFE63\uFE6B]|[\t\r\n])/u;

/** One line of a file that people open in a spreadsheet: nothing in it is a formula. Undone by `restoreCell`. */
export function csvLine(cells: readonly string[], delimiter: Delimiter): string {
  // Its own pattern for formulas lets one through that has a line end in it.
  return `${Papa.unparse([[...cells]], { delimiter, newline: '\r\n', escapeFormulae: FORMULA })}\r\n`;
}

/** A cell as it was before `csvLine` wrote it. */
export function restoreCell(cell: string): string {
  return cell.startsWith("'") && FORMULA.test(cell) ? cell.slice(1) : cell;
}
