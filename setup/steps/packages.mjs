// npm packages: exactly what package-lock.json says, and the native ones load.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findOnPath, run } from '../commands.mjs';
import { npmEnvironment } from '../npm.mjs';
import { ROOT, readJson } from '../places.mjs';
import { CannotDo, say, tail } from '../report.mjs';

const STEP = 'packages';

/**
 * True when node_modules holds what package-lock.json asks for. npm writes its own record of what it installed last of
 * all, so an installation that was cut off has none; packages for other platforms are missing from it by right.
 */
export const packagesAreInStep = () => {
  const wanted = readJson(join(ROOT, 'package-lock.json'))?.packages;
  const present = readJson(join(ROOT, 'node_modules', '.package-lock.json'))?.packages;
  if (!wanted || !present) return false;
  return Object.entries(wanted).every(([place, entry]) => {
    if (!place.includes('node_modules/')) return true;
    const installed = present[place];
    if (!installed) return entry.optional === true || entry.peer === true;
    return installed.version === entry.version && existsSync(join(ROOT, place));
  });
};

/** Packages that fail in ways an installation does not notice: each carries a binary, or is asked where one is. */
const LOAD = `for (const name of ['@temporalio/core-bridge', '@swc/core', 'onnxruntime-node', 'playwright']) {
  try { require(name); } catch (error) { console.log(name + ': ' + error.message.split('\\n')[0]); process.exitCode = 1; }
}`;

const load = (node) => run(node.path, ['-e', LOAD], { cwd: ROOT, timeoutMs: 60_000 });

const install = async (node, tool) => {
  const npm = findOnPath(['npm']);
  if (!npm) throw new CannotDo('no npm on PATH', 'sudo apt-get install -y npm');
  // No install script is needed (each package carries its binaries), and one of them fails without a free network.
  const args = ['ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const result = await run(npm, args, {
    cwd: ROOT,
    env: npmEnvironment(dirname(node.path)),
    timeoutMs: 1_800_000,
    onStart: tool,
  });
  tool(null);
  if (!result.ok)
    throw new CannotDo(`npm ci failed:\n${tail(result.output)}`, 'npm ci   (when it works, run make again)');
};

/** Installs when needed; resolves when everything loads. */
export const findPackages = async ({ node, tool }) => {
  const lock = join(ROOT, 'package-lock.json');
  let fresh = packagesAreInStep();
  if (fresh) say(STEP, `looked for what package-lock.json names: found in ${join(ROOT, 'node_modules')}`);
  for (let attempt = 1; ; attempt++) {
    if (!fresh) {
      const count = Object.keys(readJson(lock)?.packages ?? {}).length;
      say(STEP, `installing ${count} packages with npm ci (half a minute, more on a slow line)`);
      await install(node, tool);
      if (!packagesAreInStep())
        throw new CannotDo(
          'npm ci ended well but node_modules is not what package-lock.json says',
          `rm -r ${ROOT}/node_modules && npm ci`,
        );
      say(STEP, `installed in ${join(ROOT, 'node_modules')}`);
    }
    const { ok, output } = await load(node);
    if (ok) return;
    say(STEP, `does not load:\n${tail(output)}`);
    if (attempt === 2 || !fresh)
      throw new CannotDo(
        'a freshly installed package does not load (musl systems have no binaries: use Debian)',
        'make clean && make setup',
      );
    fresh = false;
  }
};
