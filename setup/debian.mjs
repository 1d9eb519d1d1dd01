// Debian's own packages: only for root, and never with a question.
import { findOnPath, run } from './commands.mjs';
import { say, tail } from './report.mjs';

let listsAreFresh = false;

/** True where apt can be used without asking anybody. */
export const canUseApt = () => process.getuid?.() === 0 && findOnPath(['apt-get']) !== null;

/** Installs one package; false, after saying why, when that fails. Not killed with its parent: dpkg halfway is worse than late. */
export const installDebianPackage = async (step, name) => {
  const apt = findOnPath(['apt-get']);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', DEBIAN_PRIORITY: 'critical' };
  const options = ['-y', '-q', '-o', 'DPkg::Lock::Timeout=600'];
  const call = (file, args) => run(file, args, { env, outlives: true, timeoutMs: 1_200_000 });
  say(step, `installing Debian's package ${name}`);
  // An installation that was cut off (power, kill) blocks every later one until this has run.
  const dpkg = findOnPath(['dpkg']);
  if (dpkg) await call(dpkg, ['--configure', '-a']);
  if (!listsAreFresh) listsAreFresh = (await call(apt, [...options, 'update'])).ok;
  const { ok, output } = await call(apt, [...options, 'install', '--no-install-recommends', name]);
  if (!ok) say(step, `apt-get could not install ${name}:\n${tail(output)}`);
  return ok;
};
