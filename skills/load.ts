import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, readdir, stat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { z } from 'zod';
import { Agent } from '../contracts/agent.ts';
import { Skill } from '../contracts/skill.ts';
import { ConfigError, OperationError, messageOf } from '../platform/errors.ts';
import { problemOfParameters } from './parameters.ts';
import type { Quarantined, RegistrySnapshot } from './registry.ts';

/** Bytes of a skill or agent file: room for a thousand long examples. */
const MAX_JSON_BYTES = 1024 * 1024;
/** Bytes of one prose file: far more than a good system prompt. */
const MAX_PROSE_BYTES = 64 * 1024;
/** Files per folder; more is a folder that is not ours. */
const MAX_FILES = 1_000;

/** A file's problem, for quarantine. */
class BadFile extends Error {}

const jsonFilesIn = async (folder: string): Promise<string[]> => {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json') && !name.startsWith('.')).sort();
  if (names.length > MAX_FILES) throw new ConfigError('SKILLS_DIR', `more than ${MAX_FILES} JSON files in one folder`);
  return names;
};

/** The folder whose `agents/` is used: its own, else the shipped one. */
const agentsHome = (dir: string): string => (existsSync(join(dir, 'agents')) ? dir : import.meta.dirname);

/** Names, sizes and times of all files that count; two equal ones mean that nothing was written in between. */
export const fingerprintOf = async (dir: string): Promise<string> => {
  const lines: string[] = [];
  const home = agentsHome(dir);
  const agentFolder = join(home, 'agents');
  const paths = [
    ...(await readable(() => jsonFilesIn(dir))).map((name) => join(dir, name)),
    ...(await readdir(agentFolder)).sort().map((name) => join(agentFolder, name)),
  ];
  for (const path of paths) {
    const about = await stat(path, { bigint: true }).catch(() => null);
    lines.push(about ? `${path} ${about.ino} ${about.size} ${about.mtimeNs}` : `${path} gone`);
  }
  return lines.join('\n');
};

const readable = async <T>(read: () => Promise<T>): Promise<T> => {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError('SKILLS_DIR', 'the folder cannot be read');
  }
};

const readBounded = async (path: string, maxBytes: number): Promise<string> => {
  const about = await stat(path).catch(() => null);
  if (!about) throw new BadFile('cannot be read');
  if (!about.isFile()) throw new BadFile('not a regular file');
  if (about.size > maxBytes) throw new BadFile(`${about.size} bytes; at most ${maxBytes} are read`);
  const text = await readFile(path, 'utf8');
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
};

const pathOf = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text ? `${text}.${String(key)}` : String(key)),
    '',
  );

/** The first three problems, each as `path in the file: what is expected`. */
const describe = (issues: readonly z.core.$ZodIssue[]): string =>
  issues
    .slice(0, 3)
    .map((issue) => `${pathOf(issue.path) || 'file'}: ${issue.message}`)
    .join('; ');

const parseFile = <T>(text: string, schema: z.ZodType<T>): T => {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new BadFile(`not valid JSON: ${messageOf(error)}`);
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw new BadFile(describe(parsed.error.issues));
  return parsed.data;
};

/** Parses one skill file's text. @throws Error saying where and what is expected. */
export const parseSkill = (text: string): Skill => {
  const skill = parseFile(text, Skill);
  const problem = problemOfParameters(skill);
  if (problem) throw new BadFile(problem);
  return skill;
};

const readInstructions = async (home: string, agent: Agent): Promise<string> => {
  const parts: string[] = [];
  for (const file of agent.instructions) {
    if (posix.normalize(file) !== file || file.startsWith('../'))
      throw new BadFile(`instructions: ${file} must be a plain path inside the skills folder`);
    try {
      parts.push((await readBounded(join(home, file), MAX_PROSE_BYTES)).trim());
    } catch (error) {
      throw new BadFile(`instructions: ${file}: ${messageOf(error)}`);
    }
  }
  return parts.join('\n\n');
};

/** Reads each file in order; a bad one, or one whose name was already taken, is set aside with its reason. */
const readAll = async <T extends { name: string }>(
  files: { file: string; path: string }[],
  read: (text: string) => Promise<T>,
  quarantined: Quarantined[],
): Promise<T[]> => {
  const found: T[] = [];
  const fileOf = new Map<string, string>();
  for (const { file, path } of files) {
    try {
      const item = await read(await readBounded(path, MAX_JSON_BYTES));
      const taken = fileOf.get(item.name);
      if (taken) throw new BadFile(`name: "${item.name}" is already taken by ${taken}`);
      fileOf.set(item.name, file);
      found.push(item);
    } catch (error) {
      quarantined.push({ file, reason: messageOf(error) });
    }
  }
  return found;
};

/** Reads the whole folder. @throws ConfigError when it cannot be read at all. */
export const loadSnapshot = async (dir: string): Promise<RegistrySnapshot> => {
  const quarantined: Quarantined[] = [];
  const instructions = new Map<string, string>();
  const home = agentsHome(dir);
  const agents = await readAll(
    (await jsonFilesIn(join(home, 'agents'))).map((name) => ({
      file: `agents/${name}`,
      path: join(home, 'agents', name),
    })),
    async (text) => {
      const agent = parseFile(text, Agent);
      const prose = await readInstructions(home, agent);
      if (!instructions.has(agent.name)) instructions.set(agent.name, prose);
      return agent;
    },
    quarantined,
  );
  const known = new Set(agents.map((agent) => agent.name));
  const skills = await readAll(
    (await readable(() => jsonFilesIn(dir))).map((name) => ({ file: name, path: join(dir, name) })),
    async (text) => {
      const skill = parseSkill(text);
      if (!known.has(skill.agent))
        throw new BadFile(`agent: "${skill.agent}" is not a known agent; known are ${[...known].join(', ') || 'none'}`);
      return skill;
    },
    quarantined,
  );
  const served = skills.filter((skill) => skill.enabled);
  const version = createHash('sha256')
    .update(JSON.stringify([served, agents, [...instructions]]))
    .digest('hex')
    .slice(0, 16);
  return {
    version,
    skills: served,
    agents,
    quarantined,
    instructionsOf: (name) => {
      const prose = instructions.get(name);
      if (prose === undefined) throw new OperationError('NotFound', `no agent named ${name}`);
      return prose;
    },
  };
};
