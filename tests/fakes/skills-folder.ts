import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromRoot } from '../../platform/env.ts';

export interface SkillsFolder {
  readonly dir: string;
  /** Writes NAME.json: a valid skill of the agent `coding`, with what a test cares about. */
  skill(name: string, examples: readonly string[], more?: object): void;
  /** Writes any text, or any JSON. */
  write(file: string, content: unknown): void;
  remove(): void;
}

/** A folder of skills in a temporary place, with the shipped agent `coding` and no skill yet. */
export const createSkillsFolder = (): SkillsFolder => {
  const dir = mkdtempSync(join(tmpdir(), 'dual-skills-'));
  mkdirSync(join(dir, 'agents'));
  for (const file of ['coding.json', 'coding.md'])
    copyFileSync(fromRoot(`skills/agents/${file}`), join(dir, 'agents', file));
  const write = (file: string, content: unknown): void =>
    writeFileSync(join(dir, file), typeof content === 'string' ? content : JSON.stringify(content));
  return {
    dir,
    write,
    skill: (name, examples, more = {}) =>
      write(`${name}.json`, { name, version: 1, agent: 'coding', description: name, examples, ...more }),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
};
