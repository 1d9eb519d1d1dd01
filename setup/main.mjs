// All set-up. Standard output: shell assignments for setup/run. Standard error: what was looked for, found and where.
// When everything is as the last run left it, this looks at file stamps only and does nothing.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { killRunning } from './commands.mjs';
import { takeLock } from './lock.mjs';
import {
  FETCH_PREFIX,
  FOUND_FILE,
  LOCK_FILE,
  ROOT,
  STAMP_FILE,
  TOOLCHAIN,
  compareVersions,
  oldestNode,
  readJson,
} from './places.mjs';
import { CannotDo, say } from './report.mjs';
import { readSettings } from './settings.mjs';
import { findBubblewrap } from './steps/bubblewrap.mjs';
import { findChromium } from './steps/chromium.mjs';
import { PINNED_NODE_PATH, findNode } from './steps/node.mjs';
import { findPackages, packagesAreInStep } from './steps/packages.mjs';
import { findRecogniser } from './steps/recogniser.mjs';
import { findTemporal } from './steps/temporal.mjs';

const TOOLS = { temporal: 'TEMPORAL_CLI_PATH', chromium: 'CHROMIUM_PATH', bwrap: 'BWRAP_PATH' };

/** What the result depends on besides the tools themselves: these scripts, the packages, and which Node was chosen. */
const keyOf = (node) => {
  const hash = createHash('sha256');
  for (const folder of ['setup', 'setup/steps'])
    for (const name of readdirSync(join(ROOT, folder)).sort())
      if (name.endsWith('.mjs')) hash.update(name).update(readFileSync(join(ROOT, folder, name)));
  hash.update(readFileSync(join(ROOT, 'package-lock.json'))).update(`${oldestNode()} ${node}`);
  return hash.digest('hex');
};

/** Size and time of a tool: another file under the same name is another tool. Null when it is gone. */
const printOf = (path) => {
  try {
    const { size, mtimeMs } = statSync(path);
    return `${size}:${mtimeMs}`;
  } catch {
    return null;
  }
};

/** The last result, if it still holds; null when set-up has work to do. */
const lastResult = (settings) => {
  const found = readJson(FOUND_FILE);
  const stamp = readJson(STAMP_FILE);
  if (!found || !stamp) return null;
  const fresh = compareVersions(process.versions.node, oldestNode()) >= 0;
  const node = fresh ? process.execPath : PINNED_NODE_PATH;
  if (found.node !== node || stamp.key !== keyOf(node)) return null;
  for (const [tool, variable] of Object.entries(TOOLS)) {
    // A variable that names another tool, or no longer names this one, asks for a new look.
    if (settings[variable] ? settings[variable] !== found[tool] : stamp.by[tool] !== null) return null;
    if (found[tool] === null && settings.CODING_SANDBOX !== 'off') return null;
  }
  for (const path of Object.values(found)) if (path !== null && stamp.prints[path] !== printOf(path)) return null;
  return packagesAreInStep() ? found : null;
};

const writeWhole = (path, value) => {
  writeFileSync(`${path}.new`, `${JSON.stringify(value, null, 2)}\n`);
  renameSync(`${path}.new`, path);
};

/** Does every step that can be done, so that a person hears of everything missing at once. */
const setUp = async (settings, tool) => {
  for (const name of readdirSync(TOOLCHAIN))
    if (name.startsWith(FETCH_PREFIX)) rmSync(join(TOOLCHAIN, name), { recursive: true, force: true });
  const missing = [];
  const attempt = async (step, context) => {
    try {
      return await step({ settings, tool, ...context });
    } catch (error) {
      if (!(error instanceof CannotDo)) throw error;
      missing.push(error);
      return undefined;
    }
  };
  const node = await attempt(findNode);
  if (node) await attempt(findPackages, { node });
  const steps = {
    temporal: await attempt(findTemporal),
    chromium: await attempt(findChromium, { node }),
    bwrap: await attempt(findBubblewrap),
    recogniser: await attempt(findRecogniser),
  };
  if (missing.length > 0) throw new AggregateError(missing);
  const found = {
    node: node.path,
    temporal: steps.temporal.path,
    chromium: steps.chromium.path,
    bwrap: steps.bwrap.path,
    recogniser: steps.recogniser.path,
  };
  const prints = Object.fromEntries(
    Object.values(found)
      .filter(Boolean)
      .map((path) => [path, printOf(path)]),
  );
  const by = Object.fromEntries(Object.entries(steps).map(([name, step]) => [name, step.by]));
  writeWhole(FOUND_FILE, found);
  writeWhole(STAMP_FILE, { key: keyOf(found.node), by, prints });
  return found;
};

const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** PATH gains only what this machine's own would not give: the pinned Node, the fetched CLI, the packages' commands. */
const assignments = (found) => {
  const own = [found.node, found.temporal].filter((path) => path.startsWith(TOOLCHAIN)).map(dirname);
  const lines = [
    `PATH=${quote([...new Set([...own, join(ROOT, 'node_modules', '.bin')])].join(':'))}":$PATH"; export PATH`,
  ];
  for (const [tool, variable] of Object.entries(TOOLS))
    if (found[tool] && !process.env[variable]) lines.push(`${variable}=${quote(found[tool])}; export ${variable}`);
  return `${lines.join('\n')}\n`;
};

const main = async () => {
  const settings = readSettings();
  let found = lastResult(settings);
  if (!found) {
    mkdirSync(TOOLCHAIN, { recursive: true });
    const lock = await takeLock(LOCK_FILE, (pid, host) =>
      say('lock', `another set-up is at work (process ${pid} on ${host}): waiting for it`),
    );
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
      ['SIGHUP', 129],
    ])
      process.on(signal, () => {
        killRunning();
        lock.release();
        process.exit(code);
      });
    try {
      // Whoever held the lock may have done it all.
      found = lastResult(settings) ?? (await setUp(settings, lock.tool));
    } finally {
      lock.release();
    }
    say('ready', `written to ${FOUND_FILE}`);
  } else if (process.argv.includes('--tell')) {
    for (const [tool, path] of Object.entries(found))
      say(tool, path ?? (tool === 'bwrap' ? 'none (CODING_SANDBOX=off)' : 'NONE (make clean setup tries again)'));
  }
  process.stdout.write(assignments(found));
};

try {
  await main();
} catch (error) {
  const problems = error instanceof AggregateError ? error.errors : [error];
  for (const problem of problems) {
    if (!(problem instanceof CannotDo)) throw problem;
    say('missing', problem.message);
  }
  // Last, alone on its line, what to type: nothing else is to be read.
  for (const problem of problems) process.stderr.write(`set-up cannot go on. Type: ${problem.type}\n`);
  process.exitCode = 1;
}
