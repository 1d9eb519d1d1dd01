import { z } from 'zod';
import type { TaskOutcome } from '../contracts/names.ts';
import type { AcceptedReply, ClarifyReply, ControlReply, DeclinedReply, FinalReply } from '../contracts/replies.ts';
import type { JobResult, Verification } from '../contracts/task.ts';
import type { TraceEvent } from '../contracts/trace-event.ts';
import type { Sentence } from './sentence.ts';
import { counted, firstSentence, MAX_SPOKEN_WORDS, sentence, shortened, speakable } from './speakable.ts';

/** The gateway takes an answer by voice for 60 s from the question; saying it and answering take the last of them. */
const ANSWERABLE_MS = 50_000;
/** Words each of several jobs may take, as many as fit. */
const SHARES = [20, 16, 13, 10, 7];
const FEW_JOBS = 3;

/** What is known of a job when its task is told of. */
export interface JobTold {
  agent: string;
  instruction: string;
  status: JobResult['status'];
  /** Its summary, or why it failed. */
  message: string;
  errorType: string | null;
  verification: Verification | null;
  /** Its failure was said when it happened. */
  told: boolean;
}

const plain = (text: string, about: Partial<Sentence> & Pick<Sentence, 'traceId' | 'urgency'>): Sentence => ({
  text: sentence(shortened(text, MAX_SPOKEN_WORDS)),
  earcon: null,
  key: null,
  final: false,
  ...about,
});

/** Something that concerns no task: the microphone, the gateway, the recogniser. */
export const troubleSentence = (text: string): Sentence =>
  plain(speakable(text), { traceId: null, urgency: 'failure', earcon: 'failed' });

const lowered = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

const acceptedSentence = ({ trace_id: traceId, jobs }: AcceptedReply): Sentence => {
  const [only] = jobs;
  const order = only && jobs.length === 1 ? speakable(only.instruction, 10) || speakable(only.skill) : '';
  const text = order ? `Started: ${lowered(order)}` : `${counted(jobs.length)} jobs started`;
  return plain(text, { traceId, urgency: 'note', earcon: 'accepted' });
};

/** What the router says when a sentence is no order; anything else is why an order cannot be carried out. */
const NO_ORDER = /^(?:no order|not an order|no skill|nearest skill|told, not ordered|.* reads no order)/;
const TAKEN_BACK = /^(?:said not to be done|taken back)/;
const NOTHING = /^(?:no words|nothing was said)/;

const declinedSentence = ({ trace_id: traceId, reason }: DeclinedReply): Sentence | null => {
  if (NOTHING.test(reason)) return null;
  if (TAKEN_BACK.test(reason)) return plain('All right, nothing is done', { traceId, urgency: 'note' });
  if (NO_ORDER.test(reason)) return plain('I did not take that as an order', { traceId, urgency: 'note' });
  return plain(`I cannot do that: ${speakable(reason, 18)}`, { traceId, urgency: 'result', earcon: 'failed' });
};

/** "do you mean deploy (Run …), or coding (…)?" is for eyes: its names are for ears. */
const clarifySentence = ({ trace_id: traceId, question, candidates, missing }: ClarifyReply): Sentence => {
  const names = candidates.map(({ skill }) => speakable(skill.replaceAll('-', ' ')));
  const choice = missing.length === 0 && names.length > 1 ? `Do you mean ${names.join(', or ')}?` : null;
  const asked = choice ?? (speakable(question.replace(/ \([^()]*\)/g, '')) || 'What do you mean?');
  return plain(asked.endsWith('?') ? asked : `${asked}?`, {
    traceId,
    urgency: 'question',
    earcon: 'needs_you',
    key: `clarify-${traceId}-${asked}`,
  });
};

const controlSentence = ({ trace_id: traceId, action, outcome, message }: ControlReply): Sentence => {
  const told = message.replace(/[;,] (?:or )?use the command dual [\w-]+(?: [0-9a-f]{32}-\d+)?/g, '; use the terminal');
  const text = action === 'cost' ? 'What it costs stands on the terminal' : speakable(told);
  return plain(text || 'Done', { traceId, urgency: 'result', earcon: outcome === 'ambiguous' ? 'needs_you' : null });
};

/** What the gateway answered to a sentence; null where nothing needs to be said. */
export const replySentence = (reply: FinalReply): Sentence | null => {
  switch (reply.status) {
    case 'accepted':
      return acceptedSentence(reply);
    case 'declined':
      return declinedSentence(reply);
    case 'clarify':
      return clarifySentence(reply);
    case 'control':
      return controlSentence(reply);
  }
};

const Asked = z.object({
  kind: z.enum(['approval', 'budget']).catch('approval'),
  approval_id: z.string().min(1).max(200),
  summary: z.string().catch(''),
});
const START = /^start \S+ \((\w+)\): ([^]*)$/;

/** A command that loses nothing when it is said; every other is for eyes. */
const PLAIN_COMMAND = /^[\w.-]+(?: [\w.-]+){0,7}$/;
const PUSH = /^git push(?: (?!-)[\w./-]+| -u| --set-upstream)*$/;
const SHOWN = 'stands on the terminal';

const wishOfCommand = (command: string): string => {
  if (PUSH.test(command)) return 'push';
  return PLAIN_COMMAND.test(command) ? `run ${speakable(command)}` : `run a command that ${SHOWN}`;
};

/**
 * What an agent wants, as the end of "the agent wants to …". It is approved by what is heard: where leaving out
 * addresses and marks would change what it is, it is not told at all.
 */
const wish = (summary: string): string => {
  const started = START.exec(summary)?.[2];
  if (started !== undefined) return `start: ${lowered(speakable(started, 14))}`;
  const [, verb = '', what = ''] = /^(\S+) ([^]+)$/.exec(summary) ?? [];
  if (verb === 'run') return wishOfCommand(what.trim());
  if (verb === 'open') return `open ${URL.parse(what)?.hostname.replaceAll('.', ' dot ') ?? `a page that ${SHOWN}`}`;
  // What is typed may be for nobody's ears.
  if (verb === 'type') return 'type into the page';
  return lowered(speakable(summary, 14)) || `do what ${SHOWN}`;
};

/** The key of the question an event opens or answers; null for other events. */
export const questionKeyOf = ({ payload }: TraceEvent): string | null =>
  Asked.safeParse(payload).data?.approval_id ?? null;

/**
 * A job waits for a person. Asked in a way that can be answered by voice only where the gateway takes such an answer:
 * never for money, nor for what cannot be taken back. `waitedMs`: how long the question has been open; `nowMs` is
 * `performance.now()`.
 */
export const approvalSentence = (event: TraceEvent, waitedMs: number, nowMs: number): Sentence | null => {
  const asked = Asked.safeParse(event.payload);
  if (!asked.success) return null;
  const { kind, approval_id: key, summary } = asked.data;
  const agent = `The ${event.agent ?? ''} agent`.replace('  ', ' ');
  const about = { traceId: event.trace_id, urgency: 'question', earcon: 'needs_you', key } as const;
  if (kind === 'budget')
    return plain(`${agent} has used up what it may; add to its budget at the terminal, or it ends`, about);
  const wants = `${agent} wants to ${wish(summary)}`;
  const elsewhere = sentence(`${shortened(wants, 20)}. Answer at the terminal`);
  if (START.exec(summary)?.[1] === 'irreversible') return plain(elsewhere, about);
  return {
    ...plain(`${shortened(wants, 23)}. Approve?`, about),
    later: { afterMs: nowMs + ANSWERABLE_MS - Math.max(0, waitedMs), text: elsewhere },
  };
};

const reasonOf = ({ errorType, message }: JobTold, words: number): string => {
  switch (errorType) {
    case 'BudgetExceeded':
      return 'its budget is used up';
    case 'ApprovalRejected':
      return 'it was not approved';
    case 'DependencyNotMet':
      return 'what it waited for did not happen';
    default:
      return lowered(speakable(firstSentence(message), words)) || 'it does not say why';
  }
};

/** One of several jobs failed; the others go on. */
export const jobFailedSentence = (traceId: string, job: JobTold): Sentence =>
  plain(`The ${job.agent} job failed: ${reasonOf(job, 18)}`, { traceId, urgency: 'failure', earcon: 'failed' });

const FINDINGS =
  /\b(no|\d{1,4}|one|two|three|four|five|six|seven|eight|nine|ten) (?:\w+ )?(findings?|problems?|issues?)\b/i;
const WORST = /^\s*(?:1[.)]|[-*])\s+(.+)$/m;

const placeOf = ({ instruction }: JobTold): string => {
  const place = /\b(staging|production)\b/i.exec(instruction)?.[1]?.toLowerCase();
  return place === undefined ? '' : ` on ${place}`;
};

/** "two findings on staging, the worst is …"; null where the summary counts none. */
const findingsOf = (job: JobTold, words: number): string | null => {
  const [, number = '', noun = ''] = FINDINGS.exec(job.message) ?? [];
  if (number === '') return null;
  const count = /^\d/.test(number) ? counted(Number(number)) : number.toLowerCase();
  const head = `${count} ${noun.toLowerCase()}${placeOf(job)}`;
  if (count === 'no' || count === '0') return head;
  const behind = job.message.slice(job.message.search(FINDINGS));
  const worst = WORST.exec(behind)?.[1]?.replace(/\s*\(seen on [^]*$|;[^]*$/, '');
  const spoken = worst === undefined ? '' : speakable(worst, words - head.split(' ').length - 3);
  return spoken === '' ? head : `${head}, ${count === 'one' ? 'namely' : 'the worst is'} ${lowered(spoken)}`;
};

const testsOf = ({ verification }: JobTold): string | null => {
  switch (verification?.status) {
    case 'passed':
      return 'tests pass';
    case 'failed':
      return verification.after?.failed ? `${counted(verification.after.failed)} tests fail` : 'tests fail';
    case 'not_worse':
      return 'tests fail as they did before';
    default:
      return null;
  }
};

const summaryOf = (job: JobTold, words: number): string =>
  speakable(firstSentence(job.message).replace(/^\(rehearsal\)\s*/i, ''), words).replace(/[.:]$/, '');

/** What a job that succeeded has to tell, in at most so many words. */
const successOf = (job: JobTold, words: number, alone: boolean): string => {
  const findings = findingsOf(job, words);
  if (findings !== null) return findings;
  const tests = testsOf(job);
  if (tests !== null && !alone) return tests;
  const summary = summaryOf(job, tests === null ? words : words - 3);
  return [tests, summary].filter(Boolean).join('; ') || `the ${job.agent} job is done`;
};

const endOf = (job: JobTold, words: number): string => {
  switch (job.status) {
    case 'succeeded':
      return successOf(job, words, false);
    case 'cancelled':
      return job.errorType === 'DependencyNotMet'
        ? `the ${job.agent} job did not begin`
        : `the ${job.agent} job was cancelled`;
    default:
      return `the ${job.agent} job failed${job.told ? '' : `: ${reasonOf(job, words - 4)}`}`;
  }
};

const told = (outcome: TaskOutcome, jobs: readonly JobTold[]): string => {
  const [only] = jobs;
  if (only && jobs.length === 1) {
    if (outcome === 'succeeded') return successOf(only, 22, true);
    if (outcome === 'cancelled') return `the ${only.agent} job was cancelled`;
    return `the ${only.agent} job failed: ${reasonOf(only, 17)}`;
  }
  const good = jobs.filter(({ status }) => status === 'succeeded').length;
  const all = counted(jobs.length);
  const head =
    outcome === 'partially_succeeded' && good < jobs.length ? `${counted(good)} of ${all} jobs succeeded: ` : '';
  if (outcome === 'cancelled') return 'the task was cancelled';
  if (jobs.length === 0) return outcome === 'failed' ? 'the task failed' : 'the task is done';
  if (outcome === 'failed' && jobs.every((job) => job.told || job.status !== 'failed'))
    return jobs.length === 2 ? 'both jobs failed' : `all ${all} jobs failed`;
  if (jobs.length > FEW_JOBS)
    return outcome === 'succeeded' ? `all ${all} jobs are done` : `${head || 'jobs failed: '}see the terminal`;
  for (const words of SHARES) {
    const whole = head + jobs.map((job) => endOf(job, words)).join('; ');
    if (whole.split(' ').length <= MAX_SPOKEN_WORDS - 1) return whole;
  }
  return `${head}see the terminal`;
};

/** The end of a task. A rehearsal is called one: nothing of it was done by a model. */
export const resultSentence = (
  traceId: string,
  outcome: TaskOutcome,
  jobs: readonly JobTold[],
  rehearsal: boolean,
): Sentence => {
  const text = told(outcome, jobs);
  const good = outcome === 'succeeded' || outcome === 'cancelled';
  return plain(rehearsal ? `Rehearsal: ${text}` : text, {
    traceId,
    urgency: good ? 'result' : 'failure',
    earcon: good ? null : 'failed',
    final: true,
  });
};
