import type { NameWords, Style } from './name-ends.ts';
import { digitsAt } from './numbers.ts';
import { markOf, spelledAt } from './spoken-words.ts';
import type { Token } from './spoken-words.ts';

/** A word of a name, or a mark that was said between two of them. */
type Part = { word: string; spelled: boolean } | { mark: string };

/** Words and marks; spelled letters become one word, and so do digits where `digits` is set. */
const partsOf = (tokens: readonly Token[], digits: boolean): Part[] => {
  const parts: Part[] = [];
  for (let at = 0; at < tokens.length;) {
    const token = tokens[at] as Token;
    const spelled = spelledAt(tokens, at);
    const mark = markOf(token);
    const number = digits && !spelled && mark === undefined ? digitsAt(tokens, at) : null;
    if (spelled) parts.push({ word: spelled.letters, spelled: true });
    else if (mark !== undefined) parts.push({ mark });
    else if (number) parts.push({ word: number.digits, spelled: true });
    else if (token.raw !== '') parts.push({ word: token.raw, spelled: false });
    at = spelled?.end ?? number?.end ?? at + 1;
  }
  return parts;
};

/** The parts between marks of one kind. */
const splitAt = (parts: readonly Part[], mark: string): Part[][] => {
  const groups: Part[][] = [[]];
  for (const part of parts) {
    if ('mark' in part && part.mark === mark) groups.push([]);
    else groups.at(-1)?.push(part);
  }
  return groups;
};

const wordsIn = (parts: readonly Part[]): string[] => parts.flatMap((part) => ('word' in part ? [part.word] : []));
const marksIn = (parts: readonly Part[]): string[] => parts.flatMap((part) => ('mark' in part ? [part.mark] : []));

/** The words a written name is made of: "getUser" is get, user. */
const humps = (word: string): string[] =>
  word
    .replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1 $2')
    .replace(/(\p{Lu}+)(\p{Lu}\p{Ll})/gu, '$1 $2')
    .replace(/[^\p{L}\p{N}$]+/gu, ' ')
    .split(' ')
    .filter(Boolean)
    .map((hump) => hump.toLowerCase());

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

const styled = (words: readonly string[], style: Style): string => {
  switch (style) {
    case 'camel':
      return words.map((word, at) => (at === 0 ? word : capital(word))).join('');
    case 'pascal':
      return words.map(capital).join('');
    case 'snake':
      return words.join('_');
    case 'kebab':
      return words.join('-');
    case 'constant':
      return words.join('_').toUpperCase();
  }
};

/** How a written name is written; null for one plain word. */
export const styleOf = (name: string): Style | null => {
  if (/^\p{Lu}[\p{Lu}\p{N}]*(?:_[\p{Lu}\p{N}]+)*$/u.test(name) && name.length > 1) return 'constant';
  if (name.includes('_')) return 'snake';
  if (name.includes('-')) return 'kebab';
  if (/^\p{Lu}\p{Ll}/u.test(name)) return 'pascal';
  return /\p{Lu}/u.test(name) ? 'camel' : null;
};

const STYLE_OF_KIND: Readonly<Record<string, Style>> = {
  class: 'pascal',
  type: 'pascal',
  interface: 'pascal',
  enum: 'pascal',
  component: 'pascal',
  constant: 'constant',
};

/**
 * A symbol's name as one identifier. One written word stays as it is ("get_user", "$x"). Several are joined by a mark
 * that was said ("get underscore user"), in a case that was said ("snake case"), as its kind is usually written ("the
 * class order service"), as the name it stands beside (`like`), else in camelCase. The router sees no repository: whoever does, finds the name in another case.
 */
export const symbolFrom = ({ words, kind, style }: NameWords, like: string | null = null): string | undefined => {
  const [only] = words;
  const spelled = words.length > 0 && spelledAt(words, 0)?.end === words.length;
  if (words.length === 1 && only && !spelled && style === null) return only.raw;
  const segments = splitAt(partsOf(words, false), '.').map((parts) => {
    const marks = marksIn(parts);
    const said: Style | undefined = marks.includes('_') ? 'snake' : marks.includes('-') ? 'kebab' : undefined;
    const own = wordsIn(parts);
    const [single] = own;
    if (
      own.length === 1 &&
      single !== undefined &&
      style === null &&
      parts.every((part) => !('spelled' in part && part.spelled))
    )
      return single;
    return styled(own.flatMap(humps), style ?? said ?? STYLE_OF_KIND[kind ?? ''] ?? styleOf(like ?? '') ?? 'camel');
  });
  return segments.every((segment) => segment !== '') && !marksIn(partsOf(words, false)).includes('/')
    ? segments.join('.')
    : undefined;
};

/** What people call a file that has a fixed name. */
const FIXED_FILES: Readonly<Record<string, string>> = {
  readme: 'README.md',
  'read me': 'README.md',
  'readme dot md': 'README.md',
  'readme dot m d': 'README.md',
  'read me dot m d': 'README.md',
  'read me dot md': 'README.md',
  dockerfile: 'Dockerfile',
  'docker file': 'Dockerfile',
  makefile: 'Makefile',
  'make file': 'Makefile',
  'package json': 'package.json',
};
/** Endings as recognisers write them when they are spoken as words. */
const HEARD_ENDINGS: Readonly<Record<string, string>> = {
  jason: 'json',
  pie: 'py',
  markdown: 'md',
  yamel: 'yaml',
  yammel: 'yaml',
  tommel: 'toml',
  rust: 'rs',
};
/** How files of a language are usually named; the rest with dashes. */
const STYLE_OF_ENDING: Readonly<Record<string, Style>> = {
  py: 'snake',
  rb: 'snake',
  rs: 'snake',
  go: 'snake',
  ex: 'snake',
  exs: 'snake',
  c: 'snake',
  h: 'snake',
  sql: 'snake',
  java: 'pascal',
  kt: 'pascal',
  cs: 'pascal',
  swift: 'pascal',
  scala: 'pascal',
};

const plain = (word: string): string => (/^\p{Lu}?\p{Ll}*$/u.test(word) ? word.toLowerCase() : word);

/** Words of a file or folder name; one that is written with capitals or marks inside stays as it is. */
const fileWords = (parts: readonly Part[], style: Style): string => {
  const words = wordsIn(parts).map(plain);
  const marks = marksIn(parts);
  const said: Style | undefined = marks.includes('_') ? 'snake' : marks.includes('-') ? 'kebab' : undefined;
  if (words.length === 1 && (said !== undefined || style !== 'pascal')) return words[0] ?? '';
  return styled(words, said ?? style);
};

/**
 * A file's path: "user service dot t s" is "user-service.ts", in Python "user_service.py", in Java "UserService.java",
 * after what files of that language are usually called. A path that is written stays as it is.
 */
export const fileFrom = ({ words }: Pick<NameWords, 'words'>): string | undefined => {
  const key = words.map((token) => token.key).join(' ');
  const fixed = Object.hasOwn(FIXED_FILES, key) ? FIXED_FILES[key] : undefined;
  if (fixed !== undefined) return fixed;
  if (words.length === 1 && markOf(words[0]) === undefined) {
    const path = words[0]?.raw ?? '';
    return path === '' || path.split(/[\\/]/).includes('..') ? undefined : path;
  }
  if (/\bdot dot\b/.test(key)) return undefined; // what lies above is nobody's to name
  const folders = splitAt(partsOf(words, true), '/');
  const path = folders.map((parts, at) => {
    const groups = splitAt(parts, '.');
    const last = wordsIn(groups.at(-1) ?? [])
      .join('')
      .toLowerCase();
    const isFile = at === folders.length - 1 && groups.length > 1;
    const ending = isFile ? (HEARD_ENDINGS[last] ?? last) : '';
    // ".gitignore", ".env": what follows the dot is the name.
    if (groups.length === 2 && wordsIn(groups[0] ?? []).length === 0) return last === '' ? '' : `.${last}`;
    const style = STYLE_OF_ENDING[ending] ?? 'kebab';
    const names = (isFile ? groups.slice(0, -1) : groups).map((group) => fileWords(group, style));
    return names.includes('') ? '' : [...names, ...(isFile ? [ending] : [])].join('.');
  });
  if (path[0] === '' && path.length > 1) path.shift(); // "slash src …": everything is below the repository
  const joined = path.join('/');
  return joined === '' || path.some((name) => name === '' || name.endsWith('.')) ? undefined : joined;
};

/** True for what git takes as the name of a branch. */
export const isBranch = (name: string): boolean =>
  name !== '' &&
  name.length <= 200 &&
  !/[\s~^:?*[\\\p{Cc}]|\.\.|@\{|\/\/|^[-/@]|[/.]$|\.lock(?:\/|$)|(?:^|\/)\./u.test(name);

/** A branch's name: "feature slash login page" is "feature/login-page". One that is written stays as it is. */
export const branchFrom = ({ words }: Pick<NameWords, 'words'>): string | undefined => {
  const [only] = words;
  let name: string;
  if (words.length === 1 && only) name = plain(only.raw);
  else
    name = splitAt(partsOf(words, true), '/')
      .map((parts) =>
        splitAt(parts, '.')
          .map((group) => {
            let text = '';
            let between = '';
            for (const part of group) {
              if ('mark' in part) between = part.mark;
              else {
                text += (text === '' ? '' : between || '-') + plain(part.word);
                between = '';
              }
            }
            return text;
          })
          .join('.'),
      )
      .join('/');
  return isBranch(name) ? name : undefined;
};
