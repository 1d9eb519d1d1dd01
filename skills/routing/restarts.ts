import type { Word } from './speech.ts';
import { standsAt } from './phrases.ts';

const MARKERS = [
  'no wait|wait no|no sorry|no i mean|know i mean|i mean|scratch that|strike that|no no|or rather|oh sorry|sorry no|actually no|no actually|make that|correction|sorry i mean|no make that|no sorry i mean|hang on no|sorry|no|rather',
]
  .flatMap((text) => text.split('|'))
  .map((phrase) => phrase.split(' '))
  .sort((a, b) => b.length - a.length);
/** These mean something else where the speaker neither paused nor hesitated. */
const NEEDS_A_STOP = new Set(['no', 'sorry', 'rather', 'correction', 'make that']);
const FIRST_OF_MARKERS = new Set(MARKERS.map(([first]) => first));
/** "no need", "no problem". */
const PHRASES_WITH_NO = new Set('need problem more longer way one idea matter reason rush about'.split(' '));
/** "there is no wait" tells something. */
const STATES = new Set('is are was were be been have has had with'.split(' '));
/** Small words by which a speaker picks up an earlier place: "to production, sorry, to staging". */
const HOOKS = new Set(
  'to on in into at from for with of off the a an my our this that these those all every'.split(' '),
);
/** Words at which an earlier order ends; a restart does not reach beyond them. */
const WALLS = new Set(['then', 'and', 'afterwards']);
/** What begins a denial. */
const DENYING = new Set(['dont', 'do', 'never', 'not']);
/** As many words at most replace as many words before: "to production, I mean staging". */
const SHORT = 2;

/**
 * Sets aside what a speaker took back: "refactor the, no wait, revert the API" is "revert the API"; "to production uh
 * sorry to staging" is "to staging". `words` are all words of the sentence, `isVerb` knows words that begin orders.
 */
export const takeBack = (words: readonly Word[], isVerb: (key: string) => boolean): void => {
  for (let turn = 0; turn < 4; turn++) {
    const said = words.filter(({ aside }) => !aside);
    const hesitates = (at: number): boolean => words[words.indexOf(said[at] as Word) - 1]?.aside === true;
    let found: { at: number; length: number } | null = null;
    for (let at = 1; at < said.length - 1 && !found; at++) {
      const marker = MARKERS.find((phrase) => standsAt(said, at, phrase) && at + phrase.length < said.length);
      if (!marker) continue;
      const length = marker.length;
      const wording = marker.join(' ');
      if (NEEDS_A_STOP.has(wording)) {
        const after = said[at + length]?.key ?? '';
        // "no deploy to production" denies; it corrects nothing.
        if (wording === 'no' && isVerb(after) && said[at]?.pause !== true && !hesitates(at)) continue;
        // "no need to deploy", "sorry about that" take nothing back.
        const goesOn =
          said[at + length - 1]?.pause === true || isVerb(after) || HOOKS.has(after) || FIRST_OF_MARKERS.has(after);
        const stops = hesitates(at) ? !PHRASES_WITH_NO.has(after) : said[at - 1]?.pause === true && goesOn;
        if (!stops) continue;
      }
      if (wording === 'no wait' && STATES.has(said[at - 1]?.key ?? '')) continue;
      found = { at, length };
    }
    if (!found) return;
    const { at, length } = found;
    let end = at + length;
    // "no, sorry, the benchmarks": markers in a row.
    for (let more = true; more;) {
      const next = MARKERS.find((phrase) => standsAt(said, end, phrase) && end + phrase.length < said.length);
      more = next !== undefined;
      if (next) end += next.length;
    }
    let wall = at;
    while (wall > 0 && !WALLS.has(said[wall - 1]?.key ?? '')) wall--;
    const before = said.slice(wall, at);
    const first = said[end]?.key ?? '';
    let from = wall;
    // "deploy to staging, wait no, don't deploy" replaces nothing: the denial speaks for itself.
    if (DENYING.has(first)) {
      for (const word of said.slice(at, end)) word.aside = true;
      continue;
    }
    const hook = HOOKS.has(first) ? before.findLastIndex(({ key }) => key === first) : -1;
    let rest = 0;
    while (end + rest < said.length && !WALLS.has(said[end + rest]?.key ?? '')) {
      rest++;
      if (said[end + rest - 1]?.pause) break;
    }
    if (hook >= 0) from = wall + hook;
    else if (!isVerb(first) && rest <= SHORT && before.length > rest) from = at - rest;
    for (const word of said.slice(from, end)) word.aside = true;
  }
};
