/** Exit codes of the command line, a wire fact. */
export const EXIT = {
  succeeded: 0,
  /** Failed, cancelled or partly succeeded. */
  failed: 1,
  usage: 2,
  unreachable: 3,
  /** Declined, or a question needs an answer. */
  unanswered: 4,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

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
