// Chromium: CHROMIUM_PATH, an installed Chrome, Chromium or Edge, Playwright's own download, Debian's package when root.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findOnPath, isExecutable, run } from '../commands.mjs';
import { canUseApt, installDebianPackage } from '../debian.mjs';
import { ROOT } from '../places.mjs';
import { CannotDo, say, tail } from '../report.mjs';

const STEP = 'chromium';
const NAMES = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'chrome',
  'microsoft-edge',
  'microsoft-edge-stable',
];
const APPLICATIONS = [
  '/opt/google/chrome/chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
];
const BY_HAND = 'sudo apt-get install -y chromium';

/** Null when it shows a page without a screen, with a profile in the temporary folder (a snap cannot), else why not. */
const problemOf = async (path) => {
  const profile = mkdtempSync(join(tmpdir(), 'dual-chromium-'));
  const root = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const args = [
    '--headless',
    '--disable-gpu',
    '--no-first-run',
    ...root,
    `--user-data-dir=${profile}`,
    '--dump-dom',
    'data:text/html,<p>works</p>',
  ];
  try {
    const { output } = await run(path, args, { timeoutMs: 60_000 });
    return output.includes('<p>works</p>') ? null : tail(output, 3);
  } finally {
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
};

const versionOf = async (path) =>
  /(\d+(?:\.\d+)+)/.exec((await run(path, ['--version'], { timeoutMs: 30_000 })).output)?.[1] ?? 'of unknown version';

/** Where Playwright keeps or would keep its own, whatever PLAYWRIGHT_BROWSERS_PATH says. */
const playwrightPath = async (node) => {
  const { ok, output } = await run(node.path, ['-e', "console.log(require('playwright').chromium.executablePath())"], {
    cwd: ROOT,
  });
  return ok ? output.trim().split('\n').pop() : null;
};

/** Playwright's own retries are its affair; a host that is out of reach is given up after ten seconds each. */
const downloadWithPlaywright = (node) =>
  run(node.path, [join(ROOT, 'node_modules', 'playwright', 'cli.js'), 'install', 'chromium'], {
    cwd: ROOT,
    env: { PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT: '10000', ...process.env },
    timeoutMs: 600_000,
  });

const accept = async (path, how) => {
  const problem = await problemOf(path);
  if (problem !== null) {
    say(STEP, `${how}: ${path} does not start:\n${problem}`);
    return null;
  }
  say(STEP, `${how}: found ${await versionOf(path)} at ${path}`);
  return { path, by: null };
};

/** Resolves with `{path, by}`; `by` is the variable that named it, or null. */
export const findChromium = async ({ settings, node }) => {
  const named = settings.CHROMIUM_PATH;
  if (named) {
    const found = isExecutable(named) ? await accept(named, 'looked at CHROMIUM_PATH') : null;
    if (!found)
      throw new CannotDo('CHROMIUM_PATH does not name a Chromium that starts', 'unset CHROMIUM_PATH   (or correct it)');
    return { ...found, by: 'CHROMIUM_PATH' };
  }
  const installed = [
    ...new Set([...NAMES.map((name) => findOnPath([name])), ...APPLICATIONS.filter(isExecutable)]),
  ].filter(Boolean);
  for (const path of installed) {
    const found = await accept(path, 'looked at CHROMIUM_PATH and for Chrome, Chromium and Edge');
    if (found) return found;
  }
  if (installed.length === 0) say(STEP, 'looked at CHROMIUM_PATH and for Chrome, Chromium and Edge: none');
  const cached = node ? await playwrightPath(node) : null;
  if (cached) {
    if (!isExecutable(cached)) {
      say(STEP, `not in Playwright's folder either: downloading it with Playwright`);
      const { ok, output } = await downloadWithPlaywright(node);
      if (!ok) say(STEP, `Playwright could not download it:\n${tail(output, 2)}`);
    }
    const found = isExecutable(cached) ? await accept(cached, "Playwright's own") : null;
    if (found) return found;
  }
  if (canUseApt() && (await installDebianPackage(STEP, 'chromium'))) {
    const path = findOnPath(['chromium']);
    const found = path ? await accept(path, "Debian's package") : null;
    if (found) return found;
  }
  throw new CannotDo('no Chromium that starts', BY_HAND);
};
