import { existsSync, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { OperationError } from '../../platform/errors.ts';
import { isPlainFolder } from './disk.ts';
import type { Launch } from './run-command.ts';
import { runCommand } from './run-command.ts';
import type { Runtime } from './runtime.ts';
import { findProgram, SANDBOX_NODE, SYSTEM_PATH } from './runtime.ts';

export const SANDBOX_ROOT = '/workspace';

/** What one command sees. All paths are the host's, all of them real. */
export interface Surroundings {
  /** Marks processes of this session where there is no sandbox to end them with. */
  sessionId: string;
  tree: string;
  /** Becomes /tmp; HOME is in it. */
  tmp: string;
  /** The session's git folder, readable only. */
  gitDir: string;
  /** Object folders `gitDir` borrows from, flattened. */
  objects: readonly string[];
  /** A file listing them as the sandbox sees them (`alternatesText`), and an empty file. */
  alternatesFile: string;
  emptyFile: string;
  /** Folders of the user's checkout: `source` is seen read-only at `path` of the tree. */
  shares: readonly { source: string; path: string }[];
  env: Readonly<Record<string, string>>;
}

export interface Sandbox {
  readonly kind: 'bubblewrap' | 'off';
  /** How to start `command` with bash. `network`: it may reach the outside; never set but for what a person allowed. */
  launch(around: Surroundings, command: string, about: { network: boolean }): Launch;
  /** @throws OperationError EnvironmentUnavailable with what to type, when commands cannot be run as promised. */
  check(signal: AbortSignal): Promise<void>;
}

export const alternatesText = (objects: readonly string[]): string =>
  objects.map((_, at) => `/objects/${at}\n`).join('');

/**
 * Read-only pieces of /etc that programs need: names, time zone, libraries, certificates. No secrets live there: what
 * lies beside them and is for few to read (/etc/ssl/private, /etc/pki/tls/private, /etc/pki/nssdb, passwords of Java's
 * management) stays out, since a worker that root started could read it.
 */
const ETC = [
  'passwd group nsswitch.conf hosts host.conf protocols services localtime timezone ld.so.cache ld.so.conf',
  'ld.so.conf.d alternatives mime.types magic profile bash.bashrc inputrc locale.alias',
  'ca-certificates ca-certificates.conf ssl/certs ssl/cert.pem ssl/ca-bundle.pem ssl/openssl.cnf',
  'pki/ca-trust/extracted pki/java/cacerts pki/tls/certs pki/tls/cert.pem pki/tls/openssl.cnf',
].flatMap((line) => line.split(' '));
const JAVA = ['java-17-openjdk', 'java-21-openjdk'];

/** Below /etc, as this machine has it. */
const etcPaths = (): string[] => [
  ...ETC,
  ...JAVA.filter((folder) => existsSync(`/etc/${folder}`)).flatMap((folder) =>
    readdirSync(`/etc/${folder}`)
      .filter((name) => name !== 'management')
      .map((name) => `${folder}/${name}`),
  ),
];

/** The same in both kinds: nothing of the worker's own environment gets through. The recipe's own come first. */
const environmentOf = (
  around: Surroundings,
  paths: { path: string; home: string; tmp: string },
): Record<string, string> => ({
  ...around.env,
  PATH: paths.path,
  HOME: paths.home,
  TMPDIR: paths.tmp,
  USER: 'dual',
  LOGNAME: 'dual',
  SHELL: '/bin/bash',
  LANG: 'C.UTF-8',
  TERM: 'dumb',
  NO_COLOR: '1',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_PAGER: 'cat',
  GIT_TERMINAL_PROMPT: '0',
  GIT_CONFIG_COUNT: '1',
  GIT_CONFIG_KEY_0: 'safe.directory',
  GIT_CONFIG_VALUE_0: '*',
  DUAL_SESSION: around.sessionId,
});

/** Children end with the worker, however it ends: the kernel kills them (setpriv, bwrap --die-with-parent). */
const dyingWithUs = (runtime: Runtime, command: readonly string[]): [string, ...string[]] => {
  const [file = '', ...args] = command;
  return runtime.setpriv ? [runtime.setpriv, '--pdeathsig', 'KILL', '--', file, ...args] : [file, ...args];
};

/** Standard error joins standard output, in order; the command itself is an argument, never spliced into a script. */
const SHELL = ['bash', '-c', 'exec 2>&1 </dev/null; ulimit -c 0; exec bash -c "$1"', 'bash'];

const BWRAP_HINT =
  'install it (sudo apt install bubblewrap), name it in BWRAP_PATH, or run commands unconfined with CODING_SANDBOX=off';

const createBubblewrap = (runtime: Runtime, bwrapPath: string | null): Sandbox => {
  const bwrap = bwrapPath ?? findProgram('bwrap', SYSTEM_PATH.split(':'));
  const system: string[] = ['--ro-bind', '/usr', '/usr'];
  for (const path of ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32']) {
    if (!existsSync(path)) continue;
    if (lstatSync(path).isSymbolicLink()) system.push('--symlink', readlinkSync(path), path);
    else system.push('--ro-bind', path, path);
  }
  for (const name of etcPaths()) system.push('--ro-bind-try', `/etc/${name}`, `/etc/${name}`);
  for (const [source, target] of runtime.mounts) system.push('--ro-bind', source, target);
  for (const [target, link] of runtime.links) system.push('--symlink', target, link);
  system.push('--proc', '/proc', '--dev', '/dev', '--dir', '/run');

  const isolation = (network: boolean): string[] => [
    '--unshare-all',
    ...(network ? ['--share-net', '--ro-bind-try', '/etc/resolv.conf', '/etc/resolv.conf'] : []),
    '--die-with-parent',
    '--new-session',
    '--cap-drop',
    'ALL',
    '--clearenv',
    '--hostname',
    'workspace',
  ];
  const around = (given: Surroundings): string[] => {
    const args = ['--bind', given.tmp, '/tmp', '--ro-bind', given.gitDir, '/git'];
    given.objects.forEach((folder, at) => {
      args.push('--ro-bind', folder, `/objects/${at}`);
      if (existsSync(join(folder, 'info', 'alternates')))
        args.push('--ro-bind', given.emptyFile, `/objects/${at}/info/alternates`);
    });
    args.push('--ro-bind', given.alternatesFile, '/git/objects/info/alternates');
    args.push('--bind', given.tree, SANDBOX_ROOT, '--ro-bind', join(given.tree, '.git'), `${SANDBOX_ROOT}/.git`);
    for (const { source, path } of given.shares)
      if (isPlainFolder(given.tree, path)) args.push('--ro-bind', source, join(SANDBOX_ROOT, path));
    const env = environmentOf(given, { path: `${SANDBOX_NODE}:${SYSTEM_PATH}`, home: '/tmp/home', tmp: '/tmp' });
    for (const [name, value] of Object.entries(env)) args.push('--setenv', name, value);
    return [...args, '--remount-ro', '/', '--chdir', SANDBOX_ROOT];
  };

  return {
    kind: 'bubblewrap',
    launch: (given, command, { network }) => {
      const [file, ...args] = dyingWithUs(runtime, [
        bwrap ?? 'bwrap',
        ...isolation(network),
        ...system,
        ...around(given),
        '--',
        ...SHELL,
        command,
      ]);
      return { file, args, cwd: '/', env: {}, marker: null };
    },
    check: async (signal) => {
      if (bwrap === null || !existsSync(bwrap))
        throw new OperationError('EnvironmentUnavailable', `bubblewrap (bwrap) was not found: ${BWRAP_HINT}`);
      const [file, ...args] = dyingWithUs(runtime, [
        bwrap,
        ...isolation(false),
        ...system,
        '--',
        'bash',
        '-c',
        'exec 2>&1; true',
      ]);
      const { exitCode, text } = await runCommand(
        { file, args, cwd: '/', env: {}, marker: null },
        { signal, timeoutMs: 10_000, maxChars: 500 },
      );
      if (exitCode !== 0)
        throw new OperationError(
          'EnvironmentUnavailable',
          `bubblewrap cannot make a sandbox here (exit ${exitCode}${text ? `: ${text.trim()}` : ''}); allow user namespaces (sudo sysctl kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0), or run commands unconfined with CODING_SANDBOX=off`,
        );
    },
  };
};

/**
 * Without a sandbox a command still gets a process group of its own, and a guard in it that ends the group when the
 * worker is gone: its standard input is a pipe that only the worker holds.
 */
const GUARDED = 'exec 3<&0 </dev/null; (cat <&3 >/dev/null 2>&1; kill -KILL 0) >/dev/null 2>&1 & exec 3<&-; "$@"';

const createOpen = (runtime: Runtime): Sandbox => ({
  kind: 'off',
  launch: (given, command) => {
    const [file, ...args] = dyingWithUs(runtime, ['/bin/sh', '-c', GUARDED, 'sh', ...SHELL, command]);
    const path = [...runtime.hostPath, SYSTEM_PATH].join(':');
    return {
      file,
      args,
      cwd: given.tree,
      env: environmentOf(given, { path, home: join(given.tmp, 'home'), tmp: given.tmp }),
      marker: given.sessionId,
    };
  },
  check: () => Promise.resolve(),
});

/** `bwrapPath` null: looked for in the system's own folders. */
export const createSandbox = (
  kind: 'bubblewrap' | 'off',
  options: { runtime: Runtime; bwrapPath: string | null },
): Sandbox => (kind === 'off' ? createOpen(options.runtime) : createBubblewrap(options.runtime, options.bwrapPath));
