import { nearest } from '../platform/text.ts';
import type { Command } from './command.ts';
import { doctor } from './doctor.ts';
import { UsageError } from './exit.ts';
import { approve, budget, cancel, steer } from './job-commands.ts';
import { open } from './open.ts';
import { route } from './route.ts';
import { say } from './say.ts';
import { skillsCheck } from './skills-check.ts';
import { skillsNew } from './skills-new.ts';
import { skillsTest } from './skills-test.ts';
import { trace } from './trace.ts';
import { tracesImport } from './traces-import.ts';
import { traces } from './traces.ts';

/** Every verb; a name of two words is tried before one of one. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map([
  ['say', say],
  ['trace', trace],
  ['traces', traces],
  ['traces import', tracesImport],
  ['cancel', cancel],
  ['approve', approve],
  ['budget', budget],
  ['steer', steer],
  ['open', open],
  ['route', route],
  ['skills check', skillsCheck],
  ['skills test', skillsTest],
  ['skills new', skillsNew],
  ['doctor', doctor],
]);

/** What `dual --help` says. */
export const overview = (): string =>
  [
    'dual: speak to your agents from the command line',
    '',
    ...[...COMMANDS.values()].map(({ usage, summary }) => `  dual ${usage}\n      ${summary}`),
    '',
    'dual VERB --help says more. In a clone: npm run --silent dual -- VERB …',
    'Exit codes: 0 succeeded, 1 failed, cancelled or partly, 2 usage, 3 not reachable, 4 declined or a question.',
  ].join('\n');

/** The command that the first words name, and the words behind them. @throws UsageError with the nearest verb. */
export const findCommand = (argv: readonly string[]): { command: Command; rest: readonly string[] } => {
  const [first = '', second = ''] = argv;
  const pair = COMMANDS.get(`${first} ${second}`);
  if (pair) return { command: pair, rest: argv.slice(2) };
  const single = COMMANDS.get(first);
  if (single) return { command: single, rest: argv.slice(1) };
  const names = [...COMMANDS.keys()];
  const ofFamily = names.filter((name) => name.startsWith(`${first} `));
  if (ofFamily.length > 0)
    throw new UsageError(
      `dual ${first} needs one of: ${ofFamily.map((name) => name.slice(first.length + 1)).join(', ')}`,
    );
  const near = nearest(first, [...new Set(names.map((name) => name.split(' ')[0] ?? ''))]);
  throw new UsageError(`unknown verb "${first}"${near ? `; did you mean dual ${near}?` : '; dual --help lists them'}`);
};
