// A speech recogniser for the rehearsal: Debian's PocketSphinx, or the package from PyPI. Without one everything else works.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath, run } from '../commands.mjs';
import { canUseApt, installDebianPackage } from '../debian.mjs';
import { FETCH_PREFIX, TOOLCHAIN } from '../places.mjs';
import { say, tail } from '../report.mjs';

const STEP = 'recogniser';
const DEBIAN_PACKAGES = ['libpocketsphinx3', 'pocketsphinx-en-us'];
/** Library and model in one; the newest whose wheels are on every platform (November 2026). */
const WHEEL = 'pocketsphinx==5.1.1';
const WHEEL_FOLDER = join(TOOLCHAIN, 'pocketsphinx');
const WHEEL_MODEL = join(WHEEL_FOLDER, 'pocketsphinx', 'model', 'en-us', 'en-us', 'mdef');

/** The library of Debian's packages, where both are installed whole. */
const debianLibrary = async () => {
  const dpkg = findOnPath(['dpkg-query']);
  if (!dpkg) return null;
  const { ok, output } = await run(dpkg, ['-L', ...DEBIAN_PACKAGES], { timeoutMs: 30_000 });
  const files = output.split('\n');
  const of = (end) => files.find((file) => file.endsWith(end) && existsSync(file));
  return ok && of('/en-us/mdef') ? (of('/libpocketsphinx.so.3') ?? null) : null;
};

const installWheel = async (python) => {
  say(STEP, `installing ${WHEEL} from PyPI into ${WHEEL_FOLDER}`);
  mkdirSync(TOOLCHAIN, { recursive: true });
  // Whole or not at all: half of it would look like all of it to the next run.
  const fetched = join(TOOLCHAIN, `${FETCH_PREFIX}pocketsphinx`);
  rmSync(fetched, { recursive: true, force: true });
  const args = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--only-binary', ':all:', '--target', fetched, WHEEL];
  const { ok, output } = await run(python, args, { timeoutMs: 300_000 });
  if (!ok || !existsSync(fetched)) {
    say(STEP, `pip could not install it:\n${tail(output)}`);
    return;
  }
  rmSync(WHEEL_FOLDER, { recursive: true, force: true });
  renameSync(fetched, WHEEL_FOLDER);
};

/** Resolves with `{path, by: null}`; `path` is null where there is none, which is said and stops nothing. */
export const findRecogniser = async () => {
  const look = async () => (await debianLibrary()) ?? (existsSync(WHEEL_MODEL) ? WHEEL_MODEL : null);
  const there = await look();
  if (there) {
    say(STEP, `looked for Debian's PocketSphinx and for the package from PyPI: found ${there}`);
    return { path: there, by: null };
  }
  say(STEP, "looked for Debian's PocketSphinx and for the package from PyPI: none");
  if (canUseApt()) for (const name of DEBIAN_PACKAGES) if (!(await installDebianPackage(STEP, name))) break;
  const python = findOnPath(['python3', 'python']);
  if (python && !(await look())) await installWheel(python);
  const path = await look();
  if (path) {
    say(STEP, `found ${path}`);
    return { path, by: null };
  }
  say(
    STEP,
    `NONE: without a key the voice edge understands nothing, and make demo-voice cannot work. All else does. To mend it: sudo apt-get install -y ${DEBIAN_PACKAGES.join(' ')}   (or: python3 -m pip install --target ${WHEEL_FOLDER} --only-binary :all: ${WHEEL}), then make setup`,
  );
  return { path: null, by: null };
};
