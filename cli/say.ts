import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import { FinalReply } from '../contracts/replies.ts';
import type { AcceptedReply } from '../contracts/replies.ts';
import { MAX_TEXT } from '../contracts/transcript.ts';
import { delay } from '../platform/lifecycle.ts';
import type { Arguments, Command, Context } from './command.ts';
import { CommandError, EXIT, UsageError } from './exit.ts';
import type { ExitCode } from './exit.ts';
import { createGateway, Refused, Unreachable } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import { waitForTask } from './wait.ts';
import { printable } from './words.ts';

/** How long a sentence is offered to a gateway that is away or busy; the same id makes the repetition safe. */
const OFFER_MS = 10_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 2_000;

const mayHelp = (error: unknown): error is Unreachable | Refused =>
  error instanceof Unreachable || (error instanceof Refused && [429, 502, 503, 504].includes(error.status));

/**
 * Submits a sentence; repeats it under the same id for `offerMs` while the gateway is away or busy.
 * @throws Unreachable, Refused
 */
export const submit = async (
  gateway: Gateway,
  body: { text: string; utterance_id: string; session_id: string },
  context: Pick<Context, 'err' | 'signal'>,
  offerMs = OFFER_MS,
): Promise<FinalReply> => {
  const until = performance.now() + offerMs;
  let told = false;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      const answer = await gateway.post('/transcript', { ...body, is_final: true });
      const reply = FinalReply.safeParse(answer);
      if (reply.success) return reply.data;
      throw new CommandError(EXIT.failed, 'the gateway gave an answer that this version does not know');
    } catch (error) {
      if (!mayHelp(error)) throw error;
      const wait = error instanceof Refused ? (error.retryAfterMs ?? pause) : pause;
      if (performance.now() + wait > until) throw error;
      if (!told) context.err(`${error.message.split('\n')[0] ?? ''}; trying again for ${offerMs / 1_000} s`);
      told = true;
      await delay(wait, context.signal);
    }
  }
};

/** One person on one machine is one conversation, so that the answer to a question can be the next `dual say`. */
const ownSession = (): string => {
  const name = (() => {
    try {
      return userInfo().username;
    } catch {
      return 'somebody'; // no entry in the user database, as in some containers
    }
  })();
  return `cli-${name.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 60)}`;
};

const sentenceOf = (args: Arguments): string => {
  const text = args.words.join(' ').trim();
  if (text === '') throw new UsageError('there is nothing to say: dual say "Run the tests."');
  if (text.length > MAX_TEXT) throw new UsageError(`${text.length} characters; at most ${MAX_TEXT} go at once`);
  return text;
};

const acceptedText = (reply: AcceptedReply): string =>
  [
    `accepted: ${reply.jobs.length === 1 ? 'one job' : `${reply.jobs.length} jobs`}`,
    ...reply.jobs.map(({ job_id, agent, skill, instruction, depends_on }) => {
      const after = depends_on.map(({ job_id: id, when }) => `${id.split('-').at(-1) ?? ''} ${when}`).join(', ');
      return `  ${job_id.split('-').at(-1) ?? ''} ${agent} (${skill}): ${printable(instruction)}${after ? `, after ${after}` : ''}`;
    }),
    `trace     ${reply.trace_id}`,
    `Temporal  ${reply.links.temporal_ui}`,
  ].join('\n');

/** What a reply that started nothing means to the person, and to the exit code. */
const unstarted = (reply: Exclude<FinalReply, AcceptedReply>): { text: string; code: ExitCode } => {
  switch (reply.status) {
    case 'declined':
      return { text: `not taken as an order: ${printable(reply.reason)}`, code: EXIT.unanswered };
    case 'clarify':
      return {
        text: [
          printable(reply.question),
          ...reply.candidates.map(({ skill, text, score }) => `  ${skill}: ${printable(text)} (${score.toFixed(2)})`),
          'answer within a minute: dual say "…"',
        ].join('\n'),
        code: EXIT.unanswered,
      };
    case 'control':
      return { text: printable(reply.message), code: reply.outcome === 'done' ? EXIT.succeeded : EXIT.unanswered };
  }
};

export const say: Command = {
  usage: 'say "SENTENCE" [--wait | --no-wait] [--json] [--session ID] [--id ID]',
  summary: 'Submit a sentence and show what happens until the answer.',
  help: `  --wait        wait for the answer; this is what happens anyway
  --no-wait     end as soon as the sentence is accepted
  --json        one JSON object: the result (or the gateway's reply, with --no-wait or when nothing was started)
  --session ID  whose conversation it belongs to; default: yours on this machine
  --id ID       the utterance_id; the same id and sentence again start nothing new. Default: a fresh one

  Ctrl-C ends the waiting, not the task.
  Exit code: 0 succeeded, 1 failed, cancelled or partly, 3 not reachable, 4 declined or a question.`,
  options: {
    wait: { type: 'boolean' },
    'no-wait': { type: 'boolean' },
    json: { type: 'boolean' },
    session: { type: 'string' },
    id: { type: 'string' },
  },
  words: [1, 10_000],
  run: async (args, context) => {
    const text = sentenceOf(args);
    if (args.flag('wait') && args.flag('no-wait')) throw new UsageError('--wait and --no-wait exclude each other');
    for (const name of ['session', 'id']) {
      const value = args.value(name);
      if (value !== undefined && !/^[A-Za-z0-9._:-]{1,128}$/.test(value))
        throw new UsageError(`--${name}: 1 to 128 letters, digits, dots, dashes, colons or underscores`);
    }
    const json = args.flag('json');
    const gateway = createGateway(context);
    const reply = await submit(
      gateway,
      {
        text,
        utterance_id: args.value('id') ?? `cli-${randomUUID()}`,
        session_id: args.value('session') ?? ownSession(),
      },
      context,
    );
    if (reply.status !== 'accepted') {
      const { text: words, code } = unstarted(reply);
      context.out(json ? JSON.stringify(reply) : words);
      return code;
    }
    if (args.flag('no-wait')) {
      context.out(json ? JSON.stringify(reply) : acceptedText(reply));
      return EXIT.succeeded;
    }
    if (!json) context.out(acceptedText(reply));
    return waitForTask(gateway, reply.trace_id, json, context);
  },
};
