import { accessSync, constants, readFileSync, statSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { REPOSITORY_ROOT, fromRoot } from '../../platform/env.ts';
import { OperationError, codeOf, messageOf } from '../../platform/errors.ts';
import { fail, findProgram, isThere, ok, warn } from './check.ts';
import type { Check, Finding } from './check.ts';

/** Free bytes below which work will fail soon, and below which it may. */
const TOO_LITTLE = 1024 ** 3;
const LITTLE = 5 * 1024 ** 3;

/** Negative when `a` is the older of two dotted versions. */
export const compareVersions = (a: string, b: string): number => {
  const [left, right] = [a, b].map((version) => version.replace(/^v/, '').split('-')[0]?.split('.').map(Number) ?? []);
  for (let i = 0; i < 3; i++) if ((left?.[i] ?? 0) !== (right?.[i] ?? 0)) return (left?.[i] ?? 0) - (right?.[i] ?? 0);
  return 0;
};

export const checkNode: Check = async ({ nodeVersion }) => {
  const { engines } = JSON.parse(readFileSync(fromRoot('package.json'), 'utf8')) as { engines: { node: string } };
  const oldest = engines.node.replace(/^>=/, '');
  return [
    compareVersions(nodeVersion, oldest) >= 0
      ? ok('node', `${nodeVersion} (${engines.node} is needed)`)
      : fail('node', `${nodeVersion} is too old: ${engines.node} is needed`, 'make setup   (brings a copy of its own)'),
  ];
};

/** The nearest folder above that exists: what is made later is made on its disk. */
const standing = (path: string): string => (isThere(path) || dirname(path) === path ? path : standing(dirname(path)));

const gigabytes = (bytes: number): string => `${(bytes / 1024 ** 3).toFixed(1)} GB`;

export const diskFinding = (path: string, free: number): Finding => {
  const what = `${gigabytes(free)} free for ${path}`;
  if (free < TOO_LITTLE) return fail('disk', what, 'make room: worktrees, screenshots and traces need it');
  if (free < LITTLE) return warn('disk', what, 'make room soon: worktrees, screenshots and traces need it');
  return ok('disk', what);
};

/** Between this clock and another, in ms. A minute confuses people, five minutes certificates and tokens. */
const SKEW_NOTED_MS = 30_000;
const SKEW_BAD_MS = 300_000;

export const skewFinding = (skewMs: number, other: string): Finding => {
  const seconds = Math.round(Math.abs(skewMs) / 1_000);
  const what = `${other} is ${seconds} s ${skewMs > 0 ? 'behind' : 'ahead of'} this clock`;
  const todo = 'set the clock   (WSL after a sleep: sudo hwclock -s, or wsl --shutdown)';
  if (Math.abs(skewMs) > SKEW_BAD_MS) return fail('clock', what, todo);
  if (Math.abs(skewMs) > SKEW_NOTED_MS) return warn('clock', what, todo);
  return ok('clock', `agrees with ${other}`);
};

/** Seconds since the epoch, from the clock that runs on while the machine sleeps. */
const HARDWARE_CLOCK = '/sys/class/rtc/rtc0/since_epoch';
/** A hardware clock may show local time: time zones differ by quarters of an hour. */
const ZONE_STEP_MS = 15 * 60_000;

/** How far this clock is ahead of the hardware's, whichever time zone that is in. */
export const hardwareSkewMs = (hardwareSeconds: number, now = Date.now()): number => {
  const apart = now - hardwareSeconds * 1_000;
  return apart - Math.round(apart / ZONE_STEP_MS) * ZONE_STEP_MS;
};

export const checkClock: Check = async () => {
  try {
    return [skewFinding(hardwareSkewMs(Number(readFileSync(HARDWARE_CLOCK, 'utf8'))), 'the hardware clock')];
  } catch {
    return [ok('clock', 'no hardware clock to compare it with')];
  }
};

/** One finding for each different disk. */
export const checkDisk: Check = async ({ settings, environment }) => {
  const byDisk = new Map<string, Finding>();
  for (const path of [settings.dataDir, settings.traceDir, fromRoot(environment['ARTIFACT_DIR'] ?? settings.dataDir)]) {
    const { bavail, bsize, blocks, type } = statfsSync(standing(path));
    byDisk.set(`${type} ${blocks} ${bavail}`, diskFinding(path, bavail * bsize));
  }
  return [...byDisk.values()];
};

export const checkFolders: Check = async ({ settings }) =>
  [
    ['data folder', settings.dataDir, 'DATA_DIR'],
    ['trace folder', settings.traceDir, 'TRACE_DIR'],
  ].map(([name = '', path = '', variable = '']) => {
    try {
      accessSync(standing(path), constants.W_OK);
      if (!statSync(standing(path)).isDirectory()) throw new OperationError('BadInput', 'a file is in its way');
      return ok(name, isThere(path) ? path : `${path} (made when needed)`);
    } catch (error) {
      return fail(
        name,
        `${path} cannot be written (${codeOf(error) || messageOf(error)})`,
        `correct its owner, or name another with ${variable}`,
      );
    }
  });

/** Windows drives as WSL mounts them. */
const onWindowsDrive = (path: string): boolean => /^\/mnt\/[a-z](\/|$)/i.test(path);

export const checkWsl: Check = async (patient) => {
  const { wsl, platform, settings, environment, nodePath } = patient;
  if (platform === 'win32')
    return [
      fail('system', 'this is Windows itself; only the voice edge runs here', 'open a WSL terminal and run it there'),
    ];
  if (!wsl) return [ok('system', `${platform}, not WSL`)];
  const findings: Finding[] = [];
  const slow = (name: string, path: string, todo: string): void => {
    if (onWindowsDrive(path))
      findings.push(
        fail(
          'wsl paths',
          `${name} is on a Windows drive (${path}): slow, and locks and appends do not hold there`,
          todo,
        ),
      );
  };
  slow('the repository', REPOSITORY_ROOT, 'clone it below your Linux home: cd ~ && git clone …');
  slow('DATA_DIR', settings.dataDir, 'name a folder below your Linux home');
  slow('TRACE_DIR', settings.traceDir, 'name a folder below your Linux home');
  slow('TRACE_SQLITE_PATH', settings.sqlitePath, 'name a file below your Linux home');
  slow('SKILLS_DIR', settings.skillsDir, 'name a folder below your Linux home');
  for (const name of ['ARTIFACT_DIR', 'TEMPORAL_DB_FILE'])
    slow(name, environment[name] ?? '', 'name a place below your Linux home');
  slow(
    'CODING_WORKING_DIRECTORY',
    environment['CODING_WORKING_DIRECTORY'] ?? '',
    'clone that repository below your Linux home',
  );
  if (onWindowsDrive(nodePath))
    findings.push(
      fail(
        'wsl paths',
        `node is the Windows one (${nodePath})`,
        'install node inside WSL: sudo apt-get install -y nodejs npm',
      ),
    );
  const git = findProgram(patient, { setting: '', found: null, names: ['git', 'git.exe'] });
  if (git.path !== null && onWindowsDrive(git.path))
    findings.push(fail('wsl paths', `git is the Windows one (${git.path})`, 'sudo apt-get install -y git'));
  return findings.length > 0 ? findings : [ok('wsl paths', 'nothing of ours is on a Windows drive')];
};
