import type { TestRun } from '../contracts/task.ts';

/** Text from models and pages without what could steer a terminal; line breaks and tabs stay. */
export const printable = (text: string): string => text.replace(/\r\n?/g, '\n').replace(/(?![\n\t])\p{Cc}/gu, '');

/** US dollars; `unknown` where a price is. */
export const moneyOf = (costUsd: number | null, rehearsal: boolean): string => {
  if (costUsd === null) return 'unknown cost';
  if (rehearsal && costUsd === 0) return '$0 (rehearsal)';
  return `$${costUsd.toFixed(costUsd > 0 && costUsd < 0.01 ? 4 : 2)}${rehearsal ? ' (partly rehearsal)' : ''}`;
};

export const thousands = (value: number): string => value.toLocaleString('en-GB');

/** `12 passed, 0 failed`, or the exit code where the output does not tell. */
export const testRunOf = (run: TestRun | null): string => {
  if (run === null) return 'not run';
  return run.passed === null || run.failed === null
    ? `exit code ${run.exit_code}`
    : `${run.passed} passed, ${run.failed} failed`;
};

/** `4 s`, `3 min 20 s`, `2 h 5 min`. */
export const durationOf = (ms: number): string => {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min${seconds % 60 ? ` ${seconds % 60} s` : ''}`;
  return `${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${minutes % 60} min` : ''}`;
};

/** Columns under each other, the last one as long as it is. */
export const tableOf = (rows: readonly (readonly string[])[]): string => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};

/** `92.5 %` of a share from 0 to 1. */
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
