import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { codeOf } from '../../platform/errors.ts';
import { spokenWords } from './spoken-words.ts';

/** Sentences as spoken words: what the recogniser expects to hear. */
export interface Phrases {
  /** Orders, from the examples of the skills. */
  orders: string[][];
  /** Control words and short answers. */
  controls: string[][];
  /** What people say that is no order; they keep other speech from being forced into one. */
  others: string[][];
  /** What parameters may be called. */
  names: string[][];
}

const Named = z.looseObject({
  enum: z.array(z.unknown()).optional(),
  'x-synonyms': z.record(z.string(), z.array(z.string())).optional(),
});
const SkillWords = z.looseObject({
  enabled: z.boolean().optional(),
  examples: z.array(z.string()).default([]),
  negative_examples: z.array(z.string()).default([]),
  parameters: z.looseObject({ properties: z.record(z.string(), Named).default({}) }).optional(),
});

const linesOf = (text: string): string[][] =>
  text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map(spokenWords);

const readLines = async (path: string): Promise<string[][]> => {
  try {
    return linesOf(await readFile(path, 'utf8'));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    return []; // a folder of skills of one's own may come without them
  }
};

/** A file that is no skill is passed over: the gateway is who complains about those. */
const readSkill = async (path: string): Promise<z.infer<typeof SkillWords> | null> => {
  const text = await readFile(path, 'utf8');
  try {
    return SkillWords.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
};

/** Reads the data of the skills (`*.json`, `routing/none-lines.txt`) and this folder's own control lines. */
export const readPhrases = async (skillsFolder: string, controlLinesFile: string): Promise<Phrases> => {
  const names = (await readdir(skillsFolder)).filter((name) => name.endsWith('.json')).sort();
  const skills = (await Promise.all(names.map((name) => readSkill(join(skillsFolder, name))))).filter(
    (skill) => skill !== null && skill.enabled !== false,
  );
  const phrases: Phrases = {
    orders: [],
    controls: await readLines(controlLinesFile),
    others: await readLines(join(skillsFolder, 'routing', 'none-lines.txt')),
    names: [],
  };
  for (const skill of skills) {
    if (!skill) continue;
    phrases.orders.push(...skill.examples.map(spokenWords));
    phrases.others.push(...skill.negative_examples.map(spokenWords));
    for (const property of Object.values(skill.parameters?.properties ?? {})) {
      const synonyms = Object.values(property['x-synonyms'] ?? {}).flat();
      const choices = (property.enum ?? []).filter((choice) => typeof choice === 'string');
      phrases.names.push(...[...choices, ...synonyms].map(spokenWords));
    }
  }
  return phrases;
};
