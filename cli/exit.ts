import { EXIT } from '../contracts/exit-codes.ts';
import type { ExitCode } from '../contracts/exit-codes.ts';

export { EXIT };
export type { ExitCode };

/** Ends a command with a message for the person; `code` is the process's exit code. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError';
  readonly code: ExitCode;
  constructor(code: ExitCode, message: string, about: { cause?: unknown } = {}) {
    super(message, { cause: about.cause });
    this.code = code;
  }
}

/** The words after `dual` are not understood. */
export class UsageError extends CommandError {
  override readonly name = 'UsageError';
  constructor(message: string) {
    super(EXIT.usage, message);
  }
}
