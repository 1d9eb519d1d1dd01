import { CONTROL_ACTIONS, CONTROL_PHRASES, spelledOut } from './control-phrases.ts';
import type { ControlAction } from './control-phrases.ts';
import { controlObject } from './control-objects.ts';
import type { ControlObject, ControlTarget } from './control-objects.ts';
import { wordsIn } from './speech.ts';
import { startsWith } from './phrases.ts';

/** A whole utterance that steers what runs instead of asking for something new. */
export interface Control {
  action: ControlAction;
  /**
   * `last`: what this session asked for last; `all`: everything it asked for; the name of an agent: its jobs;
   * '1', '2', …: that job of the last task, in spoken order.
   */
  target: ControlTarget;
}

/** Longer ones are sentences. Bounds the work on what anybody may send. */
const MAX_CHARS = 200;
const MAX_WORDS = 16;
/** "stop, stop, cancel that". */
const MAX_PHRASES = 4;
/** "oh no no wait, …". */
const MAX_LEADS = 6;

const CONTRACTIONS = new Map(
  Object.entries({
    whats: 'what is',
    hows: 'how is',
    wheres: 'where is',
    whens: 'when is',
    its: 'it is',
    thats: 'that is',
    youre: 'you are',
    dont: 'do not',
    didnt: 'did not',
    isnt: 'is not',
    arent: 'are not',
    cant: 'can not',
    cannot: 'can not',
    mustnt: 'must not',
    youve: 'you have',
    weve: 'we have',
    whatve: 'what have',
    ok: 'okay',
  }),
);

const phrases = (text: string): string[][] =>
  text
    .split('|')
    .map((phrase) => phrase.split(' '))
    .sort((a, b) => b.length - a.length);

/** What may come before the word that counts, longest first. */
const LEADS = (
  [
    ['yes', 'yes|yeah|yep|yup|sure|sure thing|of course|absolutely|definitely|fine|thats fine|sounds good|looks good'],
    ['yes', 'no problem|correct|right'],
    ['no', 'no|nope|nah|no way|absolutely not|of course not'],
    ['neutral', 'actually|wait|oh|ah|oops|sorry|hang on|hold on|listen|tell me|show me|let me know|i wonder|know|what'],
  ] as const
)
  .flatMap(([kind, all]) => phrases(all).map((phrase) => ({ kind, phrase })))
  .sort((a, b) => b.phrase.length - a.phrase.length);
/** What may come behind it. */
const TAILS = {
  order: phrases('then|already|for now|after all|instead'),
  question: phrases(
    'then|already|so far|yet|at the moment|currently|by now|until now|up to now|again|at this point|altogether|in total',
  ),
};
/** Words around an approval with which it is no plain yes: "should we continue", "maybe go ahead". */
const UNSURE = new Set(['we', 'us', 'lets', 'should', 'maybe', 'try', 'mind', 'possible', 'feel']);

type Slot = '_' | '%' | '@' | '^';
const SLOTS: ReadonlySet<string> = new Set<Slot>(['_', '%', '@', '^']);
/** What each kind of place takes; see `CONTROL_PHRASES`. */
const fits = (slot: Slot, { kind, target }: ControlObject): boolean => {
  switch (slot) {
    case '_':
      return true;
    case '%':
      return kind !== 'all';
    case '@':
      return kind === 'named';
    case '^':
      return kind !== 'named' || target !== 'last';
  }
};

interface Frame {
  action: ControlAction;
  before: readonly string[];
  slot: Slot | null;
  after: readonly string[];
  /** Only behind a yes, or a no. */
  behind: 'yes' | 'no' | null;
}

const frameOf = (action: ControlAction, line: string): Frame => {
  const [, behind, phrase = ''] = /^(?:(yes|no): )?(.*)$/.exec(line) ?? [];
  const words = phrase.split(' ');
  const at = words.findIndex((word) => SLOTS.has(word));
  return {
    action,
    before: at < 0 ? words : words.slice(0, at),
    slot: at < 0 ? null : (words[at] as Slot),
    after: at < 0 ? [] : words.slice(at + 1),
    behind: (behind as 'yes' | 'no' | undefined) ?? null,
  };
};

/** By their first word, so that nearly every sentence is done with after one look. */
const FRAMES = Map.groupBy(
  CONTROL_ACTIONS.flatMap((action) => CONTROL_PHRASES[action].flatMap(spelledOut).map((line) => frameOf(action, line))),
  ({ before }) => before[0] ?? '',
);

const endsWith = (words: readonly string[], phrase: readonly string[]): boolean =>
  phrase.length <= words.length && phrase.every((word, at) => words[words.length - phrase.length + at] === word);

type Lead = 'yes' | 'no' | null;

/** The words as one phrase; null when they are none. */
const readPhrase = (words: readonly string[], lead: Lead, agents: readonly string[]): Control | null => {
  for (const frame of FRAMES.get(words[0] ?? '') ?? []) {
    if (frame.behind !== null && frame.behind !== lead) continue;
    if (!startsWith(words, frame.before) || !endsWith(words, frame.after)) continue;
    const between = words.length - frame.before.length - frame.after.length;
    if (frame.slot === null) {
      if (between === 0) return { action: frame.action, target: 'last' };
      continue;
    }
    if (between < 1) continue;
    const object = controlObject(words.slice(frame.before.length, words.length - frame.after.length), agents);
    if (object && fits(frame.slot, object)) return { action: frame.action, target: object.target };
  }
  return null;
};

/** Two phrases that say the same: the more exact target counts; null when they do not. */
const joined = (a: Control, b: Control): Control | null => {
  if (a.action !== b.action) return null;
  if (a.target === b.target || b.target === 'last') return a;
  return a.target === 'last' ? b : null;
};

/** The words as one phrase, or as several in a row that say the same: "approved, you may continue". */
const readAll = (words: readonly string[], lead: Lead, agents: readonly string[], left: number): Control | null => {
  const whole = readPhrase(words, lead, agents);
  if (whole || left <= 1) return whole;
  for (let cut = 1; cut < words.length; cut++) {
    const first = readPhrase(words.slice(0, cut), lead, agents);
    if (!first) continue;
    const rest = words[cut] === 'and' ? words.slice(cut + 1) : words.slice(cut);
    const second = readAll(rest, lead, agents, left - 1);
    const both = second && joined(first, second);
    if (both) return both;
  }
  return null;
};

const written = (words: readonly string[]): string[] =>
  words
    .filter((word) => word !== 'please' && word !== 'kindly' && word !== 'just')
    .flatMap((word) => (CONTRACTIONS.get(word) ?? word).split(' '));

/** The same once more without what may come behind it: orders have other tails than questions. */
const readWithTail = (words: readonly string[], lead: Lead, agents: readonly string[]): Control | null => {
  const whole = readAll(words, lead, agents, MAX_PHRASES);
  if (whole) return whole;
  for (const kind of ['order', 'question'] as const) {
    const tail = TAILS[kind].find((phrase) => phrase.length < words.length && endsWith(words, phrase));
    const shorter = tail ? readAll(words.slice(0, words.length - tail.length), lead, agents, MAX_PHRASES) : null;
    const asks = shorter?.action === 'status' || shorter?.action === 'cost';
    if (shorter && asks === (kind === 'question')) return shorter;
  }
  return null;
};

const leadOf = (keys: readonly string[]): (typeof LEADS)[number] | undefined =>
  LEADS.find(({ phrase }) => phrase.length < keys.length && startsWith(keys, phrase));

/**
 * The control word a whole utterance is; null when it is anything else, such as a sentence that merely contains one.
 * `agents`: names of the registry's agents, by which jobs may be called.
 */
export const controlOf = (text: string, agents: readonly string[] = ['coding', 'browser']): Control | null => {
  if (text.length > MAX_CHARS) return null;
  let lead: Lead = null;
  let left = text;
  let unsure = text.trimEnd().endsWith('?');
  const read = (keys: readonly string[]): Control | null => {
    const control = readWithTail(written(keys), lead, agents);
    // A yes is taken only where it is one: not behind a no, not as a question, not as something to think about.
    return control?.action === 'approve' && (unsure || lead === 'no') ? null : control;
  };
  for (let n = 0; n <= MAX_LEADS; n++) {
    const words = wordsIn(left);
    const said = words.filter(({ aside }) => !aside);
    if (said.length === 0 || said.length > MAX_WORDS) return null;
    unsure ||= words.some(({ aside, key }) => aside && UNSURE.has(key));
    const keys = said.map(({ key }) => key);
    const control = read(keys);
    if (control) return control;
    const found = leadOf(keys);
    if (!found) return null;
    if (found.kind !== 'neutral') {
      if (lead !== null && lead !== found.kind) return null;
      lead = found.kind;
      // "yes, please do it": behind a yes this is no mere politeness.
      const answer = read(keys.slice(found.phrase.length));
      if (answer) return answer;
    }
    left = left.slice(said[found.phrase.length]?.start);
  }
  return null;
};
