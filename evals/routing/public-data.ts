import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { Skill } from '../../contracts/skill.ts';
import { fromRoot } from '../../platform/env.ts';
import type { RegistrySnapshot } from '../../skills/registry.ts';

/** A labelled public sentence; several labels: several orders. */
export interface Line {
  labels: readonly string[];
  text: string;
}

/** Where the public data lies: beside the repository, never in it. */
export const DATA_DIR = fromRoot('../shared/data/routing');
export const hasPublicData = (): boolean => existsSync(join(DATA_DIR, 'clinc150_train.tsv'));

/** "PlayMusic" and "play_music" as the name of a skill. */
const nameOf = (label: string): string =>
  label
    .replace(/([a-z])([A-Z])/g, '$1-$2')
    .replaceAll('_', '-')
    .toLowerCase();

/** @throws Error when the file is not there. */
export const readLines = (name: string): Line[] =>
  readFileSync(join(DATA_DIR, `${name}.tsv`), 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const [labels = '', text = ''] = line.split('\t');
      return { labels: labels.split('#').map(nameOf), text };
    });

/** Numbers between 0 and 1 that are the same for the same seed. */
export const createRandom = (seed: number): (() => number) => {
  let state = (seed * 7_919 + 1) >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
};

export const shuffled = <T>(items: readonly T[], random: () => number): T[] => {
  const list = [...items];
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [list[i], list[j]] = [list[j] as T, list[i] as T];
  }
  return list;
};

/** Labels with a plain name each, drawn examples, and nothing else: skills as a person could have written them. */
export const drawSkills = (
  lines: readonly Line[],
  labels: readonly string[],
  examples: number,
  random: () => number,
): z.infer<typeof Skill>[] =>
  labels.map((name) => {
    const own = lines.filter((line) => line.labels[0] === name).map(({ text }) => text);
    return Skill.parse({
      name,
      version: 1,
      agent: 'coding',
      description: name,
      examples: shuffled(own, random).slice(0, examples),
    });
  });

/** A registry that never changes. */
export const registryOf = (skills: readonly Skill[]) => {
  const snapshot: RegistrySnapshot = {
    version: skills.map(({ name, examples }) => `${name}:${examples.join('|')}`).join(),
    skills,
    agents: [],
    quarantined: [],
    instructionsOf: () => '',
  };
  return { current: () => snapshot, onChange: () => () => undefined };
};
