import type { PlannedCall } from '../conversation.ts';
import { StopOrdered, act } from '../program.ts';
import type { Job, Program } from '../program.ts';
import { CLUE_FILES, findTestCommand } from './test-command.ts';
import { countsText, readTestOutput } from './test-output.ts';
import type { TestReport } from './test-output.ts';

const EDITOR = 'str_replace_based_edit_tool';

export const canRun = (job: Job): boolean => job.conversation.tools.has('bash');
export const canEdit = (job: Job): boolean => job.conversation.tools.has(EDITOR);

export const bashCall = (command: string): PlannedCall => ({ name: 'bash', input: { command } });
export const viewCall = (path: string, first = 1): PlannedCall => ({
  name: EDITOR,
  input: { command: 'view', path, ...(first > 1 ? { view_range: [first, -1] } : {}) },
});
export const createCall = (path: string, file_text: string): PlannedCall => ({
  name: EDITOR,
  input: { command: 'create', path, file_text },
});
export const replaceCall = (path: string, old_str: string, new_str: string): PlannedCall => ({
  name: EDITOR,
  input: { command: 'str_replace', path, old_str, new_str },
});

/** Every client prints output differently; this line says how the command ended, whatever is around it. */
export const exitOf = (output: string): number | null => {
  const found = /\[exit (\d+)\]/.exec(output);
  return found ? Number(found[1]) : null;
};
export const withExit = (command: string): string => `${command}; echo "[exit $?]"`;

/** Runs a command; `exit` is null when it did not come to its end. */
export function* run(job: Job, say: string, command: string): Program<{ output: string; exit: number | null }> {
  const [outcome] = yield* act(job, say, bashCall(withExit(command)));
  const output = outcome?.text ?? '';
  return { output: output.replace(/\[exit \d+\][^]*$/, ''), exit: exitOf(output) };
}

/**
 * A file's own text from what `view` printed: line numbers in front, as `cat -n` has them, are taken off, beginning with
 * line `first`. `next`: the line to go on with when the client cut the file; null: that was all.
 */
export const textOfView = (printed: string, first = 1): { text: string; next: number | null } => {
  if (/^\(empty file\)\s*$/m.test(printed)) return { text: '', next: null };
  const lines = printed.split('\n');
  const start = lines.findIndex((line) => Number(/^\s*(\d+)\t/.exec(line)?.[1] ?? Number.NaN) === first);
  if (start < 0) return { text: first === 1 ? printed : '', next: null };
  const text: string[] = [];
  for (const line of lines.slice(start)) {
    const numbered = /^\s*(\d+)\t(.*)$/.exec(line);
    if (!numbered || Number(numbered[1]) !== first + text.length) break;
    text.push(numbered[2] ?? '');
  }
  const cut = /\[cut after line (\d+) of \d+/.exec(printed);
  return {
    text: text.join('\n'),
    next: cut && Number(cut[1]) === first + text.length - 1 ? first + text.length : null,
  };
};

/** Files viewed in one turn: well under the 32 calls a turn may have. */
const VIEWS_PER_TURN = 16;

/** Reads files with the editor; those that cannot be read are missing from the answer. */
export function* readFiles(job: Job, say: string, paths: readonly string[]): Program<Map<string, string>> {
  const texts = new Map<string, string>();
  let wanted = paths.map((path) => ({ path, first: 1 }));
  while (wanted.length > 0) {
    const some = wanted.slice(0, VIEWS_PER_TURN);
    const outcomes = yield* act(job, say, ...some.map(({ path, first }) => viewCall(path, first)));
    const further = some.flatMap(({ path, first }, at) => {
      const outcome = outcomes[at];
      if (!outcome || outcome.isError) return [];
      const { text, next } = textOfView(outcome.text, first);
      texts.set(path, first === 1 ? text : `${texts.get(path) ?? ''}\n${text}`);
      return next === null ? [] : [{ path, first: next }];
    });
    wanted = [...further, ...wanted.slice(some.length)];
  }
  return texts;
}

export interface Workspace {
  /** Every path but dependencies, build output and git's own. */
  files: string[];
  test: { command: string; because: string } | null;
}

const LIST =
  "find . -type f -not -path '*/.git/*' -not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/coverage/*' -not -path '*/__pycache__/*' | sort | head -n 400";
const CLUES = `for f in ${CLUE_FILES.join(' ')}; do if [ -f "$f" ]; then echo "==> $f"; cat "$f"; echo; fi; done; echo "==> end"`;

/** Looks around: what files there are and how they are tested. */
export function* lookAround(job: Job): Program<Workspace> {
  const [listed, printed] = yield* act(
    job,
    'I look at what is here and how it is tested.',
    bashCall(LIST),
    bashCall(CLUES),
  );
  const files = (listed?.text ?? '')
    .split('\n')
    .flatMap((line) => (line.startsWith('./') ? [line.slice(2).trim()] : []));
  const clues = new Map<string, string>();
  for (const part of (printed?.text ?? '').split(/^==> /m).slice(1)) {
    const end = part.indexOf('\n');
    clues.set(part.slice(0, end).trim(), part.slice(end + 1));
  }
  job.files = files;
  job.done.push(`looked around: ${files.length} files`);
  return { files, test: findTestCommand(clues, files) };
}

/** Runs the tests once. @throws StopOrdered afterwards, when a person said to stop after them. */
export function* runTests(job: Job, command: string, say: string): Program<TestReport & { output: string }> {
  const { output, exit } = yield* run(job, say, command);
  const report = readTestOutput(output, exit, job.files);
  job.done.push(`ran ${command}: ${countsText(report)}`);
  stopIfOrdered(job);
  return { ...report, output };
}

export const stopIfOrdered = (job: Job): void => {
  if (job.orders.stopAfterTests) throw new StopOrdered('asked to stop after the tests');
};

/** Changes files (and may run something after it in the same turn). A person's "change nothing" ends the program before it. */
export function* change(
  job: Job,
  say: string,
  testCommand: string | null,
  ...calls: PlannedCall[]
): Program<{ text: string; isError: boolean }[]> {
  if (job.orders.changeNothing) throw new StopOrdered('asked to change nothing');
  if (job.orders.stopAfterTests) {
    if (testCommand !== null)
      yield* runTests(job, testCommand, 'You asked me to stop after the tests, so I run them and stop.');
    stopIfOrdered(job);
  }
  return yield* act(job, say, ...calls);
}
