import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';
import { fromRoot } from '../platform/env.ts';

/** Reached by path, never by import: this code runs in Temporal's sandbox. */
export const WORKFLOWS_PATH = fromRoot('workflows/index.ts');

/** Everything that decides what the bundle holds. */
const fingerprint = (): string => {
  const hash = createHash('sha256');
  const require = createRequire(import.meta.url);
  hash.update((require('@temporalio/worker/package.json') as { version: string }).version);
  const folder = fromRoot('workflows');
  for (const name of readdirSync(folder)
    .filter((file) => file.endsWith('.ts'))
    .sort())
    hash.update(name).update(readFileSync(join(folder, name)));
  hash.update(readFileSync(fromRoot('contracts/names.ts')));
  return hash.digest('hex').slice(0, 32);
};

/** The workflow bundle, made once for each version of the code and kept in `cacheDir`; saves about 0.7 s at start. */
export const bundleWorkflows = async (cacheDir: string): Promise<{ codePath: string }> => {
  const codePath = join(cacheDir, `workflows-${fingerprint()}.js`);
  if (existsSync(codePath)) return { codePath };
  const { code } = await bundleWorkflowCode({
    workflowsPath: WORKFLOWS_PATH,
    logger: { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} },
  });
  mkdirSync(cacheDir, { recursive: true });
  const temporary = `${codePath}.${randomUUID()}`;
  writeFileSync(temporary, code);
  renameSync(temporary, codePath);
  for (const old of readdirSync(cacheDir))
    if (/^workflows-[0-9a-f]{32}\.js$/.test(old) && join(cacheDir, old) !== codePath)
      rmSync(join(cacheDir, old), { force: true });
  return { codePath };
};
