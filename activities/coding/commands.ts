import { z } from 'zod';
import type { ToolAnswer } from './editor.ts';
import { MAX_RESULT_CHARS } from './editor.ts';
import { ToolProblem } from './confined-files.ts';
import { partsOf, shownAs } from './confined-files.ts';
import type { ProcessId } from './processes.ts';
import { runCommand } from './run-command.ts';
import type { Sandbox, Surroundings } from './sandbox.ts';

/** One command of the model may take two minutes. */
export const COMMAND_LIMIT_MS = 120_000;
/** A single argument of a Linux program holds 128 KiB. */
const MAX_COMMAND_BYTES = 100_000;
const SEARCH_LINES = 200;
const SEARCH_LINE_CHARS = 400;

export const BashInput = z.object({
  command: z
    .string()
    .nullish()
    .transform((value) => value ?? ''),
  restart: z.boolean().nullish(),
});

export const SearchInput = z.object({
  text: z
    .string()
    .min(1)
    .max(2_000)
    .refine((text) => !text.includes('\0'), 'must not hold a NUL character'),
  path: z.string().max(4_000).nullish(),
});

export interface Terminal {
  sandbox: Sandbox;
  surroundings: Surroundings;
  signal: AbortSignal;
  onGroup: (group: ProcessId | null) => void;
}

export interface CommandAnswer extends ToolAnswer {
  exitCode: number;
}

const run = async (
  terminal: Terminal,
  command: string,
  about: { network: boolean; timeoutMs: number; maxChars: number },
) => {
  const launch = terminal.sandbox.launch(terminal.surroundings, command, { network: about.network });
  try {
    return await runCommand(launch, { ...about, signal: terminal.signal, onStart: terminal.onGroup });
  } finally {
    terminal.onGroup(null);
  }
};

const endedAfter = (timeoutMs: number, more: string): string =>
  `[ended after ${Math.round(timeoutMs / 1000)} s, the time limit of one command, ${more}]`;

/** Runs one command of the model. @throws ToolProblem for an input that cannot be run. */
export const runBash = async (
  terminal: Terminal,
  input: z.infer<typeof BashInput>,
  about: { network: boolean; timeoutMs: number },
): Promise<CommandAnswer> => {
  const { command } = input;
  if (command.trim() === '') {
    if (input.restart)
      return { text: 'Every call is a new shell: nothing to restart.', summary: 'restart shell', exitCode: 0 };
    throw new ToolProblem('bash needs a command.');
  }
  if (command.includes('\0') || Buffer.byteLength(command) > MAX_COMMAND_BYTES)
    throw new ToolProblem('This command is too long or holds a NUL character; create a script file and run that.');
  const { exitCode, text, timedOut } = await run(terminal, command, { ...about, maxChars: MAX_RESULT_CHARS });
  const end = timedOut ? endedAfter(about.timeoutMs, 'with everything it had started') : `[exit code ${exitCode}]`;
  const body = text === '' ? '' : text.endsWith('\n') ? text : `${text}\n`;
  return {
    text: `${body}${end}`,
    summary: `run ${command} (${timedOut ? 'time limit' : `exit ${exitCode}`})`,
    exitCode,
  };
};

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** Finds a literal string in what git knows and in new files, ignored ones left out; at most 200 lines. */
export const runSearch = async (
  terminal: Terminal,
  input: z.infer<typeof SearchInput>,
  about: { timeoutMs: number },
): Promise<CommandAnswer> => {
  const parts = partsOf({ tree: terminal.surroundings.tree, shares: [] }, input.path ?? '.');
  const below = parts.length === 0 ? '' : ` -- ${quote(shownAs(parts))}`;
  const command = `git --literal-pathspecs grep --no-color --full-name -I -n -F --untracked -e ${quote(input.text)}${below}`;
  const { exitCode, text, timedOut } = await run(terminal, command, { ...about, network: false, maxChars: 1_000_000 });
  const summary = (found: string): string => `search ${JSON.stringify(input.text)} (${found})`;
  if (exitCode === 1 && text === '') return { text: 'Nothing found.', summary: summary('nothing'), exitCode: 0 };
  if (timedOut)
    return { text: endedAfter(about.timeoutMs, 'search below a path'), summary: summary('time limit'), exitCode };
  if (exitCode !== 0)
    return { text: `${text.slice(0, MAX_RESULT_CHARS)}[exit code ${exitCode}]`, summary: summary('failed'), exitCode };
  const lines = text.trimEnd().split('\n');
  const shown = lines
    .slice(0, SEARCH_LINES)
    .map((line) => (line.length > SEARCH_LINE_CHARS ? `${line.slice(0, SEARCH_LINE_CHARS)} [line cut]` : line));
  if (lines.length > SEARCH_LINES)
    shown.push(`[${lines.length - SEARCH_LINES} more lines; search for something narrower, or below a path]`);
  return { text: shown.join('\n').slice(0, MAX_RESULT_CHARS), summary: summary(`${lines.length} lines`), exitCode: 0 };
};
