import type { Environment } from '../platform/env.ts';
import { ConfigError, messageOf } from '../platform/errors.ts';
import { helpOf, parseArguments } from './command.ts';
import type { Command, Context } from './command.ts';
import { findCommand, overview } from './commands.ts';
import { CommandError, EXIT } from './exit.ts';
import { loadCliSettings } from './settings.ts';
import type { CliSettings } from './settings.ts';

/** What the process gives: everything but the settings, which are read when a command needs them. */
export interface Outside extends Omit<Context, 'settings' | 'settingsProblem'> {
  /** File and process together. @throws ConfigError for a file that holds what it must not. */
  environment(): Environment;
  /** The process's own variables, for the command that looks for faults in the file. */
  ownEnvironment: Environment;
}

/** Exit code after Ctrl-C, as shells expect it. */
const INTERRUPTED = 130;

const withoutFile = (own: Environment): CliSettings => {
  try {
    return loadCliSettings(own);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return loadCliSettings({});
  }
};

/** The settings; where they are broken, the command that looks for faults works with the process environment alone. */
const settingsFor = (command: Command, outside: Outside): { settings: CliSettings; settingsProblem: string | null } => {
  try {
    return { settings: loadCliSettings(outside.environment()), settingsProblem: null };
  } catch (error) {
    if (!command.toleratesBadSettings || !(error instanceof ConfigError)) throw error;
    return { settings: withoutFile(outside.ownEnvironment), settingsProblem: error.message };
  }
};

/** Runs `dual ARGV` and answers its exit code; all that goes wrong is told on standard error, in words. */
export const runCommand = async (argv: readonly string[], outside: Outside): Promise<number> => {
  try {
    if (argv.length === 0 || ['--help', '-h', 'help'].includes(argv[0] ?? '')) {
      (argv.length === 0 ? outside.err : outside.out)(overview());
      return argv.length === 0 ? EXIT.usage : EXIT.succeeded;
    }
    const { command, rest } = findCommand(argv);
    const args = parseArguments(command, rest);
    if (args.wantsHelp) {
      outside.out(helpOf(command));
      return EXIT.succeeded;
    }
    const { out, err, stdin, signal } = outside;
    return await command.run(args, { ...settingsFor(command, outside), out, err, stdin, signal });
  } catch (error) {
    if (outside.signal.aborted) return INTERRUPTED;
    outside.err(`dual: ${messageOf(error)}`);
    if (error instanceof CommandError) return error.code;
    return error instanceof ConfigError ? EXIT.usage : EXIT.failed;
  }
};
