import { firstString, lastValueOf, parseObject } from './told-values.ts';
import type { Tool } from './settings.ts';

/** A part of the conversation as the model reads it. */
export interface Read {
  by: 'user' | 'assistant' | 'system' | 'call' | 'output';
  text: string;
}

/** What the model does next. */
export type Move = { say: string } | { call: string; args: Record<string, string> };

/** A sentence for the ear is no longer, characters. */
const MAX_SAID = 300;
/** Small talk is short, words. */
const MAX_SMALL_TALK = 6;

const STATUS = /\b(status|progress|how far|how is it going|how's it going)\b/;
const CANCEL = /^(please )?(cancel|stop|abort)( (it|that|this|everything|the (task|job)))?( please)?$/;
const APPROVE = /^(yes )?(i )?(approve|approved|go ahead|allow)( (it|that|this))?( please)?$/;
const REJECT = /^(no )?(i )?(reject|rejected|refuse|deny|do not allow)( (it|that|this))?( please)?$/;
const SMALL_TALK: readonly [RegExp, string][] = [
  [/^(hello|hi|hey|good (morning|afternoon|evening))\b/, 'Hello. This is rehearsal: tell me what is to be done.'],
  [/^(thanks|thank you)\b/, 'You are welcome.'],
  [/^(bye|goodbye|good night)\b/, 'Goodbye.'],
  [/\bhow are you\b/, 'Fine. This is rehearsal, no model.'],
];

/** Names for programs, as words or in brackets, are not for the ear. */
const IDS = /\s*\([^()]{0,200}_id [^()]{0,200}\)|\s*(as )?\b[a-z]+_id [A-Za-z0-9._:-]*[A-Za-z0-9]/g;

const sentence = (text: string): string => {
  const plain = text.replace(IDS, '').replace(/\s+/g, ' ').trim();
  const first = /^.{10,}?[.!?](?=\s|$)/.exec(plain)?.[0] ?? plain;
  return first.length > MAX_SAID ? `${first.slice(0, MAX_SAID - 1)}…` : first;
};

const NUMBERS = ['No', 'One', 'Two', 'Three', 'Four', 'Five', 'Six'];

/** One short sentence made of a function's answer, or of what the model was told. */
const retell = (text: string): string => {
  const told = parseObject(text);
  if (!told) return sentence(text) || 'Done.';
  const words = firstString(told, ['message', 'question', 'summary', 'detail', 'reason', 'error', 'title']);
  if (words !== null) return sentence(words);
  const { jobs, status } = told;
  if (Array.isArray(jobs) && status === 'accepted')
    return `${NUMBERS[jobs.length] ?? jobs.length} ${jobs.length === 1 ? 'job' : 'jobs'} started.`;
  return typeof status === 'string' ? `The status is ${status.replaceAll('_', ' ')}.` : 'Done.';
};

/** Arguments for a tool: ids are taken from the conversation. null: something it must have was never said. */
const argsOf = (tool: Tool, known: Record<string, string>, reads: readonly Read[]): Record<string, string> | null => {
  const properties = Object.keys(parseObject(tool.parameters?.['properties']) ?? {});
  const required = tool.parameters?.['required'];
  const args: Record<string, string> = {};
  for (const name of properties) {
    const value = known[name] ?? (name.endsWith('_id') ? lastValueOf(reads, name) : null);
    if (value !== null) args[name] = value;
    else if (Array.isArray(required) && required.includes(name)) return null;
  }
  return args;
};

/**
 * The rehearsal's conversing model: no model at all, but rules. It hands on what it is told as `submit_task`, knows the
 * words for the other tools where they are offered, and retells what functions answer.
 */
export const nextMove = (reads: readonly Read[], tools: readonly Tool[]): Move => {
  const last = reads.findLast(({ by }) => by !== 'assistant' && by !== 'call');
  if (!last) return { say: 'Hello. This is rehearsal: tell me what is to be done.' };
  if (last.by !== 'user') return { say: retell(last.text) };

  const words = last.text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}' ]+/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  if (words === '') return { say: 'I did not understand that.' };
  const use = (name: string, known: Record<string, string>, nothing: string): Move | null => {
    const tool = tools.find((offered) => offered.name === name);
    if (!tool) return null;
    const args = argsOf(tool, known, reads);
    return args ? { call: name, args } : { say: nothing };
  };

  if (STATUS.test(words)) {
    const move = use('task_status', {}, 'There is no task yet.');
    if (move) return move;
  }
  if (CANCEL.test(words)) {
    const move = use('cancel_task', { reason: last.text }, 'There is nothing to cancel.');
    if (move) return move;
  }
  const decision = APPROVE.test(words) ? 'approve' : REJECT.test(words) ? 'reject' : null;
  if (decision) {
    const move = use('approve', { decision }, 'Nothing waits for an approval.');
    if (move) return move;
  }
  const chat = SMALL_TALK.find(([pattern]) => pattern.test(words));
  if (chat && words.split(' ').length <= MAX_SMALL_TALK) return { say: chat[1] };
  const task = { text: last.text, utterance: last.text, instruction: last.text };
  return use('submit_task', task, 'I cannot hand this on.') ?? { say: sentence(`You said: ${last.text}`) };
};
