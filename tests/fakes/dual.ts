import type { Environment } from '../../platform/env.ts';
import { runCommand } from '../../cli/run-command.ts';

export interface DualRun {
  code: number;
  out: string;
  err: string;
}

/** Runs the command line within this process: `dual ARGV` with the given variables and standard input. */
export const dual = async (
  argv: readonly string[],
  about: { env?: Environment; stdin?: string; signal?: AbortSignal; onOut?: (text: string) => void } = {},
): Promise<DualRun> => {
  let out = '';
  let err = '';
  const env = about.env ?? {};
  const code = await runCommand(argv, {
    environment: () => env,
    ownEnvironment: env,
    out: (text) => {
      out += `${text}\n`;
      about.onOut?.(text);
    },
    err: (text) => (err += `${text}\n`),
    stdin: async function* () {
      for (const line of (about.stdin ?? '').replace(/\n$/, '').split('\n')) yield line;
    },
    signal: about.signal ?? new AbortController().signal,
  });
  return { code, out, err };
};
