// make test: every test, heavy ones with few workers, then one closing line over all runs.
// With arguments (make test ARGS="tests/unit/setup -t lock") it is one jest run of just that.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killGroup } from './commands.mjs';
import { ROOT, readJson } from './places.mjs';
import { findSpeech } from './steps/speech.mjs';
import { TALLY_VARIABLE, addJestResult, closeWith } from './tally.mjs';

/** A run that hangs is ended and counts as failed; the whole suite is meant to take eight minutes. */
const LIMIT_MS = 25 * 60_000;
/** Jest ends within a second of its results, unless a test left something running: that is a failure, not a wait. */
const LINGER_MS = 5_000;

/** Folders of tests/ that want few processes beside them; every other folder is in the first run. */
const REAL_SERVER = ['integration'];
const WHOLE_STACK = ['e2e', 'chaos'];

const folders = () => {
  const isTested = (name) =>
    readdirSync(join(ROOT, 'tests', name), { recursive: true }).some((file) => file.endsWith('.test.ts'));
  return readdirSync(join(ROOT, 'tests'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && isTested(entry.name))
    .map((entry) => entry.name);
};

const runsOf = (all) => {
  const pick = (keep) => all.filter(keep).map((name) => `tests/${name}/`);
  return [
    { name: 'quick', args: ['--maxWorkers=2', ...pick((n) => !REAL_SERVER.includes(n) && !WHOLE_STACK.includes(n))] },
    { name: 'real server', args: ['--maxWorkers=2', ...pick((n) => REAL_SERVER.includes(n))] },
    // One after the other: they kill processes and watch how long the rest takes to go on.
    { name: 'whole stack', args: ['--runInBand', ...pick((n) => WHOLE_STACK.includes(n))] },
  ].filter((run) => run.args.length > 1);
};

/** Tests never spend: a person's keys stay outside. So do the file the outer run counts in and the outer make's words. */
const OUTSIDE = new Set([
  ...['OPENAI_API_KEY', 'ANTHROPIC_API_KEY', 'GEMINI_API_KEY'],
  ...[TALLY_VARIABLE, 'MAKEFLAGS', 'MFLAGS', 'MAKEOVERRIDES', 'MAKELEVEL', 'ARGS'],
]);
const environment = () => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !OUTSIDE.has(name))),
  NODE_ENV: 'test',
});

/** A person pressed Ctrl-C: what runs is ended, and no further run starts. */
let interrupted = false;

/** Jest's own result file, null when it never wrote one. `failed` when its exit code says more than its counts. */
const runJest = (args, resultFile) =>
  new Promise((resolve) => {
    const jest = [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js'),
    ];
    const child = spawn(process.execPath, [...jest, ...args, '--json', `--outputFile=${resultFile}`], {
      cwd: ROOT,
      env: environment(),
      stdio: ['ignore', 'inherit', 'inherit'],
      // A group of its own, so that what a test started can be ended with it.
      detached: true,
    });
    const end = (why) => {
      console.log(`test  ${why}: stopped, and counted as a failure`);
      killGroup(child.pid);
    };
    const limit = setTimeout(end, LIMIT_MS, `no end after ${LIMIT_MS / 60_000} minutes`);
    let linger;
    const watch = setInterval(() => {
      if (!existsSync(resultFile)) return;
      clearInterval(watch);
      linger = setTimeout(
        end,
        LINGER_MS,
        'all tests are done, but one left something running (a server, a child, a timer)',
      );
    }, 200);
    const interrupt = () => {
      interrupted = true;
      killGroup(child.pid, 'SIGINT');
    };
    process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
    child.on('close', (code) => {
      for (const timer of [limit, watch, linger]) clearTimeout(timer);
      process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
      resolve({ code, result: existsSync(resultFile) ? readJson(resultFile) : null });
    });
  });

const asked = process.argv.slice(2);
if (asked.length === 0) await findSpeech();
const runs = asked.length > 0 ? [{ name: 'asked for', args: asked }] : runsOf(folders());
const counts = { passed: 0, failed: 0, skipped: 0 };
const skipped = [];
const folder = mkdtempSync(join(tmpdir(), 'dual-test-'));
try {
  for (const [index, run] of runs.entries()) {
    const started = Date.now();
    const { code, result } = await runJest(run.args, join(folder, `${index}.json`));
    const failedBefore = counts.failed;
    addJestResult(counts, result, skipped);
    // For example a failing global step, or no test found: no count shows it.
    if (code !== 0 && counts.failed === failedBefore) counts.failed += 1;
    console.log(
      `test  ${run.name}: ${code === 0 ? 'good' : 'FAILED'} after ${Math.round((Date.now() - started) / 1000)} s`,
    );
    if (interrupted) break;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (skipped.length > 0) {
  console.log(`\nSKIPPED, so not proven here (${skipped.length}):`);
  for (const name of skipped) console.log(`  ${name.replace(`${ROOT}/`, '')}`);
}
closeWith(counts);
