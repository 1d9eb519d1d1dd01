import { isIdentifier, nameFrom, renameAsked, styleOf, wholeName, wordsOf } from '../code/names.ts';
import { applied, replaceLines } from '../code/edits.ts';
import { bashCall, canEdit, canRun, change, lookAround, readFiles, runTests } from '../code/hands.ts';
import { countsText } from '../code/test-output.ts';
import type { TestReport } from '../code/test-output.ts';
import type { PlannedCall } from '../conversation.ts';
import { act } from '../program.ts';
import type { Job, Program, Scenario } from '../program.ts';
import { failureLines, needsHands } from './words.ts';

/** Edits in one turn; a turn may have 32 calls. */
const EDITS_PER_TURN = 24;
/** Found lines read at most; beyond that a rename is not a rehearsal any more. */
const MAX_LINES = 600;

export interface Found {
  file: string;
  line: number;
  text: string;
}

const FOUND = /^(?:\.\/)?([^:\n]+):(\d+):(.*)$/;
const readFound = (printed: string): Found[] =>
  printed.split('\n').flatMap((row) => {
    const match = FOUND.exec(row);
    return match ? [{ file: match[1] ?? '', line: Number(match[2]), text: match[3] ?? '' }] : [];
  });

/** Lines that hold a text, by grep or, without a shell, by the search tool. */
function* findText(job: Job, say: string, pattern: string): Program<Found[]> {
  const grep = `grep -rnIiE --exclude-dir=.git --exclude-dir=node_modules --exclude-dir=dist --exclude-dir=coverage --exclude=package-lock.json -e '${pattern}' . | head -n ${MAX_LINES}`;
  const call: PlannedCall = canRun(job) ? bashCall(grep) : { name: 'search', input: { text: pattern } };
  const [outcome] = yield* act(job, say, call);
  return readFound(outcome?.text ?? '');
}

/** The name in the code that was meant: as written, or (spoken: "get total") the most frequent spelling of its words. */
const meant = (from: string, found: readonly Found[]): string | null => {
  if (found.some(({ text }) => wholeName(from).test(text))) return from;
  const words = wordsOf(from);
  const spellings = (['camel', 'pascal', 'snake', 'constant', 'kebab'] as const).map((style) => nameFrom(words, style));
  const counts = [...new Set(spellings)].map((name) => ({
    name,
    count: found.filter(({ text }) => wholeName(name).test(text)).length,
  }));
  const best = counts.sort((a, b) => b.count - a.count)[0];
  return best && best.count > 0 ? best.name : null;
};

/** The calls that put `to` for `from` in one file, line by line, and how many occurrences that are. */
export const renameIn = (
  file: string,
  text: string,
  from: string,
  to: string,
): { calls: PlannedCall[]; after: string; count: number } => {
  const calls: PlannedCall[] = [];
  let after = text;
  let count = 0;
  for (const [at, line] of text.split('\n').entries()) {
    const hits = [...line.matchAll(wholeName(from))].length;
    if (hits === 0) continue;
    const call = replaceLines(file, after, at, at + 1, [line.replace(wholeName(from), () => to)]);
    if (!call) continue;
    calls.push(call);
    after = applied(after, call);
    count += hits;
  }
  return { calls, after, count };
};

/** Does edits, some a turn. @returns how many failed. */
export function* edit(
  job: Job,
  say: string,
  testCommand: string | null,
  calls: readonly PlannedCall[],
): Program<number> {
  let failed = 0;
  for (let at = 0; at < calls.length; at += EDITS_PER_TURN)
    failed += (yield* change(job, say, testCommand, ...calls.slice(at, at + EDITS_PER_TURN))).filter(
      (outcome) => outcome.isError,
    ).length;
  return failed;
}

const comparison = (before: TestReport, after: TestReport): string =>
  `Tests: before ${countsText(before)}; after ${countsText(after)}${before.exit !== 0 && after.failed === before.failed ? ' (the same as before)' : ''}.`;

/** "Rename X to Y everywhere": every occurrence as a whole name, code, comments and documents alike. */
export const renameSymbol: Scenario = {
  name: 'rename-symbol',
  fits: ({ opening }) => renameAsked(opening.parameters, opening.instruction) !== null,
  *run(job) {
    const asked = renameAsked(job.opening.parameters, job.opening.instruction);
    if (!asked) return 'I did not understand what to rename.';
    if (!canEdit(job) || !(canRun(job) || job.conversation.tools.has('search')))
      return needsHands(job, 'the editor, and bash or search');
    const workspace = canRun(job) ? yield* lookAround(job) : { files: [], test: null };
    const pattern = canRun(job)
      ? wordsOf(asked.from)
          .map((word) => word.replace(/[^a-z0-9]/g, '.'))
          .join('[ _-]?')
      : asked.from;
    const found = yield* findText(job, `I look for every use of ${asked.from}.`, pattern);
    const from = meant(asked.from, found);
    if (from === null) return `I found no “${asked.from}” in this repository, in any spelling, and changed nothing.`;
    const to = isIdentifier(asked.to) || !/\s/.test(asked.to) ? asked.to : nameFrom(wordsOf(asked.to), styleOf(from));
    if (to === from) return `It is already called ${to}. I changed nothing.`;
    if (isIdentifier(from) && !isIdentifier(to)) return `“${to}” cannot be a name in code, so I changed nothing.`;
    const taken = yield* findText(job, `I check that nothing is called ${to} yet.`, to.replace(/[^\w-]/g, '.'));
    const clash = taken.find(({ text }) => wholeName(to).test(text));
    if (clash)
      return `Something is already called ${to} (${clash.file}:${clash.line}). To keep the two apart I changed nothing; say another name.`;

    const { test } = workspace;
    const before = test ? yield* runTests(job, test.command, `Before I change anything I run ${test.command}.`) : null;
    const files = [...new Set(found.filter(({ text }) => wholeName(from).test(text)).map(({ file }) => file))];
    const texts = yield* readFiles(job, `${from} is used in ${files.length} files. I read them.`, files);
    const plans = [...texts].map(([file, text]) => ({ file, ...renameIn(file, text, from, to) }));
    const total = plans.reduce((sum, plan) => sum + plan.count, 0);
    const failed = yield* edit(
      job,
      `I rename ${from} to ${to}.`,
      test?.command ?? null,
      plans.flatMap((plan) => plan.calls),
    );
    job.done.push(`renamed ${from} to ${to} in ${plans.length} files`);

    const left = (yield* findText(job, `I check that no ${from} is left.`, from.replace(/[^\w-]/g, '.'))).filter(
      ({ text }) => wholeName(from).test(text),
    );
    const after = test ? yield* runTests(job, test.command, 'I run the tests again.') : null;
    const lines = [
      `Renamed ${from} to ${to}: ${total} ${total === 1 ? 'place' : 'places'} in ${plans.length} ${plans.length === 1 ? 'file' : 'files'}, comments and documents included.`,
    ];
    lines.push(...plans.map((plan) => `- ${plan.file}: ${plan.count}`));
    if (failed > 0) lines.push(`${failed} edits were refused by the editor.`);
    lines.push(
      left.length === 0
        ? `Nothing is called ${from} any more.`
        : `Still there: ${left.map(({ file, line }) => `${file}:${line}`).join(', ')}.`,
    );
    if (before && after) lines.push(comparison(before, after), ...failureLines(after));
    else lines.push('I found no tests to run.');
    return lines.join('\n');
  },
};
