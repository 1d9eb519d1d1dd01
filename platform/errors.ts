import type { FailureType } from '../contracts/names.ts';

/** A failure of our own closed catalogue. `retryable`: trying again can help; `retryAfterMs`: not before that. */
export class OperationError extends Error {
  override readonly name = 'OperationError';
  readonly type: FailureType;
  readonly retryable: boolean;
  readonly retryAfterMs: number | null;
  constructor(
    type: FailureType,
    message: string,
    about: { retryable?: boolean; retryAfterMs?: number | null; cause?: unknown } = {},
  ) {
    super(message, { cause: about.cause });
    this.type = type;
    this.retryable =
      about.retryable ?? ['RateLimited', 'ProviderUnavailable', 'EnvironmentBusy', 'Internal'].includes(type);
    this.retryAfterMs = about.retryAfterMs ?? null;
  }
}

/** A bad setting. The message names the variable, never its value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly variable: string;
  constructor(variable: string, problem: string) {
    super(`${variable}: ${problem}`);
    this.variable = variable;
  }
}

const textOf = (error: unknown, name: 'message' | 'name'): string =>
  typeof error === 'object' && error !== null && name in error ? String((error as Record<string, unknown>)[name]) : '';

/** The message of anything thrown, for logs and people. */
export const messageOf = (error: unknown): string => textOf(error, 'message') || String(error);

/**
 * The `code` that Node's own errors carry (`ENOENT`, `EADDRINUSE`), as text; empty where there is none. Looks at the
 * shape, not the class: in a test's own realm Node's errors are not `instanceof Error`.
 */
export const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';

/** True for what an aborted signal makes SDKs and Node throw. */
export const isAbort = (error: unknown): boolean =>
  textOf(error, 'name') === 'AbortError' || codeOf(error) === 'ABORT_ERR';
