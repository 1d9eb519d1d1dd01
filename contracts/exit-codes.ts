/** Exit codes of the command line and of the edge, a wire fact. */
export const EXIT = {
  succeeded: 0,
  /** Failed, cancelled or partly succeeded. */
  failed: 1,
  usage: 2,
  unreachable: 3,
  /** Declined, or a question needs an answer; also when nothing was said. */
  unanswered: 4,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
