import { wordsOf } from './features.ts';

/** A whole utterance that steers what runs instead of asking for something new. */
export interface Control {
  action: 'cancel';
  /** `last`: what this session asked for last; `all`: everything it asked for. */
  target: 'last' | 'all';
}

const LAST = [
  'stop',
  'stop it',
  'stop that',
  'stop this',
  'stop please',
  'please stop',
  'cancel',
  'cancel it',
  'cancel that',
  'cancel this',
  'cancel the task',
  'cancel that please',
  'please cancel',
  'please cancel that',
  'abort',
  'abort that',
  'never mind',
  'nevermind',
  'forget it',
  'forget that',
];
const ALL = ['stop everything', 'stop all', 'cancel everything', 'cancel all', 'cancel all tasks', 'abort everything'];

const CONTROLS = new Map<string, Control>([
  ...LAST.map((text) => [text, { action: 'cancel', target: 'last' }] as const),
  ...ALL.map((text) => [text, { action: 'cancel', target: 'all' }] as const),
]);

/** The control word a whole utterance is; null when it is anything else. */
export const controlOf = (text: string): Control | null =>
  text.length > 60 ? null : (CONTROLS.get(wordsOf(text).join(' ')) ?? null);
