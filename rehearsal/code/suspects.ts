import { namesIn } from './blocks.ts';
import type { Block } from './blocks.ts';
import type { Failure } from './failures.ts';
import { isTestFile } from './imports.ts';

/** Lines around a failing assertion, and how far away what they name is taken to be. */
const WINDOWS = [1, 4, 12, 30, Infinity];
/** A block every failing test reaches is this much nearer. */
const SHARED_BONUS = 2;

export interface Suspect {
  block: Block;
  /** Steps from the failing line to this code; less is likelier. */
  distance: number;
}

/** Distances of names from a failing assertion, by how near they are written to it. */
const namesNear = (failure: Failure, texts: ReadonlyMap<string, string>): Map<string, number> => {
  const files = [...texts.keys()].filter((file) => (failure.file === null ? isTestFile(file) : file === failure.file));
  const lines = files
    .map((file) => texts.get(file) ?? '')
    .join('\n')
    .split('\n');
  const at =
    failure.file === null || failure.line === null
      ? lines.findIndex((line) => line.includes(failure.name))
      : failure.line - 1;
  const distances = new Map<string, number>();
  for (const [distance, around] of WINDOWS.entries()) {
    if (at < 0 && around !== Infinity) continue;
    for (const name of namesIn(lines.slice(Math.max(0, at - around + 1), at + around).join('\n')))
      if (!distances.has(name)) distances.set(name, distance);
  }
  return distances;
};

/** Everything a failing test reaches by name, with its distance; test helpers are passed through, not suspected. */
const reachedBy = (
  failure: Failure,
  blocks: readonly Block[],
  texts: ReadonlyMap<string, string>,
): Map<Block, number> => {
  const names = namesNear(failure, texts);
  const reached = new Map<Block, number>();
  for (let changed = true; changed;) {
    changed = false;
    for (const block of blocks) {
      const distance = block.name === null ? undefined : names.get(block.name);
      if (distance === undefined || (reached.get(block) ?? Infinity) <= distance) continue;
      reached.set(block, distance);
      changed = true;
      for (const name of namesIn(block.code))
        if ((names.get(name) ?? Infinity) > distance + 1) names.set(name, distance + 1);
    }
  }
  return reached;
};

const isSuspect = (block: Block): boolean =>
  !isTestFile(block.file) && (block.kind === 'function' || block.kind === 'class' || block.kind === 'constant');

/**
 * The code that may be wrong, for the failing test that says most: the one that stands nearest to the least code.
 * `blocks` are those of tests and sources; `texts` their files.
 */
export const findSuspects = (
  failures: readonly Failure[],
  blocks: readonly Block[],
  texts: ReadonlyMap<string, string>,
): { failure: Failure; suspects: Suspect[] } | null => {
  const reaches = failures.map((failure) => ({
    failure,
    reached: reachedBy(
      failure,
      blocks.filter((block) => block.kind !== 'import'),
      texts,
    ),
  }));
  const narrowness = (reached: ReadonlyMap<Block, number>): number =>
    [...reached].reduce(
      (sum, [block, distance]) => sum + (isSuspect(block) ? block.code.length * 2 ** -distance : 0),
      0,
    );
  const chosen = reaches
    .filter(({ reached }) => [...reached.keys()].some(isSuspect))
    .map((each) => ({
      ...each,
      vague: each.failure.expected === null || each.failure.actual === null,
      size: narrowness(each.reached),
    }))
    .sort((a, b) => Number(a.vague) - Number(b.vague) || a.size - b.size)[0];
  if (!chosen) return null;
  const suspects = [...chosen.reached]
    .filter(([block]) => isSuspect(block))
    .map(([block, distance]) => {
      const share =
        reaches.filter(({ reached }) => (reached.get(block) ?? Infinity) < WINDOWS.length).length / reaches.length;
      return { block, distance: distance - (reaches.length > 1 ? SHARED_BONUS * share : 0) };
    });
  return { failure: chosen.failure, suspects };
};
