import { parseArgs } from 'node:util';
import { nearest } from '../platform/text.ts';

export const MODES = ['transcribe', 'converse'] as const;
export type Mode = (typeof MODES)[number];

/** What was asked for on the command line. */
export interface EdgeOptions {
  /** A file to hear instead of a microphone; `-` is standard input; null: a microphone. */
  input: string | null;
  /** List input devices and end. */
  devices: boolean;
  /** null: the system's default, or MICROPHONE_DEVICE. */
  device: string | null;
  mode: Mode;
  json: boolean;
  /** End when the input is played, every final acknowledged and its task answered. */
  once: boolean;
  /** No sound: answers as text alone. */
  quiet: boolean;
  help: boolean;
}

/** The words on the command line are not understood; the message says which, and what to type. */
export class OptionsError extends Error {
  override readonly name = 'OptionsError';
}

const OPTIONS = {
  input: { type: 'string' },
  devices: { type: 'boolean' },
  device: { type: 'string' },
  mode: { type: 'string' },
  json: { type: 'boolean' },
  once: { type: 'boolean' },
  quiet: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

export const HELP = `npm run edge -- [options]

  Hears you, sends what you said to the gateway, and answers. Keys: m mute, s stop talking, q or Ctrl-C quit.

  --input FILE       hear a WAV file (or .raw: 16 kHz, 16 bit, mono) in real time instead of the microphone;
                     - is standard input, raw
  --devices          list the inputs of this machine, and end
  --device NAME      the input to use; a part of its name will do
  --mode MODE        transcribe: what you say goes to the gateway (default)
                     converse: a model speaks with you, and hands orders on
  --json             one event a line on standard output, for programs
  --once             end when the input was played, every sentence delivered and its task answered
  --quiet            answer as text alone
  --help             this

  Settings are in .env.local (see .env.local.example).
  Exit code: 0 succeeded, 1 failed, cancelled or partly, 2 usage, 3 not reachable, 4 declined or a question.`;

/** @throws OptionsError */
export const parseOptions = (argv: readonly string[]): EdgeOptions => {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(argv);
  } catch (error) {
    const message = error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error);
    const unknown = /Unknown option '-{1,2}([^']*)'/.exec(message)?.[1];
    const near = unknown === undefined ? undefined : nearest(unknown, Object.keys(OPTIONS));
    throw new OptionsError(`${message}${near ? `; did you mean --${near}?` : ''}\n--help lists the options`);
  }
  const { values } = parsed;
  const mode = MODES.find((known) => known === (values.mode ?? 'transcribe'));
  if (!mode) throw new OptionsError(`--mode is one of ${MODES.join(', ')}`);
  for (const name of ['input', 'device'] as const)
    if (values[name] === '') throw new OptionsError(`--${name} needs a value`);
  if (values.input !== undefined && values.device !== undefined)
    throw new OptionsError('--input and --device exclude each other');
  if (values.once && values.input === undefined)
    throw new OptionsError('--once needs --input FILE: a microphone never ends');
  return {
    input: values.input ?? null,
    devices: values.devices ?? false,
    device: values.device ?? null,
    mode,
    json: values.json ?? false,
    once: values.once ?? false,
    quiet: values.quiet ?? false,
    help: values.help ?? false,
  };
};

const parse = (argv: readonly string[]) =>
  parseArgs({ args: [...argv], options: OPTIONS, strict: true, allowPositionals: false });
