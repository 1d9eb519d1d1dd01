import type { Context } from './command.ts';
import type { ExitCode } from './exit.ts';
import { followTask } from './follow.ts';
import type { Gateway } from './gateway.ts';
import { progressLine } from './progress.ts';
import { exitCodeOf, reportOf } from './report.ts';

/** Shows a task until it is over, then its result. Ctrl-C says how to go on, and leaves the task running. */
export const waitForTask = async (
  gateway: Gateway,
  traceId: string,
  json: boolean,
  context: Context,
): Promise<ExitCode> => {
  try {
    const result = await followTask(
      gateway,
      traceId,
      (event) => {
        const line = json ? null : progressLine(event);
        if (line !== null) context.out(line);
      },
      context.signal,
    );
    context.out(json ? JSON.stringify(result) : `\n${reportOf(result)}`);
    return exitCodeOf(result.status);
  } catch (error) {
    if (context.signal.aborted)
      context.err(`\nthe task goes on.  watch it: dual trace ${traceId} --wait    end it: dual cancel ${traceId}`);
    throw error;
  }
};
