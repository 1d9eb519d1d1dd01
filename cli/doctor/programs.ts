import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromRoot } from '../../platform/env.ts';
import { fail, findProgram, lastLine, ok, run, warn } from './check.ts';
import type { Check, Finding, Patient } from './check.ts';

/** Each of these ends within a second on an idle machine; a browser's first start after an update can take ten. */
const QUICK_MS = 15_000;
const BROWSER_MS = 60_000;

const misnamed = (name: string, setting: string): Finding =>
  fail(name, `${setting} does not name a program that can be run`, `correct or unset ${setting}`);

export const checkGit: Check = async (patient) => {
  const { path } = findProgram(patient, { setting: '', found: null, names: ['git'] });
  if (path === null) return [fail('git', 'not on PATH', 'sudo apt-get install -y git')];
  const { ok: works, output } = await run(path, ['--version'], patient, QUICK_MS);
  return [
    works
      ? ok('git', output.replace('git version ', ''))
      : fail('git', lastLine(output), 'sudo apt-get install -y git'),
  ];
};

/** The Temporal CLI, as `make dev` will find it. */
export const temporalCliOf = (
  patient: Pick<Patient, 'environment' | 'found'>,
): { path: string | null; named: boolean } =>
  findProgram(patient, {
    setting: 'TEMPORAL_CLI_PATH',
    found: patient.found.temporal,
    names: ['temporal'],
    places: [fromRoot('.toolchain/bin/temporal')],
  });

export const checkTemporalCli: Check = async (patient) => {
  const { path, named } = temporalCliOf(patient);
  const name = 'temporal cli';
  if (path === null)
    return [
      named
        ? misnamed(name, 'TEMPORAL_CLI_PATH')
        : fail(name, 'not found', 'make setup   (fetches it), or set TEMPORAL_CLI_PATH'),
    ];
  const { ok: works, output } = await run(path, ['--version'], patient, QUICK_MS);
  const version = /version (\d+\.\d+\.\d+)/.exec(output)?.[1];
  return [
    works && version
      ? ok(name, `${version} at ${path}`)
      : fail(name, `${path} does not run: ${lastLine(output)}`, 'make setup'),
  ];
};

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome', 'microsoft-edge'];

/** Really shows a page: a browser that only tells its version may still lack a library or a place for its profile. */
export const checkChromium: Check = async (patient) => {
  const name = 'chromium';
  const { path, named } = findProgram(patient, {
    setting: 'CHROMIUM_PATH',
    found: patient.found.chromium,
    names: BROWSERS,
  });
  if (path === null)
    return [
      named
        ? misnamed(name, 'CHROMIUM_PATH')
        : fail(name, 'not found', 'make setup, or: sudo apt-get install -y chromium'),
    ];
  const profile = mkdtempSync(join(tmpdir(), 'dual-doctor-'));
  try {
    const args = [
      '--headless',
      '--disable-gpu',
      '--no-first-run',
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      `--user-data-dir=${profile}`,
      '--dump-dom',
      'data:text/html,<p>works</p>',
    ];
    const { output } = await run(path, args, patient, BROWSER_MS);
    return [
      output.includes('<p>works</p>')
        ? ok(name, `${path} shows a page`)
        : fail(
            name,
            `${path} shows no page: ${lastLine(output)}`,
            'sudo apt-get install -y chromium   (a snap cannot use our folders)',
          ),
    ];
  } finally {
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
};

/** Really makes a sandbox: containers and hardened kernels may forbid it. */
export const checkSandbox: Check = async (patient) => {
  const name = 'sandbox';
  if (patient.environment['CODING_SANDBOX'] === 'off')
    return [
      warn(name, 'CODING_SANDBOX=off: commands that models write run as you, unconfined', 'unset CODING_SANDBOX'),
    ];
  const { path, named } = findProgram(patient, { setting: 'BWRAP_PATH', found: patient.found.bwrap, names: ['bwrap'] });
  if (path === null)
    return [
      named
        ? misnamed(name, 'BWRAP_PATH')
        : fail(name, 'no bubblewrap, and coding jobs refuse to run without it', 'sudo apt-get install -y bubblewrap'),
    ];
  const args = [
    '--unshare-all',
    '--die-with-parent',
    '--ro-bind',
    '/',
    '/',
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    'true',
  ];
  const { ok: works, output } = await run(path, args, patient, QUICK_MS);
  return [
    works
      ? ok(name, `${path} ran a command in a sandbox`)
      : fail(
          name,
          `${path} cannot make a sandbox here: ${lastLine(output)}`,
          'sudo sysctl -w kernel.unprivileged_userns_clone=1   (in a container: allow user namespaces)',
        ),
  ];
};

/** The repository that coding jobs change. */
export const checkWorkspace: Check = async (patient) => {
  const name = 'workspace';
  const setting = patient.environment['CODING_WORKING_DIRECTORY'];
  if (setting === undefined) return [ok(name, 'a copy of examples/workspace')];
  const path = fromRoot(setting);
  const todo = 'name a git repository with at least one commit in CODING_WORKING_DIRECTORY';
  const { ok: works, output } = await run('git', ['-C', path, 'rev-parse', '--verify', 'HEAD'], patient, QUICK_MS);
  return [works ? ok(name, path) : fail(name, `${path}: ${lastLine(output)}`, todo)];
};
