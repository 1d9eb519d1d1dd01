import { posix } from 'node:path';
import type { Block } from './blocks.ts';
import { maskStrings, namesIn } from './blocks.ts';
import { importedNames, movedSpecifier } from './module-imports.ts';
import type { ImportedName } from './module-imports.ts';
import { nameFrom, wholeName, wordsOf } from './names.ts';

/** The same function, written several times. The first copy keeps its name. */
export interface DuplicatedFunction {
  copies: Block[];
}

const essence = (block: Block): string =>
  block.code
    .replace(/^export\s+/, '')
    .replace(block.name === null ? /$^/ : wholeName(block.name), () => '\u0000')
    .replace(/\s+/g, ' ')
    .trim();

/** Shorter functions are as often alike by chance as by copying. */
const MIN_LINES = 3;

/** Functions that occur more than once, whatever they are called there. */
export const duplicatedFunctions = (blocks: readonly Block[]): DuplicatedFunction[] => {
  const groups = new Map<string, Block[]>();
  for (const block of blocks) {
    if (block.kind !== 'function' || block.name === null || block.code.split('\n').length < MIN_LINES) continue;
    const key = essence(block);
    groups.set(key, [...(groups.get(key) ?? []), block]);
  }
  return [...groups.values()].filter((copies) => copies.length > 1).map((copies) => ({ copies }));
};

/** Runs of equal lines outside equal functions; they are told of, not touched. */
export interface RepeatedLines {
  lines: number;
  places: { file: string; line: number }[];
}

const MIN_REPEATED = 6;

/** Runs of at least six equal lines of code, the longest first. */
export const repeatedLines = (texts: ReadonlyMap<string, string>): RepeatedLines[] => {
  const rows = [...texts].flatMap(([file, text]) =>
    maskStrings(text)
      .split('\n')
      .flatMap((masked, at) => {
        const line = (text.split('\n')[at] ?? '').trim();
        return masked.trim().length < 4 || /^(?:import|from|package|use)\b|^[/*#]/.test(line)
          ? []
          : [{ file, line: at + 1, text: line }];
      }),
  );
  const seen = new Map<string, number>();
  const found: RepeatedLines[] = [];
  for (let at = 0; at + MIN_REPEATED <= rows.length; at += 1) {
    const window = rows.slice(at, at + MIN_REPEATED);
    if (window.some((row) => row.file !== window[0]?.file)) continue;
    const key = window.map((row) => row.text).join('\n');
    const first = seen.get(key);
    if (first === undefined) {
      seen.set(key, at);
      continue;
    }
    let length = MIN_REPEATED;
    while (
      rows[first + length] &&
      rows[at + length] &&
      rows[first + length]?.text === rows[at + length]?.text &&
      first + length < at
    )
      length += 1;
    const places = [rows[first], rows[at]].flatMap((row) => (row ? [{ file: row.file, line: row.line }] : []));
    found.push({ lines: length, places });
    at += length - 1;
  }
  return found.sort((a, b) => b.lines - a.lines);
};

/** Why a duplicated function is left where it is, or what it needs imported to stand in a module of its own. */
export const requirementsOf = (
  { copies }: DuplicatedFunction,
  texts: ReadonlyMap<string, string>,
  blocks: readonly Block[],
  moving: ReadonlySet<string>,
): { needs: (ImportedName & { file: string })[] } | { obstacle: string } => {
  const first = copies[0];
  if (!first) return { obstacle: 'there is no copy' };
  if (copies.some((copy) => !/\.(?:[cm]?ts|m?js)$/.test(copy.file)))
    return { obstacle: 'rehearsal moves code of JavaScript and TypeScript modules only' };
  if (copies.some((copy) => /\bmodule\.exports\b|\brequire\(/.test(maskStrings(texts.get(copy.file) ?? ''))))
    return { obstacle: 'its files are CommonJS modules' };
  if (copies.some((copy) => copy.exported))
    return { obstacle: 'a copy is exported and others may rely on where it is' };
  const used = namesIn(first.code);
  const needs: (ImportedName & { file: string })[] = [];
  for (const copy of copies) {
    const own = blocks.find(
      (block) =>
        block.file === copy.file &&
        block.kind !== 'import' &&
        block.name !== null &&
        block.name !== copy.name &&
        used.has(block.name) &&
        !moving.has(block.name),
    );
    if (own) return { obstacle: `it uses ${own.name} of ${own.file}` };
    for (const name of importedNames(texts.get(copy.file) ?? ''))
      if (used.has(name.local)) needs.push({ ...name, file: copy.file });
  }
  const home = (need: ImportedName & { file: string }): string =>
    `${need.local}|${need.imported}|${movedSpecifier(need.file, need.specifier, 'x.ts')}`;
  const distinct = new Map(needs.map((need) => [need.local, home(need)]));
  if (needs.some((need) => distinct.get(need.local) !== home(need)))
    return { obstacle: 'its copies import different things under one name' };
  return { needs: needs.filter((need, at) => needs.findIndex((other) => other.local === need.local) === at) };
};

const FAMILIES: [RegExp, string][] = [
  [/^(?:require|check|ensure|assert|validate|verify|must|need|expect|is|has)$/, 'validation'],
  [/^(?:format|render|print|show|display|to)$/, 'formatting'],
  [/^(?:parse|read|load|decode|from)$/, 'parsing'],
  [/^(?:sort|compare|order)$/, 'ordering'],
  [/^(?:round|sum|add|calc|compute|average|percent)$/, 'arithmetic'],
];

/** A name and place for the module that takes moved functions in: by what they do, beside the files that use them. */
export const moduleFor = (groups: readonly DuplicatedFunction[], files: readonly string[]): string => {
  const copies = groups.flatMap((group) => group.copies);
  const verbs = copies.map((copy) => wordsOf(copy.name ?? '')[0] ?? '');
  const throwing = copies.every((copy) => /\bthrow\b|\braise\b/.test(maskStrings(copy.code)));
  const family =
    FAMILIES.find(([pattern]) => verbs.every((verb) => pattern.test(verb)))?.[1] ??
    (throwing ? 'validation' : nameFrom(wordsOf(copies[0]?.name ?? 'shared'), 'kebab'));
  const folders = copies.map((copy) => posix.dirname(copy.file).split('/'));
  const shared = (folders[0] ?? []).filter((part, at) =>
    folders.every(
      (folder) => folder.slice(0, at + 1).join('/') === folders[0]?.slice(0, at + 1).join('/') && folder[at] === part,
    ),
  );
  const ending = posix.extname(copies[0]?.file ?? '.ts');
  for (const name of [family, `shared-${family}`, `${family}-2`]) {
    const path = posix.join(shared.join('/') || '.', `${name}${ending}`);
    if (!files.includes(path)) return path;
  }
  return posix.join(shared.join('/') || '.', `${family}-shared${ending}`);
};
