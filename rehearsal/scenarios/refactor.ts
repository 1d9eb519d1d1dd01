import { namesIn, splitBlocks } from '../code/blocks.ts';
import type { Block } from '../code/blocks.ts';
import { editBetween } from '../code/edits.ts';
import { duplicatedFunctions, repeatedLines } from '../code/duplicates.ts';
import { bashCall, canEdit, canRun, change, createCall, lookAround, readFiles, runTests } from '../code/hands.ts';
import type { Workspace } from '../code/hands.ts';
import { isSourceFile, isTestFile } from '../code/imports.ts';
import { planMove } from '../code/move-functions.ts';
import { settledDebts } from '../code/documents.ts';
import { countsText } from '../code/test-output.ts';
import { betterName, isVague } from '../code/vague-names.ts';
import type { PlannedCall } from '../conversation.ts';
import type { Job, Program, Scenario } from '../program.ts';
import { repair, repairText } from './fix-tests.ts';
import { edit, renameIn } from './rename-symbol.ts';
import { failureLines, needsHands } from './words.ts';

/** Files read at most; a larger repository is looked at in part, and the report says so. */
const MAX_FILES = 48;

interface Findings {
  changes: string[];
  left: string[];
}

const place = (block: Block): string => `${block.file}:${block.codeFrom + 1}`;

/** Files the instruction names ("refactor the orders module"); none named: all. */
const inScope = (instruction: string, files: readonly string[]): ((file: string) => boolean) => {
  const words = new Set(instruction.toLowerCase().match(/[\w./-]+/g) ?? []);
  const named = files.filter(
    (file) =>
      words.has(file.toLowerCase()) || words.has((file.split('/').at(-1) ?? '').replace(/\.\w+$/, '').toLowerCase()),
  );
  return (file) => named.length === 0 || named.includes(file);
};

/** Moves functions that are written twice into one module; `texts` follows. */
function* mergeDuplicates(
  job: Job,
  workspace: Workspace,
  texts: Map<string, string>,
  wanted: (file: string) => boolean,
  findings: Findings,
): Program<string[]> {
  const sources = [...texts].filter(([file]) => isSourceFile(file) && !isTestFile(file));
  const blocks = sources.flatMap(([file, text]) => splitBlocks(file, text));
  const groups = duplicatedFunctions(blocks).filter((group) => group.copies.some((copy) => wanted(copy.file)));
  const plan = planMove(groups, texts, blocks, workspace.files);
  for (const { group, obstacle } of plan.obstacles)
    findings.left.push(
      `${group.copies.map((copy) => `${copy.name} (${place(copy)})`).join(' and ')} are the same code; left as they are: ${obstacle}.`,
    );
  if (!plan.module) return [];
  const names = plan.moved.map((group) => group.copies[0]?.name ?? '');
  const where = plan.moved.map((group) => group.copies.map(place).join(' and ')).join('; ');
  const calls: PlannedCall[] = [createCall(plan.module.path, plan.module.text), ...plan.edits];
  const failed = yield* edit(
    job,
    `${names.join(' and ')} ${names.length === 1 ? 'is' : 'are'} written more than once (${where}). I move ${names.length === 1 ? 'it' : 'them'} into ${plan.module.path}.`,
    workspace.test?.command ?? null,
    calls,
  );
  for (const [file, text] of plan.after) texts.set(file, text);
  findings.changes.push(
    `Moved ${names.join(', ')} into ${plan.module.path}; before, ${where} were copies of each other.${failed > 0 ? ` ${failed} edits were refused.` : ''}`,
  );
  job.done.push(`moved ${names.join(', ')} into ${plan.module.path}`);
  return names;
}

/** Gives vague function names a telling one, everywhere they are used. */
function* clearUpNames(
  job: Job,
  workspace: Workspace,
  texts: Map<string, string>,
  wanted: (file: string) => boolean,
  findings: Findings,
): Program<[string, string][]> {
  const documents = [...texts].filter(([file]) => file.endsWith('.md')).map(([, text]) => text);
  const blocks = [...texts]
    .filter(([file]) => isSourceFile(file) && !isTestFile(file) && wanted(file))
    .flatMap(([file, text]) => splitBlocks(file, text));
  const taken = new Set([...texts].filter(([file]) => isSourceFile(file)).flatMap(([, text]) => [...namesIn(text)]));
  const renamed: [string, string][] = [];
  for (const block of blocks.filter(({ kind, name }) => kind === 'function' && name !== null && isVague(name))) {
    const old = block.name ?? '';
    const better = betterName(block, documents);
    if (!better || taken.has(better.name) || isVague(better.name)) {
      findings.left.push(
        `${old} (${place(block)}) says nothing about what it does; I found no better name in its comment or the documents.`,
      );
      continue;
    }
    const plans = [...texts]
      .filter(([file]) => isSourceFile(file))
      .map(([file, text]) => ({ file, ...renameIn(file, text, old, better.name) }))
      .filter((plan) => plan.count > 0);
    const failed = yield* edit(
      job,
      `${old} says nothing about what it does. I call it ${better.name}, since ${better.because}.`,
      workspace.test?.command ?? null,
      plans.flatMap((plan) => plan.calls),
    );
    for (const plan of plans) texts.set(plan.file, plan.after);
    const total = plans.reduce((sum, plan) => sum + plan.count, 0);
    findings.changes.push(
      `Renamed ${old} to ${better.name} (${better.because}): ${total} places in ${plans.map((plan) => plan.file).join(', ')}.${failed > 0 ? ` ${failed} edits were refused.` : ''}`,
    );
    job.done.push(`renamed ${old} to ${better.name}`);
    taken.add(better.name);
    renamed.push([old, better.name]);
  }
  return renamed;
}

/** Puts every file back as it was. */
function* putBack(job: Job, before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): Program<void> {
  const changed = [...before].filter(([file, text]) => after.get(file) !== text);
  const added = [...after.keys()].filter((file) => !before.has(file));
  const calls = changed.flatMap(([file, text]) => editBetween(file, after.get(file) ?? '', text) ?? []);
  if (added.length > 0) calls.push(bashCall(`rm -f ${added.map((file) => `'${file}'`).join(' ')}`));
  yield* change(job, 'The tests are worse than before. I put everything back.', null, ...calls);
  job.done.push('put everything back as it was');
}

/** "Refactor …": merges duplicated functions, clears up vague names, and leaves the tests green. */
export const refactor: Scenario = {
  name: 'refactor',
  fits: ({ opening: { instruction } }) =>
    /\b(?:refactor\w*|clean(?:ing)? up|tidy|restructure|simplify|dedup\w*|duplicat\w*|extract)\b/i.test(instruction),
  *run(job) {
    if (!canRun(job) || !canEdit(job)) return needsHands(job, 'bash and the editor');
    const workspace = yield* lookAround(job);
    const { test } = workspace;
    const baseline = test
      ? yield* runTests(job, test.command, `Before I change anything I run ${test.command}.`)
      : null;
    const readable = workspace.files.filter((file) => isSourceFile(file) || file.endsWith('.md'));
    const texts = yield* readFiles(job, 'I read the code.', readable.slice(0, MAX_FILES));
    const original = new Map(texts);
    const wanted = inScope(
      job.opening.instruction,
      readable.filter((file) => isSourceFile(file) && !isTestFile(file)),
    );

    const findings: Findings = { changes: [], left: [] };
    if (readable.length > MAX_FILES) findings.left.push(`I read ${MAX_FILES} of ${readable.length} files.`);
    const moved = yield* mergeDuplicates(job, workspace, texts, wanted, findings);
    const renamed = yield* clearUpNames(job, workspace, texts, wanted, findings);
    const debts = settledDebts(texts, moved, renamed);
    if (debts.calls.length > 0) {
      yield* edit(
        job,
        'The documents still speak of what is settled now; I bring them up to date.',
        test?.command ?? null,
        debts.calls,
      );
      for (const [file, text] of debts.after) texts.set(file, text);
      findings.changes.push(`Brought ${[...debts.after.keys()].join(', ')} up to date.`);
    }
    for (const repeat of repeatedLines(
      new Map([...texts].filter(([file]) => isSourceFile(file) && !isTestFile(file))),
    ).slice(0, 3))
      findings.left.push(
        `${repeat.lines} lines are repeated at ${repeat.places.map(({ file, line }) => `${file}:${line}`).join(' and ')}; rehearsal moves whole functions only.`,
      );

    const lines: string[] = [];
    if (test && baseline) {
      let now = findings.changes.length > 0 ? yield* runTests(job, test.command, 'I run the tests again.') : baseline;
      const worse =
        now.exit !== 0 &&
        (baseline.exit === 0 ||
          (now.failed ?? Infinity) > (baseline.failed ?? Infinity) ||
          (now.passed ?? 0) < (baseline.passed ?? 0));
      if (worse && findings.changes.length > 0) {
        yield* putBack(job, original, texts);
        findings.left.push(
          ...findings.changes.splice(0).map((each) => `Tried and taken back, since tests failed: ${each}`),
        );
        now = yield* runTests(job, test.command, 'I run the tests once more.');
      }
      if (now.exit !== 0) {
        const outcome = yield* repair(job, workspace, test.command, now);
        if (outcome.fixed.length > 0) now = yield* runTests(job, test.command, 'I run the tests a last time.');
        lines.push(...repairText({ ...outcome, report: now }));
      }
      lines.push(
        `Tests (${test.command}): before ${countsText(baseline)}; now ${countsText(now)}.`,
        ...(lines.length === 0 ? failureLines(now) : []),
      );
    } else lines.push('I found no tests to run.');
    const head =
      findings.changes.length > 0
        ? 'Refactored:'
        : 'I found nothing that rehearsal can refactor safely (functions written twice, names that say nothing), so I changed no structure.';
    return [
      head,
      ...findings.changes.map((each) => `- ${each}`),
      ...lines,
      ...(findings.left.length > 0 ? ['Left alone:', ...findings.left.map((each) => `- ${each}`)] : []),
    ].join('\n');
  },
};
