import type { Skill } from '../../contracts/skill.ts';
import { essenceOf, plainWords } from './speech.ts';
import { isRisky } from './training.ts';
import { phraseList, startsWith, wordSet } from './phrases.ts';

/** Words that turn an order round, wherever they stand in it. */
const TURNING = wordSet(
  'no not nt t nut back anything never dont doesnt didnt wont cant cannot shouldnt wouldnt couldnt mustnt neednt isnt arent aint nobody none neither nor nope nah without unless except but instead donut dinnae',
);
/** Words that only think about an order, put it off, or speak of how it went. */
const WONDERING = wordSet(
  'if whether would wouldnt suppose imagine someday tomorrow tonight later yet until till before after midnight noon monday tuesday wednesday thursday friday saturday sunday mondays fridays weekend week month year yesterday failed fails broke broken worked went said says told kidding joking always usually every dry is was were needs theory minutes hours hour how know before think hear permission',
);
/** Verbs that keep something from being done. */
const KEEPING_FROM = wordSet(
  'cancel abort stop skip halt hold postpone delay pause block freeze forget avoid refrain quit cease prevent disable drop scrap ban forbid call wait no without never undo revert',
);
/** What an order begins with that is not to be carried out, whoever would do it. */
const REFUSALS = phraseList(
  'under no circumstances|hold off|whatever you do dont|whatever you do do not|refrain from|i refuse to|forget about|by no means|on no account|in no case|god forbid|neither|without',
);

/** What takes back the order before it, where it stands by itself or at the very end. */
const RETRACTIONS = phraseList(
  'no|nope|nah|no way|not|never|dont|do not|stop|wait|hold on|hang on|no wait|wait no|never mind|nevermind|forget it|forget that|forget about it|forget about that|cancel|cancel that|cancel it|abort|abort that|scratch that|strike that|just kidding|kidding|only joking|just joking|not yet|not now|not today|not really|dont do it|do not do it|dont do that|do not do that|leave it|drop it|dont bother',
);
const FIRST_RETRACTING = wordSet(
  'no nope nah not never dont do stop wait hold hang nevermind forget cancel abort scratch strike just kidding only leave drop',
);
/** Words of a retraction; more say something else. */
const MAX_RETRACTION = 10;
/** These alone are steps of an order as well: "open the page, wait, press play". */
const STEPS = wordSet('wait stop');
/** May stand around them. */
const AROUND = wordSet(
  'actually oh ah well but please thanks on second thought thoughts that it now today absolutely definitely certainly sorry um uh so after all i changed my mind or rather god way yet',
);
/** These take something back wherever they end a sentence; "make the video stop" needs a pause before its "stop". */
const PLAIN = phraseList(
  'never mind|nevermind|forget it|forget that|cancel that|scratch that|strike that|no wait|wait no|no dont|actually dont|actually no|actually do not|just kidding|only joking|second thought dont|second thoughts dont|second thought no|second thoughts no|changed my mind',
);

/** Whether words do nothing but take back what was said before them: "no", "actually, don't", "oh wait, not yet". */
const retracts = (keys: readonly string[], guarded: boolean): boolean => {
  if (keys.length > MAX_RETRACTION) return false;
  if (!guarded && keys.length === 1 && STEPS.has(keys[0] ?? '')) return false;
  let found = false;
  for (let at = 0; at < keys.length;) {
    const key = keys[at] ?? '';
    const phrase = FIRST_RETRACTING.has(key)
      ? RETRACTIONS.filter((words) => startsWith(keys, words, at)).toSorted((a, b) => b.length - a.length)[0]
      : undefined;
    if (!phrase && !AROUND.has(key)) return false;
    found ||= phrase !== undefined;
    at += phrase?.length ?? 1;
  }
  return found || keys.join(' ').endsWith('changed my mind');
};

/**
 * Whether what follows an order takes it back. `behind`: the words of the sentence from the order's end to the next
 * order; `order`: its own words, which may hold the retraction themselves where no pause parted it.
 * `guarded`: one word is enough.
 */
export const takenBack = (order: string, behind: string, guarded: boolean): boolean => {
  const words = plainWords(behind);
  for (let from = 0, at = 0; at < words.length; at++) {
    if (!words[at]?.pause && at < words.length - 1) continue;
    if (
      retracts(
        words.slice(from, at + 1).map(({ key }) => key),
        guarded,
      )
    )
      return true;
    from = at + 1;
  }
  if (
    retracts(
      words.map(({ key }) => key),
      guarded,
    )
  )
    return true;
  const own = plainWords(order);
  const keys = own.map(({ key }) => key);
  if (PLAIN.some((phrase) => keys.length > phrase.length && startsWith(keys, phrase, keys.length - phrase.length)))
    return true;
  for (let from = Math.max(1, keys.length - MAX_RETRACTION); from < keys.length; from++)
    if ((guarded || own[from - 1]?.pause) && retracts(keys.slice(from), guarded)) return true;
  return false;
};

/** Says nothing of its own behind a "don't". */
const SAME = wordSet('it that this them please now yet anything the to do dont not never so mind about off');

/** "deploy to staging, no don't deploy": what must not be done is the order before it and nothing else. */
export const deniesAgain = (order: string, denied: string): boolean => {
  const said = wordSet(essenceOf(order));
  const keys = essenceOf(denied).split(' ');
  const alone = keys.every((key) => SAME.has(key));
  return (
    (alone || keys.some((key) => said.has(key) && !SAME.has(key))) &&
    keys.every((key) => said.has(key) || SAME.has(key) || KEEPING_FROM.has(key))
  );
};

/** "stop", "stop right there": whatever would start on it is wrong. */
const HALTS = wordSet('stop cancel abort halt quit wait hold pause freeze cease');
const AT_ONCE = wordSet(
  'right there it that this everything all now at once immediately for a moment second minute on please',
);

const STOPPING = wordSet('stop abort halt');
/** Words of "stop the unit tests", and those that make more of it. */
const MAX_STOPPED = 5;
const OTHERWISE = wordSet('from on in at when if so by');

/** Whether an order begins with words by which it is not to be carried out: "under no circumstances deploy". */
export const isRefused = (text: string): boolean => {
  const keys = essenceOf(text).split(' ');
  if (HALTS.has(keys[0] ?? '') && keys.every((key) => HALTS.has(key) || AT_ONCE.has(key))) return true;
  // "stop the tests" starts none; "stop the video from playing" mends something.
  if (STOPPING.has(keys[0] ?? '') && keys.length <= MAX_STOPPED && !keys.some((key) => OTHERWISE.has(key))) return true;
  return REFUSALS.some((phrase) => startsWith(keys, phrase));
};

/** Skills that act on what others see and wait for a yes: they start by a plain order only. */
export const isGuarded = (skill: Skill): boolean =>
  isRisky(skill) && (skill.approval.policy !== 'never' || skill.approval.risk === 'irreversible');

const NO_ORDER_BEGINS = wordSet(
  'the a an i we you he she it they is are was be there here this that my our your now to for from no not never who why how what when where which if',
);

/** "I want the new release on staging" is as plain as an order. */
const WISHES = phraseList('i want|i need|we want|we need|id like|we would like|i would like');

/** The words that begin a skill's own examples. */
export const beginningsOf = (skill: Skill): ReadonlySet<string> =>
  new Set([...beginningsFor(skill).words].filter((key) => !NO_ORDER_BEGINS.has(key)));

/**
 * What speaks against carrying out an order of a guarded skill. `refused`: it was said not to be done; `doubt`: it may
 * be a question, a quotation, a plan or a denial, and a person is asked.
 */
export const doubtAbout = (
  text: string,
  beginnings: ReadonlySet<string>,
  respell: (text: string) => string,
): { kind: 'refused' | 'doubt'; reason: string } | null => {
  let keys = essenceOf(text).split(' ');
  if (!beginnings.has(keys[0] ?? '')) keys = essenceOf(respell(text)).split(' ');
  const [first = '', second = ''] = keys;
  if (!beginnings.has(first) && !WISHES.some((phrase) => startsWith(keys, phrase))) {
    const stems = [...beginnings].filter((word) => word.length > 3);
    const named = keys.slice(1).some((key) => stems.some((stem) => key.startsWith(stem)));
    if (KEEPING_FROM.has(first) && !/^\s*no[,.;!]/i.test(text) && (named || second.endsWith('ing')))
      return { kind: 'refused', reason: 'said not to be done' };
    return { kind: 'doubt', reason: `"${first}" begins no plain order of this kind` };
  }
  if (keys.some((_, at) => REFUSALS.some((phrase) => phrase.length > 1 && startsWith(keys, phrase, at))))
    return { kind: 'refused', reason: 'said not to be done' };
  const word = keys.find((key, i) => i > 0 && (TURNING.has(key) || WONDERING.has(key) || KEEPING_FROM.has(key)));
  return word === undefined ? null : { kind: 'doubt', reason: `"${word}" may turn it round or put it off` };
};

/** What begins a question, a wish to be reminded, or a tale; where no example of the skill begins so, it is asked about. */
const QUESTIONS = wordSet('should shall how why who when what which does do did is are can');
const NO_ORDERS = wordSet('should shall how why who when remind he she they nobody');
/** From this share of its examples on a skill is asked for in questions. */
const ASKED_FOR = 0.15;
/** From this share on even "should I …" asks for it, and does not doubt it. */
const MOSTLY_ASKED_FOR = 0.5;
const DOUBTS = wordSet('should shall');
interface Beginnings {
  words: ReadonlySet<string>;
  /** Share of its examples that are questions: "how much is on my account". */
  questions: number;
}
const beginnings = new WeakMap<Skill, Beginnings>();
const beginningsFor = (skill: Skill): Beginnings => {
  let found = beginnings.get(skill);
  if (!found) {
    const words = skill.examples.map((example) => essenceOf(example).split(' ')[0] ?? '');
    const asked = words.filter((word) => QUESTIONS.has(word)).length;
    found = { words: new Set(words), questions: asked / words.length };
    beginnings.set(skill, found);
  }
  return found;
};
const CEASING = wordSet('stop avoid quit cease refrain forget');

/** "should I run the tests", "stop running the tests": what speaks against an order of any skill, in words. */
export const unlikeAnOrder = (text: string, skill: Skill): string | null => {
  const [first = '', second = ''] = essenceOf(text).split(' ');
  const { words, questions } = beginningsFor(skill);
  const begins = (word: string): boolean => words.has(word);
  const ceases = CEASING.has(first) && second.length > 5 && second.endsWith('ing') && !begins(second);
  const stem = second.slice(0, -3);
  const own = ceases && [stem, `${stem}e`, stem.slice(0, -1)].some(begins);
  const answers = QUESTIONS.has(first) && questions >= (DOUBTS.has(first) ? MOSTLY_ASKED_FOR : ASKED_FOR);
  return (own || (NO_ORDERS.has(first) && !answers)) && !begins(first) ? `"${first}" may begin no order` : null;
};

const ASKS = wordSet('is are am was were why what who how when where which does did should shall can could would');

/**
 * Whether an answer to a question about a guarded skill is no plain yes or value: "not production", "don't deploy",
 * "is production down". `denied`: it says that nothing of it is wanted.
 */
export const answerDoubt = (answer: string): 'denied' | 'doubt' | null => {
  const keys = plainWords(answer).map(({ key }) => key);
  if (
    wantsNothing(answer) ||
    (isRefused(answer) && !MOMENT.has(keys[0] ?? '')) ||
    TURNING.has(keys[0] ?? '') ||
    (keys[0] === 'do' && keys[1] === 'not')
  )
    return 'denied';
  const odd = (key: string): boolean => TURNING.has(key) || WONDERING.has(key) || KEEPING_FROM.has(key);
  return keys.some(odd) || ASKS.has(keys[0] ?? '') || answer.trimEnd().endsWith('?') ? 'doubt' : null;
};

/** Who asks for a moment takes nothing back. */
const MOMENT = wordSet('wait hold hang');

/** Whether an answer of any kind says that nothing is wanted: "no", "never mind", "don't do it". */
export const wantsNothing = (answer: string): boolean => {
  const keys = plainWords(answer).map(({ key }) => key);
  return !MOMENT.has(keys[0] ?? '') && retracts(keys, true);
};
