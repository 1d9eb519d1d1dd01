import { createInterface } from 'node:readline';
import { loadEnvironment } from '../platform/env.ts';
import { codeOf, messageOf } from '../platform/errors.ts';
import { runCommand } from './run-command.ts';

/** A reader that went away (`dual traces | head`) is no error, and there is nobody left to tell. */
process.stdout.on('error', (error) => {
  if (codeOf(error) !== 'EPIPE') throw error;
  process.exit();
});

const controller = new AbortController();
const stop = (code: number): void => {
  if (controller.signal.aborted) process.exit(code);
  controller.abort(new Error('interrupted'));
};
process.on('SIGINT', () => stop(130));
process.on('SIGTERM', () => stop(143));

/** Lets standard output take what it was given: a pipe takes it later, and process.exit would cut it off. */
const drained = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => void stream.write('', () => resolve()));

const code = await runCommand(process.argv.slice(2), {
  environment: () => loadEnvironment(process.env, '.env.wsl'),
  ownEnvironment: Object.fromEntries(Object.entries(process.env).filter(([, value]) => value)) as Record<
    string,
    string
  >,
  out: (text) => void process.stdout.write(`${text}\n`),
  err: (text) => void process.stderr.write(`${text}\n`),
  stdin: () => createInterface({ input: process.stdin, crlfDelay: Infinity }),
  signal: controller.signal,
}).catch((error: unknown) => {
  process.stderr.write(`dual: ${messageOf(error)}\n`);
  return 1;
});
await Promise.all([drained(process.stdout), drained(process.stderr)]);
process.exit(code);
