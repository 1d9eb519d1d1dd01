// Node: the machine's when it meets `engines`, else a pinned copy in .toolchain/.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath, isExecutable, run } from '../commands.mjs';
import { npmEnvironment } from '../npm.mjs';
import { PINNED_NODE, TOOLCHAIN, compareVersions, oldestNode } from '../places.mjs';
import { CannotDo, say, tail } from '../report.mjs';

const STEP = 'node';
export const PINNED_NODE_PATH = join(TOOLCHAIN, 'node_modules', 'node', 'bin', 'node');

const isPinned = async () =>
  isExecutable(PINNED_NODE_PATH) &&
  (await run(PINNED_NODE_PATH, ['--version'], { timeoutMs: 30_000 })).output.trim() === `v${PINNED_NODE}`;

const install = async (tool) => {
  const npm = findOnPath(['npm']);
  if (!npm) throw new CannotDo('no npm on PATH to fetch Node with', 'sudo apt-get install -y npm');
  rmSync(join(TOOLCHAIN, 'node_modules'), { recursive: true, force: true });
  rmSync(join(TOOLCHAIN, 'package-lock.json'), { force: true });
  mkdirSync(TOOLCHAIN, { recursive: true });
  // allowScripts: npm 12 runs no install script without it, and this package's script puts the binary in place.
  const manifest = { private: true, dependencies: { node: PINNED_NODE }, allowScripts: { node: true } };
  writeFileSync(join(TOOLCHAIN, 'package.json'), `${JSON.stringify(manifest)}\n`);
  const args = [
    'install',
    '--prefix',
    TOOLCHAIN,
    '--no-audit',
    '--no-fund',
    '--ignore-scripts=false',
    '--loglevel=error',
  ];
  const result = await run(npm, args, { cwd: TOOLCHAIN, env: npmEnvironment(), onStart: tool });
  tool(null);
  return result;
};

/** Resolves with `{path, version, own}`; `own` is true for the pinned copy. */
export const findNode = async ({ tool }) => {
  const oldest = oldestNode();
  const own = process.versions.node;
  if (compareVersions(own, oldest) >= 0) {
    say(STEP, `looked for >=${oldest} on PATH: found ${own} at ${process.execPath}`);
    return { path: process.execPath, version: own, own: process.execPath.startsWith(TOOLCHAIN) };
  }
  say(STEP, `looked for >=${oldest} on PATH: found ${own} at ${process.execPath}, too old`);
  if (await isPinned()) say(STEP, `found the pinned ${PINNED_NODE} at ${PINNED_NODE_PATH}`);
  else {
    say(STEP, `installing the pinned ${PINNED_NODE} through npm into ${TOOLCHAIN}`);
    const { output } = await install(tool);
    if (!(await isPinned()))
      throw new CannotDo(
        `npm could not install node@${PINNED_NODE}:\n${tail(output)}`,
        `install Node ${oldest} or later yourself, put it first on PATH, then run make again`,
      );
    say(STEP, `installed ${PINNED_NODE} at ${PINNED_NODE_PATH}`);
  }
  return { path: PINNED_NODE_PATH, version: PINNED_NODE, own: true };
};
