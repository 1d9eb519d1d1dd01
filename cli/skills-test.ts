import { readFileSync } from 'node:fs';
import { createLog } from '../platform/log.ts';
import { codeOf } from '../platform/errors.ts';
import { openRegistry } from '../skills/registry.ts';
import { createRouter } from '../skills/routing/route.ts';
import type { Command } from './command.ts';
import { EXIT, UsageError } from './exit.ts';
import { printable, tableOf } from './words.ts';

/** A sentence and the skills a person expects, sorted; none: it is no order. */
export interface LabelledLine {
  expected: readonly string[];
  text: string;
}

const NONE = ['none', 'oos', '-', ''];
/** Wrong lines that are shown. */
const SHOWN = 20;

/**
 * Reads `label<TAB>sentence` lines; several skills are joined by `#` or `+`, `none` (or `oos`) is no order. Blank
 * lines and lines beginning with `#` are skipped. @throws UsageError naming the line.
 */
export const parseLabelledLines = (text: string): LabelledLine[] => {
  const lines: LabelledLine[] = [];
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    if (raw.trim() === '' || raw.startsWith('#')) continue;
    const tab = raw.indexOf('\t');
    if (tab < 0) throw new UsageError(`line ${index + 1}: expected a label, a tab and a sentence`);
    const expected = raw
      .slice(0, tab)
      .split(/[#+]/)
      .map((label) => label.trim())
      .filter((label) => !NONE.includes(label));
    lines.push({ expected: [...new Set(expected)].sort(), text: raw.slice(tab + 1).trim() });
  }
  return lines;
};

/** How often what was expected became what. */
export const confusionOf = (pairs: readonly { expected: string; got: string }[]): string => {
  const counts = new Map<string, Map<string, number>>();
  for (const { expected, got } of pairs) {
    const row = counts.get(expected) ?? new Map<string, number>();
    counts.set(expected, row.set(got, (row.get(got) ?? 0) + 1));
  }
  const columns = [...new Set(pairs.map(({ got }) => got))].sort();
  return tableOf([
    ['EXPECTED \\ GOT', ...columns],
    ...[...counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([expected, row]) => [expected, ...columns.map((got) => String(row.get(got) ?? '.'))]),
  ]);
};

const nameOf = (skills: readonly string[]): string => (skills.length > 0 ? [...skills].join('+') : 'none');

export const skillsTest: Command = {
  usage: 'skills test FILE [--json]',
  summary: 'Route labelled sentences and count what became of them.',
  help: `  FILE    one sentence a line: label, tab, sentence. Several skills: a#b. No order: none
  --json  {"lines", "right", "asked", "wrong": [{"text", "expected", "got"}]}

  Right is the exact set of skills; a sentence that would be asked about counts by its best guess.`,
  options: { json: { type: 'boolean' } },
  words: [1, 1],
  run: async (args, context) => {
    const file = args.words[0] ?? '';
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch (error) {
      throw new UsageError(`${file} cannot be read (${codeOf(error)})`);
    }
    const lines = parseLabelledLines(text);
    const log = createLog('dual', (line) => line, 'silent');
    const registry = await openRegistry({ dir: context.settings.skillsDir, log, watch: false });
    registry.close();
    const router = createRouter({ registry });
    let asked = 0;
    const pairs: { text: string; expected: string; got: string }[] = [];
    for (const line of lines) {
      context.signal.throwIfAborted();
      const result = await router.route(line.text, context.signal);
      if (result.decision === 'clarify') asked += 1;
      const got = [...new Set(result.clauses.flatMap(({ skill }) => skill ?? []))].sort();
      pairs.push({
        text: line.text,
        expected: nameOf(line.expected),
        got: result.decision === 'control' ? 'control' : nameOf(got),
      });
    }
    const wrong = pairs.filter(({ expected, got }) => expected !== got);
    const right = pairs.length - wrong.length;
    if (args.flag('json')) context.out(JSON.stringify({ lines: pairs.length, right, asked, wrong }));
    else {
      context.out(confusionOf(pairs));
      context.out('');
      for (const { text: said, expected, got } of wrong.slice(0, SHOWN))
        context.out(`${expected} -> ${got}: ${printable(said)}`);
      if (wrong.length > SHOWN) context.out(`… and ${wrong.length - SHOWN} more`);
      const share = pairs.length > 0 ? ` (${((100 * right) / pairs.length).toFixed(1)} %)` : '';
      context.out(`${right} of ${pairs.length} right${share}, ${asked} would be asked about`);
    }
    return EXIT.succeeded;
  },
};
