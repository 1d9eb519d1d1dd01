// bubblewrap: BWRAP_PATH, PATH, Debian's package when root, otherwise stop with the command to type.
import { findOnPath, isExecutable, run } from '../commands.mjs';
import { canUseApt, installDebianPackage } from '../debian.mjs';
import { CannotDo, say, tail } from '../report.mjs';

const STEP = 'bubblewrap';
const BY_HAND =
  process.platform === 'linux'
    ? 'sudo apt-get install -y bubblewrap'
    : 'export CODING_SANDBOX=off   (bubblewrap is for Linux; commands of models then run unconfined)';

/** Null when it can make a sandbox on this machine: containers and hardened kernels may forbid it. */
const problemOf = async (path) => {
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
  const { ok, output } = await run(path, args, { timeoutMs: 30_000 });
  return ok ? null : tail(output, 3);
};

const accept = async (path, by, how) => {
  const problem = await problemOf(path);
  if (problem !== null)
    throw new CannotDo(
      `${path} is there but cannot make a sandbox here:\n${problem}`,
      'sudo sysctl -w kernel.unprivileged_userns_clone=1   (or, knowing what it means: export CODING_SANDBOX=off)',
    );
  const version = /(\d+(?:\.\d+)+)/.exec((await run(path, ['--version'], { timeoutMs: 30_000 })).output)?.[1];
  say(STEP, `${how}: found ${version ?? 'one'} at ${path}`);
  return { path, by };
};

/** Resolves with `{path, by}`; `path` is null when CODING_SANDBOX=off and there is none. */
export const findBubblewrap = async ({ settings }) => {
  const named = settings.BWRAP_PATH;
  if (named) {
    if (!isExecutable(named))
      throw new CannotDo('BWRAP_PATH does not name a program', 'unset BWRAP_PATH   (or correct it)');
    return accept(named, 'BWRAP_PATH', 'looked at BWRAP_PATH');
  }
  const onPath = findOnPath(['bwrap']);
  if (settings.CODING_SANDBOX === 'off') {
    say(STEP, `CODING_SANDBOX=off: not needed${onPath ? `, though ${onPath} is there` : ''}`);
    return { path: onPath, by: null };
  }
  if (onPath) return accept(onPath, null, 'looked at BWRAP_PATH and PATH');
  say(STEP, 'looked at BWRAP_PATH and PATH: none');
  if (canUseApt() && (await installDebianPackage(STEP, 'bubblewrap'))) {
    const path = findOnPath(['bwrap']);
    if (path) return accept(path, null, "Debian's package");
  }
  throw new CannotDo('no bubblewrap, and the commands of models must not run without it', BY_HAND);
};
