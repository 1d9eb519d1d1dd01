import type { PlannedCall } from '../conversation.ts';
import { namesIn, splitBlocks } from './blocks.ts';
import type { Block } from './blocks.ts';
import { moduleFor, requirementsOf } from './duplicates.ts';
import type { DuplicatedFunction } from './duplicates.ts';
import { applied, replaceLines } from './edits.ts';
import {
  afterImports,
  importLines,
  importedNames,
  movedSpecifier,
  specifierEnding,
  specifierOf,
} from './module-imports.ts';
import { wholeName } from './names.ts';

export interface MovePlan {
  /** The module that takes the functions in; null: none can be moved. */
  module: { path: string; text: string } | null;
  moved: DuplicatedFunction[];
  obstacles: { group: DuplicatedFunction; obstacle: string }[];
  edits: PlannedCall[];
  /** Texts afterwards, by file, the new one included. */
  after: Map<string, string>;
}

/** Applies edits to a text one after the other, remembering the calls. */
const editor = (path: string, start: string) => {
  const calls: PlannedCall[] = [];
  let text = start;
  return {
    calls,
    text: () => text,
    lines: (from: number, to: number, after: readonly string[]): void => {
      const call = replaceLines(path, text, from, to, after);
      if (!call) return;
      calls.push(call);
      text = applied(text, call);
    },
  };
};

const keyOf = (block: Block): string => `${block.file}|${block.name}`;

/** Takes the copies out of one file and imports what is left of them. */
const rewrite = (
  file: string,
  start: string,
  gone: readonly Block[],
  nameOf: ReadonlyMap<string, string>,
  modulePath: string,
  ending: string,
) => {
  const edits = editor(file, start);
  for (const { name } of gone) {
    const block = splitBlocks(file, edits.text()).find(
      (candidate) => candidate.name === name && candidate.kind === 'function',
    );
    if (!block) continue;
    const blank = (edits.text().split('\n')[block.to] ?? 'x').trim() === '' ? 1 : 0;
    edits.lines(block.from, block.to + blank, []);
  }
  for (const block of gone) {
    const name = nameOf.get(keyOf(block)) ?? '';
    if (name === block.name || block.name === null) continue;
    for (const [at, line] of edits.text().split('\n').entries())
      if (wholeName(block.name).test(line)) edits.lines(at, at + 1, [line.replace(wholeName(block.name), () => name)]);
  }
  const names = [...new Set(gone.map((block) => nameOf.get(keyOf(block)) ?? ''))].filter((name) =>
    wholeName(name).test(edits.text()),
  );
  const line = `import { ${names.sort().join(', ')} } from '${specifierOf(file, modulePath, ending)}';`;
  const last = afterImports(edits.text());
  const lines = edits.text().split('\n');
  if (names.length > 0) {
    if (last > 0) edits.lines(last - 1, last, [lines[last - 1] ?? '', line]);
    else edits.lines(0, 1, [line, '', lines[0] ?? '']);
  }
  dropUnusedImports(edits, new Set(gone.flatMap((block) => [...namesIn(block.code)])));
  return edits;
};

/** Names only the moved code used are imported no longer. */
const dropUnusedImports = (edits: ReturnType<typeof editor>, candidates: ReadonlySet<string>): void => {
  const text = edits.text();
  const used = (name: string): boolean =>
    splitBlocks('', text).some((block) => block.kind !== 'import' && namesIn(block.code).has(name));
  const unused = importedNames(text).filter((name) => candidates.has(name.local) && !used(name.local));
  for (const { from, to } of unused
    .filter((name, at) => unused.findIndex((other) => other.from === name.from) === at)
    .reverse()) {
    const kept = importedNames(text).filter((name) => name.from === from && !unused.includes(name));
    edits.lines(from, to, importLines(kept));
  }
};

/** Plans to move functions that are written several times into a module of their own. */
export const planMove = (
  groups: readonly DuplicatedFunction[],
  texts: ReadonlyMap<string, string>,
  blocks: readonly Block[],
  files: readonly string[],
): MovePlan => {
  const obstacles: MovePlan['obstacles'] = [];
  const moving = new Set(groups.flatMap((group) => group.copies.map((copy) => copy.name ?? '')));
  const movable = groups.flatMap((group) => {
    const found = requirementsOf(group, texts, blocks, moving);
    if ('obstacle' in found) {
      obstacles.push({ group, obstacle: found.obstacle });
      return [];
    }
    return [{ group, needs: found.needs }];
  });
  const first = movable[0]?.group.copies[0];
  if (!first) return { module: null, moved: [], obstacles, edits: [], after: new Map() };

  const path = moduleFor(
    movable.map(({ group }) => group),
    files,
  );
  const ending = specifierEnding(texts.get(first.file) ?? '');
  const needs = movable.flatMap((each) => each.needs);
  const imports = importLines(
    needs
      .filter((need, at) => needs.findIndex((other) => other.local === need.local) === at)
      .map((need) => ({ ...need, specifier: movedSpecifier(need.file, need.specifier, path) })),
  );
  const declarations = movable.map(({ group }) => {
    const [copy] = group.copies;
    const doc = group.copies.find((each) => each.doc.trim() !== '')?.doc ?? '';
    return `${doc === '' ? '' : `${doc}\n`}export ${copy?.code ?? ''}`;
  });
  const text = `${[imports.join('\n'), ...declarations].filter(Boolean).join('\n\n')}\n`;

  const nameOf = new Map(
    movable.flatMap(({ group }) => group.copies.map((copy) => [keyOf(copy), group.copies[0]?.name ?? ''] as const)),
  );
  const after = new Map([[path, text]]);
  const edits: PlannedCall[] = [];
  const copies = movable.flatMap(({ group }) => group.copies);
  for (const file of new Set(copies.map((copy) => copy.file))) {
    const result = rewrite(
      file,
      texts.get(file) ?? '',
      copies.filter((copy) => copy.file === file),
      nameOf,
      path,
      ending,
    );
    edits.push(...result.calls);
    after.set(file, result.text());
  }
  return { module: { path, text }, moved: movable.map(({ group }) => group), obstacles, edits, after };
};
