import type { SpokenFormat } from '../../contracts/skill.ts';
import { isBoundary, nameAfter } from './name-ends.ts';
import type { NameWords } from './name-ends.ts';
import { branchFrom, fileFrom, symbolFrom } from './spoken-names.ts';
import { markOf, spelledAt } from './spoken-words.ts';
import type { Token } from './spoken-words.ts';

/** The words of a name as its format writes it, a symbol `like` one said before; undefined when they are none. */
export const nameFrom = (
  name: NameWords,
  format: SpokenFormat | undefined,
  like: string | null = null,
): string | undefined => {
  if (name.words.length === 0) return undefined;
  switch (format) {
    case 'symbol':
      return symbolFrom(name, like);
    case 'file':
      return fileFrom(name);
    case 'branch':
      return branchFrom(name);
    default:
      return name.words.map(({ raw }) => raw).join(' ') || undefined;
  }
};

/** What is done to files; the name begins behind it. */
const FILE_VERBS = new Set(
  'open edit change fix refactor update read delete remove rename move add create test check clean format show look write rewrite review explain see up at'.split(
    ' ',
  ),
);
const MAX_WORDS_BEFORE = 4;

/** A file by its shape: written with an ending, or "… dot t s", with up to four words before. */
export const fileIn = (tokens: readonly Token[]): string | undefined => {
  const written = tokens.find(
    ({ raw }) => /^@?[\w./-]{0,200}[\w-]\.(?!(?:com|org|net)$)[a-z][a-z0-9]{0,9}$/i.test(raw) && !raw.includes('//'),
  );
  if (written) return written.raw;
  const dot = tokens.findIndex((token, at) => at > 0 && token.key === 'dot' && at + 1 < tokens.length);
  if (dot < 0) return undefined;
  let start = dot;
  let words = 0;
  while (start > 0 && words < MAX_WORDS_BEFORE) {
    const token = tokens[start - 1];
    const isVerb = FILE_VERBS.has(token?.key ?? '') && tokens[start]?.key !== 'me';
    if (isBoundary(token) || isVerb) break;
    if (markOf(token) === undefined) words += 1;
    else words = 0;
    start -= 1;
  }
  // Behind the dot: one ending, spelled or not, and what further dots join.
  let end = dot;
  while (tokens[end] && markOf(tokens[end]) === '.') end = spelledAt(tokens, end + 1)?.end ?? end + 2;
  const file = start === dot ? undefined : fileFrom({ words: tokens.slice(start, end) });
  return file !== undefined && /\.(?!com$|org$|net$)[a-z][a-z0-9]*$/i.test(file) ? file : undefined;
};

/** "the feature slash login page branch": the name stands before the word. */
export const branchBefore = (tokens: readonly Token[]): string | undefined => {
  const at = tokens.findIndex(({ key }) => key === 'branch');
  let start = at;
  while (start > 0 && !isBoundary(tokens[start - 1])) start -= 1;
  const determined =
    start > 0 &&
    ['the', 'our', 'my', 'this', 'on', 'from', 'to', 'into', 'onto'].includes(tokens[start - 1]?.key ?? '');
  if (at < 0 || start === at || !determined) return undefined;
  return branchFrom({ words: nameAfter(tokens.slice(0, at), start, true).words });
};
