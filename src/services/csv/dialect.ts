import Papa from 'papaparse';

export const DELIMITERS = [',', ';', '\t'] as const;
export type Delimiter = (typeof DELIMITERS)[number];

/** How a file's cells and records are separated. LF also stands for CRLF, and for a mix of both. */
export interface Dialect {
  readonly delimiter: Delimiter;
  readonly lineEnd: '\n' | '\r';
  /** Characters before the header: a `sep=;` line, as Excel writes and hides it */
  readonly skip: number;
}

const RECORDS_COMPARED = 20;
const SEPARATOR_LINE = /^sep=([,;\t])(\r\n|\n|\r)/i;

/** Reads the dialect off a file's first text; only the header must be in it whole. */
export function detectDialect(sample: string): Dialect {
  const lineEnd = detectLineEnd(sample);
  const separator = SEPARATOR_LINE.exec(sample);
  const declared = DELIMITERS.find((delimiter) => delimiter === separator?.[1]);
  if (separator && declared) return { delimiter: declared, lineEnd, skip: separator[0].length };
  return { delimiter: detectDelimiter(sample, lineEnd), lineEnd, skip: 0 };
}

/** CR only when the first line end outside quotes is a CR without LF. */
function detectLineEnd(sample: string): '\n' | '\r' {
  let quoted = false;
  for (let index = 0; index < sample.length; index += 1) {
    const char = sample[index];
    if (char === '"') quoted = !quoted;
    else if (!quoted && char === '\n') return '\n';
    else if (!quoted && char === '\r')
      return index + 1 < sample.length && sample[index + 1] !== '\n' ? '\r' : '\n';
  }
  return '\n';
}

/** The one that cuts the header into the most cells; of equals, the one whose records agree with the header. */
function detectDelimiter(sample: string, lineEnd: string): Delimiter {
  const scores = DELIMITERS.map((delimiter) => {
    const { data } = Papa.parse<string[]>(sample, {
      delimiter,
      newline: lineEnd === '\r' ? '\r' : '\n',
      preview: RECORDS_COMPARED,
    });
    const records = data.filter((cells) => cells.some((cell) => cell.trim() !== ''));
    const width = records[0]?.length ?? 0;
    return { delimiter, width, agreeing: records.filter((cells) => cells.length === width).length };
  });
  scores.sort((a, b) => b.width - a.width || b.agreeing - a.agreeing);
  return scores[0]?.delimiter ?? ',';
}
