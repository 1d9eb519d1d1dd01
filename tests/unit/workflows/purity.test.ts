import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fromRoot } from '../../../platform/env.ts';
import { bundleWorkflows } from '../../../workers/bundle-workflows.ts';

const run = promisify(execFile);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bundle-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('workflow code', () => {
  it('is bundled without schemas, vendors or Node modules, and stays small', async () => {
    const code = await readFile((await bundleWorkflows(folder)).codePath, 'utf8');
    // Temporal's bundler accepts a vendor SDK imported by mistake: a clean bundle is 1.6 MB, one with an agent 6.9 MB.
    expect(code.length).toBeLessThan(2_500_000);
    for (const stranger of [
      'node_modules/zod/',
      'node_modules/@anthropic-ai/',
      'node_modules/@google/',
      'node_modules/playwright',
      'node_modules/pino',
      './platform/',
      './activities/',
    ])
      expect(code.includes(stranger)).toBe(false);
    expect(code).toContain('./workflows/agent-job.ts');
  }, 60_000);

  it.each([
    ['process.env', 'export const a = process.env;'],
    ['fetch', "export const a = fetch('http://127.0.0.1');"],
    ['Buffer', "export const a = Buffer.from('');"],
    ['node:fs', "import fs from 'node:fs'; export const a = fs;"],
    [
      "a duration that is none ('banana')",
      "import { sleep } from '@temporalio/workflow'; export const a = () => sleep('banana');",
    ],
  ])(
    'does not compile with %s',
    async (_what, line) => {
      const file = join(folder, 'impure.ts');
      await writeFile(file, `${line}\n`);
      const config = join(folder, 'tsconfig.json');
      await writeFile(
        config,
        JSON.stringify({
          extends: fromRoot('workflows/tsconfig.json'),
          compilerOptions: {
            typeRoots: [],
            paths: {
              ms: [fromRoot('node_modules/ms/dist/index.d.ts')],
              '@temporalio/workflow': [fromRoot('node_modules/@temporalio/workflow/lib/index.d.ts')],
            },
          },
          include: ['impure.ts'],
        }),
      );
      await expect(
        run(process.execPath, [fromRoot('node_modules/typescript/bin/tsc'), '-p', config]),
      ).rejects.toMatchObject({ stdout: expect.stringMatching(/impure\.ts.*error TS/) });
    },
    60_000,
  );
});
