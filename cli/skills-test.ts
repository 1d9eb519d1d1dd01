import { readFileSync } from 'node:fs';
import { createLog } from '../platform/log.ts';
import { codeOf, messageOf } from '../platform/errors.ts';
import { parseLabelled } from '../skills/authoring/labelled.ts';
import type { LabelledSentence } from '../skills/authoring/labelled.ts';
import { confusionOf, figuresOf, labelOf, outcomeOf } from '../skills/authoring/outcome.ts';
import type { Confusion, Outcome } from '../skills/authoring/outcome.ts';
import { openRegistry } from '../skills/registry.ts';
import { createRouter } from '../skills/routing/route.ts';
import type { Command } from './command.ts';
import { EXIT, UsageError } from './exit.ts';
import { percent, printable, tableOf } from './words.ts';

/** Wrong lines that are shown; `--json` has all. */
const SHOWN = 40;
/** Characters of a table's line that a window still shows. */
const WIDE = 110;

/** Rows: what was expected. Columns: what came out, by number where their names would be too wide. */
const confusionTable = (confusion: readonly Confusion[]): string => {
  const names = [...new Set(confusion.flatMap(({ expected, got }) => [expected, got]))].sort();
  const rows = names.filter((name) => confusion.some(({ expected }) => expected === name));
  const count = (expected: string, got: string): string =>
    String(confusion.find((cell) => cell.expected === expected && cell.got === got)?.count ?? '.');
  const wide = names.join('  ').length > WIDE;
  const columns = wide ? names : names.filter((name) => confusion.some(({ got }) => got === name));
  return tableOf([
    ['EXPECTED \\ GOT', ...columns.map((name, i) => (wide ? String(i + 1) : name))],
    ...rows.map((name) => [
      wide ? `${names.indexOf(name) + 1} ${name}` : name,
      ...columns.map((got) => count(name, got)),
    ]),
    // A column whose name is in no row.
    ...(wide ? names.filter((name) => !rows.includes(name)).map((name) => [`${names.indexOf(name) + 1} ${name}`]) : []),
  ]);
};

const isRight = ({ exact, ordered, filled }: Outcome): boolean => exact && ordered && filled;

const wrongOf = (outcome: Outcome) => {
  const { sentence, result, exact, ordered } = outcome;
  return {
    line: sentence.line,
    text: sentence.text,
    expected: sentence.label,
    got: labelOf(result, sentence.label.includes('{')),
    wrong: !exact ? ('decision' as const) : !ordered ? ('order' as const) : ('values' as const),
    reason: result.clauses.map(({ reason }) => reason).join('; '),
  };
};

/** Skills that a label names and the folder does not have. */
const unknownIn = ({ expected }: LabelledSentence, known: ReadonlySet<string>): string[] => {
  if (expected.kind === 'ask') return expected.skill !== null && !known.has(expected.skill) ? [expected.skill] : [];
  if (expected.kind !== 'dispatch') return [];
  return expected.clauses.flatMap(({ skills }) => skills.filter((skill) => !known.has(skill)));
};

const shareOf = (text: string | undefined): number | null => {
  if (text === undefined) return null;
  const share = Number(text);
  if (text.trim() === '' || !(share >= 0 && share <= 1))
    throw new UsageError(`--min: "${text}" is no share from 0 to 1`);
  return share;
};

const readLines = (file: string): LabelledSentence[] => {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file} cannot be read (${codeOf(error)})`);
  }
  try {
    return parseLabelled(text);
  } catch (error) {
    throw new UsageError(`${file}: ${messageOf(error)}`);
  }
};

export const skillsTest: Command = {
  usage: 'skills test FILE [--min SHARE] [--json]',
  summary: 'Route labelled sentences, and count and show what became of them.',
  help: `  FILE         one sentence a line: LABEL, tab, sentence; or LABEL, tab, TAGS, tab, sentence (tags: a,b,c)
  --min SHARE  exit code 1 when fewer are right, from 0 to 1: 0.9
  --json       {"lines", "right", "asked", "shares", "by_tag", "confusion", "wrong", "unknown"}

  LABEL is one of
    none                  no order: it is declined
    ask, ask:SKILL        a question is asked (about that skill)
    control:cancel:last   it steers what runs: cancel, status, approve, reject or cost, and of what
    SKILL                 that skill, and no other. Either of two: a/b. With parameters: a{name=value;name=value},
                          values as lower-case words: getUserById is "get user by id"
    a # b                 two orders beside each other; a > b: b after a succeeded; a !> b: failed; a => b: either
  Blank lines and lines that begin with # are left out.

  Right is the decision, the skills, their order and the parameters that the label names.
  Skills are those of SKILLS_DIR, sites those of STAGING_URL and TARGETS_FILE. Exit code: 0, unless --min says 1.`,
  options: { json: { type: 'boolean' }, min: { type: 'string' } },
  words: [1, 1],
  run: async (args, context) => {
    const least = shareOf(args.value('min'));
    const lines = readLines(args.words[0] ?? '');
    const log = createLog('dual', (line) => line, 'silent');
    const registry = await openRegistry({ dir: context.settings.skillsDir, log, watch: false });
    registry.close();
    const { skills, quarantined } = registry.current();
    for (const { file, reason } of quarantined) context.err(`left out: ${file}: ${reason}`);
    const known = new Set(skills.map(({ name }) => name));
    const unknown = lines.flatMap((line) => unknownIn(line, known).map((skill) => ({ line: line.line, skill })));
    for (const { line, skill } of unknown) context.err(`line ${line}: there is no skill named ${skill}`);

    const router = createRouter({ registry, targets: context.settings.targets() });
    const outcomes: Outcome[] = [];
    for (const line of lines) {
      context.signal.throwIfAborted();
      outcomes.push(outcomeOf(line, await router.route(line.text, context.signal)));
    }
    const wrong = outcomes.filter((outcome) => !isRight(outcome)).map(wrongOf);
    const right = outcomes.length - wrong.length;
    const asked = outcomes.filter(({ result }) => result.decision === 'clarify').length;
    const { exact, ordered, filled, spurious, byTag } = figuresOf(outcomes);
    const confusion = confusionOf(outcomes);
    const share = outcomes.length === 0 ? 1 : right / outcomes.length;

    if (args.flag('json')) {
      const shares = { right: share, exact, ordered, filled, spurious };
      context.out(
        JSON.stringify({ lines: outcomes.length, right, asked, shares, by_tag: byTag, confusion, wrong, unknown }),
      );
    } else {
      context.out(confusionTable(confusion));
      context.out('');
      for (const { line, expected, got, wrong: what, text, reason } of wrong.slice(0, SHOWN))
        context.out(`line ${line}, ${what}: ${printable(text)}\n      ${expected} -> ${got}; ${printable(reason)}`);
      if (wrong.length > SHOWN) context.out(`… and ${wrong.length - SHOWN} more; --json has all`);
      const tags = Object.entries(byTag).map(([tag, { exact: n, sentences }]) => [tag, `${n} of ${sentences}`]);
      if (tags.length > 0) context.out(`\n${tableOf([['TAG', 'DECISION RIGHT'], ...tags])}`);
      context.out(
        `${right} of ${outcomes.length} right (${percent(share)}); decision and skills ${percent(exact)}, order too ${percent(ordered)}, parameters too ${percent(filled)}; ${asked} asked about; ${percent(spurious)} of the jobs started were not asked for`,
      );
    }
    if (least === null || share >= least) return EXIT.succeeded;
    context.err(`${percent(share)} is less than --min ${percent(least)}`);
    return EXIT.failed;
  },
};
