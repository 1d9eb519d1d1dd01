/** What a control word is about: `last`, `all`, an agent's name, or the place of a job in its sentence, from '1'. */
export type ControlTarget = string;

/** How it was said: `it`, a job or an agent by name, or everything. */
export interface ControlObject {
  target: ControlTarget;
  kind: 'pronoun' | 'named' | 'all';
}

const list = (text: string): string[] => text.split('|');

const PRONOUNS = new Set(
  list(
    'it|that|this|them|those|that one|this one|things|the thing|that thing|the whole thing|what you are doing|whatever you are doing|what you do|what you are working on|whatever you are working on',
  ),
);
const ALL = new Set(
  list(
    'everything|all|all of it|all of them|all of that|all jobs|all tasks|all agents|all the jobs|all the tasks|all the agents|all of the jobs|all of the tasks|all my jobs|all my tasks|every job|every task|every agent|all running jobs|all running tasks|everything that is running|all that is running|whatever is running|what is running|anything that is running',
  ),
);
const DETERMINERS = new Set(list('the|that|this|my|our|your|its'));
/** `free`: may stand without a determiner, as in "cancel job three" and "abort task". */
const NOUNS = new Map(
  list('job|task|run|agent|request|command|work').map((noun) => [noun, { free: noun === 'job' || noun === 'task' }]),
);
const PLURALS = new Set(list('jobs|tasks|runs|agents'));
const RECENT = new Set(list('last|latest|current|running|previous|recent|most recent|newest|present|whole'));
const PLACES = new Map(
  [
    list('first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth'),
    list('1st|2nd|3rd|4th|5th|6th|7th|8th|9th|10th'),
  ].flatMap((names) => names.map((name, at) => [name, String(at + 1)] as const)),
);
const NUMBERS = new Map(
  [list('one|two|three|four|five|six|seven|eight|nine|ten'), list('1|2|3|4|5|6|7|8|9|10')].flatMap((names) =>
    names.map((name, at) => [name, String(at + 1)] as const),
  ),
);
/** What an agent is called besides its own name. */
const NICKNAMES = new Map(
  Object.entries({
    coder: 'coding',
    code: 'coding',
    browsing: 'browser',
    summary: 'summarize',
    summarizer: 'summarize',
    summariser: 'summarize',
    summarizing: 'summarize',
    summarising: 'summarize',
    summarise: 'summarize',
    deploy: 'deployment',
    deploying: 'deployment',
    evaluating: 'evaluation',
    evaluator: 'evaluation',
  }),
);

/** "coding agent", "coding job", "coding agents job" (the agent's), or the bare name. */
const agentIn = (words: readonly string[], agents: readonly string[]): { agent: string; bare: boolean } | null => {
  for (let length = Math.min(words.length, 4); length > 0; length--) {
    const said = words.slice(0, length).join(' ').replaceAll('-', ' ');
    const agent = agents.find((name) => name === NICKNAMES.get(said) || name.replaceAll('-', ' ') === said);
    if (agent === undefined) continue;
    const rest = words.slice(length);
    const [noun = '', owned = ''] = rest;
    if (rest.length === 0) return { agent, bare: true };
    if (rest.length === 1 && (noun === 'one' || NOUNS.has(noun) || PLURALS.has(noun))) return { agent, bare: false };
    if (rest.length === 2 && (noun === 'agents' || noun === 'agent') && NOUNS.has(owned)) return { agent, bare: false };
  }
  return null;
};

/** "the second job", "job three", "number one", "the last one"; null when it is none. `free`: no determiner was said. */
const placeIn = (words: readonly string[], free: boolean): ControlTarget | null => {
  const [first = '', second = '', third = ''] = words;
  const noun = (word: string): boolean => word === 'one' || NOUNS.has(word);
  if (words.length === 1) {
    if (NOUNS.has(first)) return free && !NOUNS.get(first)?.free ? null : 'last';
    return free ? null : (PLACES.get(first) ?? (first === 'last' ? 'last' : null));
  }
  if (words.length === 2) {
    if (first === 'number' || (NOUNS.has(first) && first !== 'work')) return NUMBERS.get(second) ?? null;
    return noun(second) ? (PLACES.get(first) ?? (RECENT.has(first) ? 'last' : null)) : null;
  }
  if (words.length !== 3) return null;
  if (RECENT.has(`${first} ${second}`) && noun(third)) return 'last';
  if (PLACES.has(first) && second === 'of' && third === 'them') return PLACES.get(first) ?? null;
  return NOUNS.has(first) && second === 'number' ? (NUMBERS.get(third) ?? null) : null;
};

const withoutDeterminer = (words: readonly string[]): readonly string[] =>
  DETERMINERS.has(words[0] ?? '') ? words.slice(1) : words;

/** "whatever the browser agent is doing", "the job of the coding agent": the words that name the agent. */
const aroundAgent = (words: readonly string[]): readonly string[] | null => {
  const [first = '', second = ''] = words;
  const doing = ['is doing', 'is working on', 'is up to', 'is running', 'does'].find((end) =>
    words.join(' ').endsWith(` ${end}`),
  );
  if ((first === 'whatever' || first === 'what') && doing !== undefined)
    return words.slice(1, words.length - doing.split(' ').length);
  const inner = withoutDeterminer(words);
  return NOUNS.has(inner[0] ?? '') && (inner[1] === 'of' || inner[1] === 'by') && second !== '' ? inner.slice(2) : null;
};

/** What these words stand for as a whole; null when they are no object of a control word. */
export const controlObject = (words: readonly string[], agents: readonly string[]): ControlObject | null => {
  const text = words.join(' ');
  if (PRONOUNS.has(text)) return { target: 'last', kind: 'pronoun' };
  if (ALL.has(text)) return { target: 'all', kind: 'all' };
  const around = aroundAgent(words);
  if (around) {
    const named = agentIn(withoutDeterminer(around), agents);
    return named && { target: named.agent, kind: 'named' };
  }
  const bare = withoutDeterminer(words[0] === 'all' && PLURALS.has(words.at(-1) ?? '') ? words.slice(1) : words);
  const free = bare.length === words.length;
  const place = placeIn(bare, free);
  if (place !== null) return { target: place, kind: 'named' };
  const named = agentIn(RECENT.has(bare[0] ?? '') ? bare.slice(1) : bare, agents);
  return named && !(named.bare && free) ? { target: named.agent, kind: 'named' } : null;
};
