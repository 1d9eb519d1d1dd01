import type { Command } from './command.ts';
import { resultOf } from './follow.ts';
import { createGateway } from './gateway.ts';
import { traceIdIn } from './ids.ts';
import { exitCodeOf, reportOf } from './report.ts';
import { waitForTask } from './wait.ts';

export const trace: Command = {
  usage: 'trace ID [--wait] [--json]',
  summary: 'Show a task: its jobs, results, files, cost.',
  help: `  ID       a trace id, or a job's
  --wait   show what happens until it is over
  --json   the result as one JSON object

  Exit code: that of the task, 0 while it runs.`,
  options: { wait: { type: 'boolean' }, json: { type: 'boolean' } },
  words: [1, 1],
  run: async (args, context) => {
    const traceId = traceIdIn(args.words[0] ?? '');
    const gateway = createGateway(context);
    if (args.flag('wait')) return waitForTask(gateway, traceId, args.flag('json'), context);
    const result = await resultOf(gateway, traceId);
    context.out(args.flag('json') ? JSON.stringify(result) : reportOf(result));
    return exitCodeOf(result.status);
  },
};
