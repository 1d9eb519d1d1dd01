import { parseArgs } from 'node:util';
import type { ParseArgsOptionsConfig } from 'node:util';
import { nearest } from '../platform/text.ts';
import type { CliSettings } from './settings.ts';
import type { ExitCode } from './exit.ts';
import { UsageError } from './exit.ts';

/** What a command gets from the process that runs it. */
export interface Context {
  settings: CliSettings;
  /** What is wrong with the settings; only for a command that tolerates it, and then `settings` are the defaults. */
  settingsProblem: string | null;
  /** Results: one or more whole lines on standard output. */
  out(text: string): void;
  /** Everything else, on standard error. */
  err(text: string): void;
  /** Lines of standard input. */
  stdin(): AsyncIterable<string>;
  /** Aborted by Ctrl-C and SIGTERM. */
  signal: AbortSignal;
}

/** One verb. */
export interface Command {
  /** After `dual `: verb, arguments and options, as help shows them. */
  usage: string;
  summary: string;
  /** Further lines of its help. */
  help?: string;
  options: ParseArgsOptionsConfig;
  /** Words that are no options: at least and at most. */
  words: readonly [number, number];
  /** It looks for faults, so that bad settings must not stop it. */
  toleratesBadSettings?: boolean;
  run(args: Arguments, context: Context): Promise<ExitCode>;
}

/** Typed access to what was given. */
export interface Arguments {
  words: readonly string[];
  flag(name: string): boolean;
  value(name: string): string | undefined;
}

/** Every command has it. */
const HELP = { help: { type: 'boolean', short: 'h' } } as const;

const hint = (problem: string, command: Command): string =>
  `${problem}\nusage: dual ${command.usage}\nmore:  dual ${command.usage.split(' ')[0] ?? ''} --help`;

/**
 * Reads a command's words and options. `--` ends the options.
 * @throws UsageError naming what is wrong, with the nearest known option.
 */
export const parseArguments = (command: Command, argv: readonly string[]): Arguments & { wantsHelp: boolean } => {
  const options = { ...command.options, ...HELP };
  const known = Object.keys(options);
  let parsed: { values: Record<string, unknown>; positionals: string[]; tokens: { kind: string; name?: string }[] };
  try {
    parsed = parseArgs({
      args: [...argv],
      options,
      allowPositionals: true,
      strict: true,
      tokens: true,
      allowNegative: false,
    });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const unknown = /Unknown option '(-{1,2})([^']*)'/.exec(message);
    if (!unknown) throw new UsageError(hint(message, command));
    const near = nearest(unknown[2] ?? '', known);
    const advice = near ? `; did you mean --${near}?` : `; known are ${known.map((name) => `--${name}`).join(', ')}`;
    throw new UsageError(hint(`unknown option ${unknown[1]}${unknown[2]}${advice}`, command));
  }
  const { values, positionals } = parsed;
  const wantsHelp = values['help'] === true;
  const [least, most] = command.words;
  if (!wantsHelp && positionals.length < least) throw new UsageError(hint('something is missing', command));
  if (!wantsHelp && positionals.length > most)
    throw new UsageError(hint(`too many words: ${positionals.slice(most).join(' ')}`, command));
  return {
    wantsHelp,
    words: positionals,
    flag: (name) => values[name] === true,
    value: (name) => {
      const value = values[name];
      return typeof value === 'string' ? value : undefined;
    },
  };
};

/** A command's help page. */
export const helpOf = (command: Command): string =>
  [`dual ${command.usage}`, '', `  ${command.summary}`, ...(command.help ? ['', command.help] : [])].join('\n');
