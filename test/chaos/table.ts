import type { Outcome } from './run-fault.ts';

const HEAD = ['fault', 'backend', 'jobs', 'lost', 'doubled', 'gaps', 'back s', 'settled s', 'bounds', ''];

/** Fault × backend, one row each, for people. */
export function formatTable(outcomes: readonly Outcome[]): string {
  const rows = [HEAD, ...outcomes.map(cellsOf)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        isNumeric(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  return lines.join('\n');
}

const isNumeric = (column: number): boolean => column >= 2 && column <= 7;

function cellsOf({ fault, backend, verdict }: Outcome): string[] {
  return [
    fault,
    backend,
    String(verdict.jobs),
    String(verdict.lost),
    String(verdict.doubled),
    `${verdict.gaps}/${verdict.streams}`,
    verdict.backSeconds?.toFixed(1) ?? '-',
    verdict.settledSeconds?.toFixed(1) ?? '-',
    verdict.bounds
      .filter(({ name }) => name !== 'all settled')
      .map(({ name, value, limit, unit }) => `${name} ${value.toFixed(1)} < ${limit} ${unit}`)
      .join(', '),
    verdict.problems.length === 0 ? 'held' : 'FAILED',
  ];
}

/** What did not hold, in words; empty when all did. */
export function formatProblems(outcomes: readonly Outcome[]): string {
  return outcomes
    .flatMap(({ fault, backend, verdict }) =>
      verdict.problems.map((problem) => `${fault} on ${backend}: ${problem}`),
    )
    .join('\n');
}
