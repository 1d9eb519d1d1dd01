import { splitBlocks } from '../code/blocks.ts';
import { replaceLines, undo } from '../code/edits.ts';
import { bashCall, canEdit, canRun, change, exitOf, lookAround, readFiles, runTests, withExit } from '../code/hands.ts';
import type { Workspace } from '../code/hands.ts';
import { importedFiles, isTestFile } from '../code/imports.ts';
import { proposeMutations } from '../code/mutations.ts';
import type { Mutation } from '../code/mutations.ts';
import { countsText, readTestOutput } from '../code/test-output.ts';
import { findSuspects } from '../code/suspects.ts';
import type { Failure } from '../code/failures.ts';
import type { TestReport } from '../code/test-output.ts';
import type { PlannedCall } from '../conversation.ts';
import type { Job, Program, Scenario } from '../program.ts';
import { failureLines, noCommandText, needsHands } from './words.ts';

/** Changes tried before giving up: singly at first, then several a turn, so that a job's turns suffice. */
const SINGLE_TRIES = 4;
const TRIES_PER_TURN = 8;
const MAX_TRIES = 84;
/** Files read on the way from the test to the code: imports, their imports, and theirs. */
const READ_DEPTH = 3;
const MAX_FILES = 16;

export interface Repair {
  fixed: Mutation[];
  tries: number;
  report: TestReport;
}

/** Reads the failing tests and what they import. */
function* readAround(job: Job, workspace: Workspace, failures: readonly Failure[]): Program<Map<string, string>> {
  const failing = workspace.files.filter((file) => failures.some((failure) => failure.file === file));
  const texts = new Map<string, string>();
  let wave = (failing.length > 0 ? failing : workspace.files.filter(isTestFile)).slice(0, MAX_FILES);
  for (let depth = 0; depth <= READ_DEPTH && wave.length > 0; depth += 1) {
    const say = depth === 0 ? `“${failures[0]?.name}” fails. I read the test.` : 'I read the code under test.';
    for (const [file, text] of yield* readFiles(job, say, wave)) texts.set(file, text);
    const next = new Set(wave.flatMap((file) => importedFiles(file, texts.get(file) ?? '', workspace.files)));
    wave = [...next].filter((file) => !texts.has(file)).slice(0, MAX_FILES - texts.size);
  }
  return texts;
}

const stillFails = (report: TestReport): boolean => report.exit !== 0;
const failingNames = (report: TestReport): string[] => report.failures.map((failure) => failure.name);
/** Fewer tests fail, and none that did not before. */
const isBetter = (after: TestReport, before: TestReport): boolean =>
  after.failed !== null &&
  before.failed !== null &&
  after.failed < before.failed &&
  failingNames(after).every((name) => failingNames(before).includes(name));

const editOf = (mutation: Mutation, texts: ReadonlyMap<string, string>): PlannedCall | null =>
  replaceLines(mutation.file, texts.get(mutation.file) ?? '', mutation.line, mutation.line + 1, [mutation.after]);

interface Trial {
  mutation: Mutation;
  edit: PlannedCall;
  report: TestReport;
  /** The editor made the change. */
  edited: boolean;
  /** It was made and could not be taken back. */
  stuck: boolean;
}

/** Makes each change, runs the tests, takes it back: all in one turn. */
function* tryOut(
  job: Job,
  command: string,
  texts: ReadonlyMap<string, string>,
  some: readonly Mutation[],
  expectation: string,
): Program<Trial[]> {
  const plans = some.flatMap((mutation) => {
    const edit = editOf(mutation, texts);
    const back = edit && undo(edit, texts.get(mutation.file) ?? '');
    return edit && back ? [{ mutation, edit, back }] : [];
  });
  if (plans.length === 0) return [];
  const what = plans.map(({ mutation }) => `${mutation.file}:${mutation.line + 1} ${mutation.what}`).join('; ');
  const say = `${expectation}I try ${what}, run the tests and take it back.`;
  const outcomes = yield* change(
    job,
    say,
    command,
    ...plans.flatMap(({ edit, back }) => [edit, bashCall(withExit(command)), back]),
  );
  return plans.map(({ mutation, edit }, at) => {
    const [made, ran, taken] = outcomes.slice(at * 3, at * 3 + 3);
    const edited = made?.isError === false;
    const printed = ran?.text ?? '';
    return {
      mutation,
      edit,
      edited,
      report: readTestOutput(printed, exitOf(printed), job.files),
      stuck: edited && taken?.isError !== false,
    };
  });
}

/** The change that turns everything green; else the first after which fewer tests fail; null: none helps. */
function* findHelp(
  job: Job,
  command: string,
  texts: ReadonlyMap<string, string>,
  candidates: readonly Mutation[],
  before: TestReport,
  expectation: string,
  tally: { tries: number },
): Program<Trial | null> {
  let better: Trial | null = null;
  for (let at = 0; at < candidates.length && tally.tries < MAX_TRIES;) {
    const some = candidates.slice(at, at + (tally.tries < SINGLE_TRIES ? 1 : TRIES_PER_TURN));
    at += some.length;
    const trials = yield* tryOut(job, command, texts, some, expectation);
    tally.tries += trials.length;
    const green = trials.find(({ edited, report }) => edited && report.exit === 0);
    if (green) return green;
    const stuck = trials.find((trial) => trial.stuck);
    if (stuck) throw new Error(`${stuck.mutation.file} cannot be put back as it was`);
    better ??= trials.find(({ edited, report }) => edited && isBetter(report, before)) ?? null;
  }
  return better;
}

/**
 * Mends failing tests: proposes small changes of the code they run, likeliest first, and keeps what turns the whole
 * suite green. Everything that did not help is taken back.
 */
export function* repair(job: Job, workspace: Workspace, command: string, first: TestReport): Program<Repair> {
  const fixed: Mutation[] = [];
  const tally = { tries: 0 };
  let report = first;
  while (stillFails(report) && report.failures.length > 0 && tally.tries < MAX_TRIES) {
    const texts = yield* readAround(job, workspace, report.failures);
    const found = findSuspects(
      report.failures,
      [...texts].flatMap(([file, text]) => splitBlocks(file, text)),
      texts,
    );
    if (!found) break;
    const { expected, actual } = found.failure;
    const expectation = expected === null ? '' : `It should be ${expected} and is ${actual}. `;
    const help = yield* findHelp(
      job,
      command,
      texts,
      proposeMutations(found.suspects, found.failure),
      report,
      expectation,
      tally,
    );
    if (!help) break;
    const { mutation } = help;
    const [kept] = yield* change(job, `That helps: I keep it (${mutation.what}).`, command, help.edit);
    if (kept?.isError !== false) break;
    fixed.push(mutation);
    report = help.report;
    job.done.push(
      `changed ${mutation.file}:${mutation.line + 1} (${mutation.what}) after ${tally.tries} ${tally.tries === 1 ? 'try' : 'tries'}: ${countsText(report)}`,
    );
  }
  if (tally.tries > 0 && fixed.length === 0) job.done.push(`tried ${tally.tries} small changes and took each back`);
  return { fixed, tries: tally.tries, report };
}

/** How a repair reads in a report. */
export const repairText = ({ fixed, tries, report }: Repair): string[] => [
  ...fixed.map(
    (mutation) =>
      `Fixed ${mutation.file}:${mutation.line + 1}: \`${mutation.before.trim()}\` is now \`${mutation.after.trim()}\`.`,
  ),
  ...(stillFails(report)
    ? [
        `${tries === 0 ? 'I found nothing to try' : `None of ${tries} small changes${fixed.length > 0 ? ' more' : ''} helped, and I took them back`}; this needs a real model (ANTHROPIC_API_KEY in .env.wsl).`,
        ...failureLines(report),
      ]
    : []),
];

/** "Run the tests and fix the one that fails": by what the files and the test output say. */
export const fixTests: Scenario = {
  name: 'fix-tests',
  fits: ({ opening: { instruction } }) =>
    /\b(?:fix|repair|mend|debug|correct|sort out)\b/i.test(instruction) ||
    /\b(?:make|get|turn|bring)\b.*\btests?\b.*\b(?:pass\w*|green)\b/i.test(instruction) ||
    /\bred tests? green\b/i.test(instruction),
  *run(job) {
    if (!canRun(job) || !canEdit(job)) return needsHands(job, 'bash and the editor');
    const workspace = yield* lookAround(job);
    if (!workspace.test) return noCommandText(workspace);
    const { command } = workspace.test;
    const first = yield* runTests(job, command, `I run the tests with ${command}, since ${workspace.test.because}.`);
    if (!stillFails(first)) return `Nothing to fix: ${command} says ${countsText(first)}.`;
    const outcome = yield* repair(job, workspace, command, first);
    const last =
      outcome.fixed.length > 0 ? yield* runTests(job, command, 'I run the tests once more.') : outcome.report;
    return [
      `${command}: before ${countsText(first)}; now ${countsText(last)}.`,
      ...repairText({ ...outcome, report: last }),
    ].join('\n');
  },
};
