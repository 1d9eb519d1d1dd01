import { randomUUID } from 'node:crypto';
import { JobResult } from '../contracts/task.ts';
import { MAX_STEER } from '../contracts/names.ts';
import { delay } from '../platform/lifecycle.ts';
import type { Command, Context } from './command.ts';
import { CommandError, EXIT, UsageError } from './exit.ts';
import { createGateway, Refused } from './gateway.ts';
import { idIn, jobIdIn } from './ids.ts';
import { printable } from './words.ts';

const MAX_NOTE = 1_000;
/** US dollars one call may add. */
const MAX_ADD_USD = 1_000;

export const cancel: Command = {
  usage: 'cancel ID [--reason TEXT]',
  summary: 'Stop a task (trace id) or one job of it (job id).',
  options: { reason: { type: 'string' } },
  words: [1, 1],
  run: async (args, context) => {
    const { kind, id } = idIn(args.words[0] ?? '');
    const reason = args.value('reason');
    const path = kind === 'trace' ? `/trace/${id}/cancel` : `/jobs/${id}/cancel`;
    await createGateway(context).post(path, reason === undefined ? {} : { reason });
    context.out(
      `${kind === 'trace' ? 'the task' : 'the job'} is being stopped; dual trace ${id} --wait shows how it ends`,
    );
    return EXIT.succeeded;
  },
};

export const approve: Command = {
  usage: 'approve JOB [--reject] [--note TEXT]',
  summary: 'Say yes (or no) to what a job is waiting for.',
  options: { reject: { type: 'boolean' }, note: { type: 'string' } },
  words: [1, 1],
  run: async (args, context) => {
    const jobId = jobIdIn(args.words[0] ?? '');
    const note = args.value('note');
    if (note !== undefined && note.length > MAX_NOTE) throw new UsageError(`--note: at most ${MAX_NOTE} characters`);
    const gateway = createGateway(context);
    const job = JobResult.safeParse(await gateway.get(`/status/${jobId}`));
    if (!job.success) throw new CommandError(EXIT.failed, 'the gateway gave an answer that this version does not know');
    const { waiting, status } = job.data;
    if (!waiting) throw new CommandError(EXIT.failed, `job ${jobId} waits for nothing: it is ${status}`);
    const reject = args.flag('reject');
    if (waiting.kind === 'budget' && !reject)
      throw new CommandError(EXIT.failed, `job ${jobId} needs money, not a yes: dual budget ${jobId} USD`);
    await gateway.post(`/jobs/${jobId}/approval`, {
      approval_id: waiting.approval_id,
      decision: reject ? 'reject' : 'approve',
      ...(note === undefined ? {} : { note }),
    });
    context.out(`${reject ? 'rejected' : 'approved'}: ${printable(waiting.summary)}`);
    return EXIT.succeeded;
  },
};

/** Times an addition that no worker confirms is asked for, under one key; a worker that restarts takes a few seconds. */
const BUDGET_TRIES = 4;

const addOnce = async (context: Context, path: string, addUsd: number): Promise<void> => {
  const gateway = createGateway(context);
  const once = randomUUID();
  for (let tries = 1; ; tries += 1) {
    try {
      await gateway.post(path, { add_usd: addUsd }, once);
      return;
    } catch (error) {
      if (!(error instanceof Refused && error.status === 503)) throw error;
      if (tries === BUDGET_TRIES)
        throw new CommandError(error.code, `${error.message}\nit may still be added, once, when a worker is back`);
      await delay(error.retryAfterMs ?? 1_000, context.signal);
    }
  }
};

export const budget: Command = {
  usage: 'budget JOB USD',
  summary: "Add US dollars to a job's budget.",
  options: {},
  words: [2, 2],
  run: async (args, context) => {
    const [job = '', amount = ''] = args.words;
    const jobId = jobIdIn(job);
    const addUsd = /^\d+(\.\d+)?$/.test(amount) ? Number(amount) : Number.NaN;
    if (!(addUsd > 0 && addUsd <= MAX_ADD_USD))
      throw new UsageError(`"${amount}" is no amount: US dollars above 0 and up to ${MAX_ADD_USD}, such as 1.50`);
    await addOnce(context, `/jobs/${jobId}/budget`, addUsd);
    context.out(`$${addUsd.toFixed(2)} added`);
    return EXIT.succeeded;
  },
};

export const steer: Command = {
  usage: 'steer JOB "TEXT"',
  summary: 'Tell a running job something; it hears it at its next turn.',
  options: {},
  words: [2, 10_000],
  run: async (args, context) => {
    const [job = '', ...words] = args.words;
    const jobId = jobIdIn(job);
    const text = words.join(' ').trim();
    if (text === '' || text.length > MAX_STEER) throw new UsageError(`a message has 1 to ${MAX_STEER} characters`);
    await createGateway(context).post(`/jobs/${jobId}/steer`, { text });
    context.out('told');
    return EXIT.succeeded;
  },
};
