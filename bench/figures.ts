/** One row of `bench/results/<name>.json`. `against` says what the figure is compared with, `goal` what was hoped for. */
export interface Figure {
  figure: string;
  value: number;
  unit: string;
  against: { what: string; value: number } | null;
  /** value / against, where there is something to compare with. */
  ratio: number | null;
  goal: string;
  /** Whether this run reached the goal. */
  reached: boolean;
}

export interface Benchmark {
  name: string;
  /** What it measures, in one line. */
  about: string;
  run(say: (progress: string) => void): Promise<Figure[]>;
}

const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);

/** The value below which the share `p` (0-1) of the values lies. */
export const percentile = (values: readonly number[], p: number): number => {
  const ordered = sorted(values);
  return ordered[Math.min(ordered.length - 1, Math.floor(ordered.length * p))] ?? Number.NaN;
};

export const median = (values: readonly number[]): number => percentile(values, 0.5);

const round = (value: number): number => (Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3)));

type Goal = { atMost: number } | { atLeast: number } | { within: number };

const judged = (ratio: number, goal: Goal): { goal: string; reached: boolean } => {
  if ('atMost' in goal) return { goal: `<= ${goal.atMost}x`, reached: ratio <= goal.atMost };
  if ('atLeast' in goal) return { goal: `>= ${goal.atLeast}x`, reached: ratio >= goal.atLeast };
  return { goal: `1x, within ${goal.within * 100} %`, reached: Math.abs(ratio - 1) <= goal.within };
};

/** A figure that is to be at most (or at least, or within a share of) `goal` times what it is compared with. */
export const ratioFigure = (about: {
  figure: string;
  value: number;
  unit: string;
  against: { what: string; value: number };
  goal: Goal;
}): Figure => {
  const ratio = about.value / about.against.value;
  const { goal, reached } = judged(ratio, about.goal);
  return {
    figure: about.figure,
    value: round(about.value),
    unit: about.unit,
    against: { what: about.against.what, value: round(about.against.value) },
    ratio: Number(ratio.toFixed(3)),
    goal,
    reached,
  };
};

/** A figure with a bound of its own. */
export const boundFigure = (about: { figure: string; value: number; unit: string; atMost: number }): Figure => ({
  figure: about.figure,
  value: round(about.value),
  unit: about.unit,
  against: null,
  ratio: null,
  goal: `<= ${about.atMost} ${about.unit}`,
  reached: about.value <= about.atMost,
});

/** Rows side by side, for a terminal. */
export const table = (figures: readonly Figure[]): string => {
  const rows = figures.map((row) => [
    row.reached ? 'ok  ' : 'MISS',
    row.figure,
    `${row.value} ${row.unit}`,
    row.against ? `${row.against.what}: ${row.against.value} ${row.unit}` : '',
    row.ratio === null ? '' : `${row.ratio}x`,
    row.goal,
  ]);
  const widths = ['', 'figure', 'value', 'against', 'ratio', 'goal'].map((head, at) =>
    Math.max(head.length, ...rows.map((row) => row[at]?.length ?? 0)),
  );
  return [['', 'figure', 'value', 'against', 'ratio', 'goal'], ...rows]
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};
