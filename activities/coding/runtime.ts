import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Where Node and npm of the worker lie, and how a sandbox shows them; `/usr` is there anyway. */
export interface Runtime {
  /** Folders for the front of PATH on the host. */
  hostPath: string[];
  /** [host path, path in the sandbox] */
  mounts: [string, string][];
  /** [target, link in the sandbox] */
  links: [string, string][];
  setpriv: string | null;
}

export const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** Where the sandbox has the worker's own Node. */
export const SANDBOX_NODE = '/opt/node/bin';

/** The first of these folders that holds `name`, as a path; null when none does. */
export const findProgram = (name: string, folders: readonly string[]): string | null =>
  folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;

/**
 * Finds Node (the one that runs this) and npm: beside it, or else on `path`. Commands of a job so run on the Node the
 * worker runs on, wherever a version manager or our own tool chain keeps it.
 */
export const findRuntime = (execPath: string, path: string): Runtime => {
  const node = realpathSync(execPath);
  const folders = [dirname(node), ...path.split(':').filter(Boolean), ...SYSTEM_PATH.split(':')];
  const runtime: Runtime = {
    hostPath: [dirname(node)],
    mounts: [[node, `${SANDBOX_NODE}/node`]],
    links: [],
    setpriv: findProgram('setpriv', SYSTEM_PATH.split(':')),
  };
  const npm = findProgram('npm', folders);
  if (npm === null) return runtime;
  runtime.hostPath.push(dirname(npm));
  const program = realpathSync(npm); // <package>/bin/npm-cli.js
  const found = dirname(dirname(program));
  if (program.startsWith('/usr/') || !existsSync(join(found, 'package.json'))) return runtime;
  runtime.mounts.push([found, '/opt/npm']);
  runtime.links.push(
    ['/opt/npm/bin/npm-cli.js', `${SANDBOX_NODE}/npm`],
    ['/opt/npm/bin/npx-cli.js', `${SANDBOX_NODE}/npx`],
  );
  return runtime;
};
