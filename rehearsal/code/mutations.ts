import { maskStrings } from './blocks.ts';
import type { Block } from './blocks.ts';
import type { Failure } from './failures.ts';

/** One small change of one line that might be what a test asks for. `line`: in the file, from 0. */
export interface Mutation {
  file: string;
  line: number;
  before: string;
  after: string;
  what: string;
  weight: number;
}

type Family =
  | 'rounding'
  | 'boundary'
  | 'comparison'
  | 'arithmetic'
  | 'logic'
  | 'extreme'
  | 'literal'
  | 'scale'
  | 'opposite'
  | 'order'
  | 'offset'
  | 'value';

/** How likely each kind of slip is when nothing else is known. */
const BASE: Record<Family, number> = {
  rounding: 6,
  boundary: 6,
  extreme: 5,
  arithmetic: 5,
  comparison: 4,
  logic: 4,
  order: 3,
  opposite: 3,
  literal: 3,
  scale: 2,
  offset: 3,
  value: 4,
};

interface Slip {
  family: Family;
  find: RegExp;
  /** What to put there instead; several are tried one by one. */
  put: (match: RegExpExecArray) => string[];
}

const others =
  (all: readonly string[]) =>
  (match: RegExpExecArray): string[] =>
    all.filter((each) => each !== match[0]);
const swap =
  (pairs: Record<string, string>) =>
  (match: RegExpExecArray): string[] => {
    const opposite = pairs[match[0].trim()];
    return opposite === undefined ? [] : [match[0].replace(match[0].trim(), () => opposite)];
  };

const SLIPS: Slip[] = [
  {
    family: 'rounding',
    find: /\bMath\.(?:floor|round|ceil|trunc)\b/g,
    put: others(['Math.round', 'Math.floor', 'Math.ceil', 'Math.trunc']),
  },
  {
    family: 'rounding',
    find: /\b(?:math\.floor|math\.ceil|math\.trunc|(?<![.\w])int|(?<![.\w])round)(?=\()/g,
    put: others(['round', 'math.floor', 'math.ceil', 'int']),
  },
  { family: 'rounding', find: / \/\/ /g, put: () => [' / '] },
  { family: 'boundary', find: / (?:<=|>=|<|>) /g, put: swap({ '<=': '<', '<': '<=', '>=': '>', '>': '>=' }) },
  {
    family: 'comparison',
    find: / (?:===|!==|==|!=) /g,
    put: swap({ '===': '!==', '!==': '===', '==': '!=', '!=': '==' }),
  },
  { family: 'comparison', find: / (?:<=|>=|<|>) /g, put: swap({ '<=': '>=', '<': '>', '>=': '<=', '>': '<' }) },
  {
    family: 'comparison',
    find: / (?:<=|>=|<|>) /g,
    put: swap({ '<=': '>', '<': '>=', '>=': '<', '>': '<=' }),
  },
  {
    family: 'extreme',
    find: /\b(?:Math\.)?(?:min|max)(?=\()/g,
    put: (match) => [match[0].endsWith('min') ? match[0].replace('min', 'max') : match[0].replace('max', 'min')],
  },
  {
    family: 'arithmetic',
    find: /(?<=[\w)\]]) [+\-*/%] (?=[\w(])/g,
    put: (match) =>
      ({ '+': ['-', '*'], '-': ['+'], '*': ['/', '+'], '/': ['*'], '%': ['/'] })[match[0].trim()]?.map(
        (sign) => ` ${sign} `,
      ) ?? [],
  },
  {
    family: 'arithmetic',
    find: / (?:\+=|-=|\*=|\/=) /g,
    put: swap({ '+=': '-=', '-=': '+=', '*=': '/=', '/=': '*=' }),
  },
  {
    family: 'logic',
    find: / (?:&&|\|\||\?\?) /g,
    put: (match) => ({ '&&': [' || '], '||': [' && ', ' ?? '], '??': [' || '] })[match[0].trim()] ?? [],
  },
  { family: 'logic', find: /\b(?:and|or)\b/g, put: swap({ and: 'or', or: 'and' }) },
  { family: 'logic', find: /!(?=[\w(])/g, put: () => [''] },
  { family: 'logic', find: /(?<=\bif \()(?=[\w(])/g, put: () => ['!'] },
  {
    family: 'opposite',
    find: /\b(?:true|false|True|False)\b/g,
    put: swap({ true: 'false', false: 'true', True: 'False', False: 'True' }),
  },
  {
    family: 'opposite',
    find: /\.(?:toUpperCase|toLowerCase|push|unshift|pop|shift|startsWith|endsWith|some|every|indexOf|lastIndexOf|upper|lower)(?=\()/g,
    put: swap({
      '.toUpperCase': '.toLowerCase',
      '.toLowerCase': '.toUpperCase',
      '.push': '.unshift',
      '.unshift': '.push',
      '.pop': '.shift',
      '.shift': '.pop',
      '.startsWith': '.endsWith',
      '.endsWith': '.startsWith',
      '.some': '.every',
      '.every': '.some',
      '.indexOf': '.lastIndexOf',
      '.lastIndexOf': '.indexOf',
      '.upper': '.lower',
      '.lower': '.upper',
    }),
  },
  { family: 'order', find: /([\w.]+) ([-/]) ([\w.]+)/g, put: (match) => [`${match[3]} ${match[2]} ${match[1]}`] },
  { family: 'order', find: /(?<=[\w$]\()([\w.$]+), ([\w.$]+)(?=\))/g, put: (match) => [`${match[2]}, ${match[1]}`] },
  { family: 'offset', find: /\.length\b(?! *[-+])/g, put: (match) => [`${match[0]} + 1`, `${match[0]} - 1`] },
  { family: 'offset', find: /\.length [-+] 1\b/g, put: () => ['.length'] },
  { family: 'offset', find: /\[([A-Za-z_$][\w$]*)\]/g, put: (match) => [`[${match[1]} - 1]`, `[${match[1]} + 1]`] },
  { family: 'offset', find: /\[([A-Za-z_$][\w$]*) [-+] 1\]/g, put: (match) => [`[${match[1]}]`] },
  {
    family: 'literal',
    find: /(?<![\w.$])\d+(?:\.\d+)?(?![\w.])/g,
    put: (match) => [String(Number(match[0]) + 1), ...(Number(match[0]) > 0 ? [String(Number(match[0]) - 1)] : [])],
  },
  {
    family: 'scale',
    find: /(?<![\w.$])[1-9]\d*(?:\.\d+)?(?![\w.])/g,
    put: (match) =>
      [10, 100, 1000, 60]
        .flatMap((by) => [Number(match[0]) * by, ...(Number(match[0]) % by === 0 ? [Number(match[0]) / by] : [])])
        .map(String),
  },
];

const asNumber = (text: string | null): number | null =>
  text !== null && /^-?[\d_]+(?:\.\d+)?n?$/.test(text) ? Number(text.replace(/[_n]/g, '')) : null;

/** What the difference between expected and actual makes likelier. */
const likelier = ({ expected, actual }: Pick<Failure, 'expected' | 'actual'>): Partial<Record<Family, number>> => {
  const [want, got] = [asNumber(expected), asNumber(actual)];
  if (want !== null && got !== null) {
    if (Math.abs(want - got) <= 1) return { rounding: 5, boundary: 3, literal: 3, offset: 4 };
    const ratio = want === 0 || got === 0 ? 0 : Math.max(Math.abs(want / got), Math.abs(got / want));
    if (Number.isInteger(Math.round(Math.log10(ratio) * 1e9) / 1e9) && ratio > 1) return { scale: 6, arithmetic: 4 };
    return { arithmetic: 2, boundary: 1 };
  }
  if (/^(?:true|false)$/i.test(expected ?? '')) return { comparison: 3, boundary: 3, logic: 3, opposite: 2 };
  return {};
};

/** What the comment above the code asks for and the line does not do. */
const promised = (doc: string, after: string): number => {
  if (/\bround(?:s|ed|ing)?\b|\bnearest\b/i.test(doc) && /\bround\b/i.test(after)) return 4;
  if (/\bround(?:s|ed|ing)? down\b|\bwhole\b/i.test(doc) && /\bfloor\b|\bint\b/.test(after)) return 3;
  if (/\bround(?:s|ed|ing)? up\b/i.test(doc) && /\bceil\b/.test(after)) return 3;
  if (/\b(?:larger|largest|more|most|highest|max\w*)\b/i.test(doc) && /\bmax\b/.test(after)) return 4;
  if (/\b(?:smaller|smallest|less|least|lowest|min\w*)\b/i.test(doc) && /\bmin\b/.test(after)) return 4;
  if (/\b(?:at least|from|or more|or later)\b/i.test(doc) && / >= /.test(after)) return 2;
  return 0;
};

/** Literals that are what came out; the test says what should. */
const valueSlips = (
  code: string,
  masked: string,
  failure: Pick<Failure, 'expected' | 'actual'>,
): [number, string, string][] => {
  const { expected, actual } = failure;
  if (expected === null || actual === null || expected === actual || actual.length > 200 || expected.length > 200)
    return [];
  const bare = (text: string): string => text.replace(/^(['"`])([^]*)\1$/, '$2');
  const isText = /^['"`]/.test(actual) && /^['"`]/.test(expected);
  const [find, put] = isText ? [bare(actual), bare(expected)] : [actual, expected];
  if (find === '' || (!isText && asNumber(find) === null)) return [];
  const found: [number, string, string][] = [];
  for (let at = code.indexOf(find); at >= 0; at = code.indexOf(find, at + 1)) {
    const whole = isText
      ? masked[at] === ' ' || /['"`]/.test(code[at - 1] ?? '')
      : !/[\w.]/.test(code[at - 1] ?? '') && !/[\w.]/.test(code[at + find.length] ?? '');
    if (whole) found.push([at, find, put]);
  }
  return found;
};

/** How much it says that a literal is just what came out: a 0 is everywhere, a sentence or a 404 is not. */
const tellingOf = (literal: string): number => (asNumber(literal) === null ? 8 : literal.length > 2 ? 3 : -1);

/** Every small change of a block, unordered. */
const mutationsOf = (block: Block, distance: number, failure: Failure): Mutation[] => {
  const masked = maskStrings(block.code);
  const hints = likelier(failure);
  const lines = block.code.split('\n');
  const starts = lines.map((_, at) => lines.slice(0, at).join('\n').length + (at > 0 ? 1 : 0));
  const found: Mutation[] = [];
  const add = (at: number, old: string, put: string, family: Family, bonus = 0): void => {
    if (old.includes('\n')) return;
    const row = starts.findLastIndex((start) => start <= at);
    const before = lines[row] ?? '';
    const column = at - (starts[row] ?? 0);
    const after = before.slice(0, column) + put + before.slice(column + old.length);
    if (after === before) return;
    found.push({
      file: block.file,
      line: block.codeFrom + row,
      before,
      after,
      what: `${old.trim() || 'nothing'} → ${put.trim() || 'nothing'}`,
      weight: BASE[family] + (hints[family] ?? 0) + promised(block.doc, put) + bonus - distance,
    });
  };
  for (const slip of SLIPS)
    for (const match of masked.matchAll(slip.find))
      for (const put of slip.put(match)) add(match.index, match[0], put, slip.family);
  for (const [at, old, put] of valueSlips(block.code, masked, failure)) add(at, old, put, 'value', tellingOf(old));
  return found;
};

/** Small changes of the suspects that could turn a failing test green, the likeliest first, each once. */
export const proposeMutations = (
  suspects: readonly { block: Block; distance: number }[],
  failure: Failure,
): Mutation[] => {
  const seen = new Set<string>();
  return suspects
    .flatMap(({ block, distance }) => mutationsOf(block, distance, failure))
    .sort((a, b) => b.weight - a.weight)
    .filter((mutation) => {
      const key = `${mutation.file}:${mutation.line}:${mutation.after}`;
      return !seen.has(key) && seen.add(key);
    });
};
