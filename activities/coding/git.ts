import { execFile } from 'node:child_process';
import { OperationError } from '../../platform/errors.ts';

/** Where a git command works; without `gitDir` git looks for the repository that holds `workTree`. */
export interface GitPlace {
  gitDir?: string;
  workTree?: string;
  /** Another index than the repository's own. */
  indexFile?: string;
}

export interface GitOptions {
  signal: AbortSignal;
  input?: Uint8Array | string;
  /** Bytes of output; 64 MiB by default. */
  maxBytes?: number;
  /** Author and committer date of what is made, in seconds since the epoch. */
  dateSeconds?: number;
}

/** git said no. `stderr` is what it wrote, cut to 2,000 characters. */
export class GitError extends Error {
  override readonly name = 'GitError';
  readonly exitCode: number;
  readonly stderr: string;
  constructor(command: string, exitCode: number, stderr: string) {
    super(`git ${command} failed (exit ${exitCode}): ${stderr.trim().slice(0, 2_000)}`);
    this.exitCode = exitCode;
    this.stderr = stderr;
  }
}

/** Largest output of one git command, and so the largest patch: 64 MiB. */
export const MAX_GIT_OUTPUT_BYTES = 64 * 1024 * 1024;

export const AUTHOR = { name: 'dual orchestrator', email: 'orchestrator@localhost' } as const;

/**
 * Settings that win over every configuration file. Hooks, file-system monitors and automatic maintenance would run
 * somebody's programs; attributes and excludes of the person at the keyboard would change what a job sees.
 */
const SETTINGS: Record<string, string> = {
  'safe.directory': '*',
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'core.untrackedCache': 'false',
  'core.attributesFile': '/dev/null',
  'core.excludesFile': '/dev/null',
  'core.autocrlf': 'false',
  'core.quotePath': 'false',
  'core.pager': 'cat',
  'commit.gpgSign': 'false',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  'submodule.recurse': 'false',
  'protocol.allow': 'never',
  'advice.detachedHead': 'false',
  'merge.conflictStyle': 'merge',
};

/** An environment in which git reads nobody's configuration and asks nobody. */
const environmentOf = (place: GitPlace, dateSeconds: number | undefined): Record<string, string> => {
  const env: Record<string, string> = {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    HOME: '/nonexistent',
    LC_ALL: 'C.UTF-8',
    TZ: 'UTC',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '/bin/false',
    SSH_ASKPASS: '/bin/false',
    GIT_EDITOR: '/bin/false',
    GIT_AUTHOR_NAME: AUTHOR.name,
    GIT_AUTHOR_EMAIL: AUTHOR.email,
    GIT_COMMITTER_NAME: AUTHOR.name,
    GIT_COMMITTER_EMAIL: AUTHOR.email,
  };
  const settings = Object.entries(SETTINGS);
  env['GIT_CONFIG_COUNT'] = String(settings.length);
  settings.forEach(([key, value], at) => {
    env[`GIT_CONFIG_KEY_${at}`] = key;
    env[`GIT_CONFIG_VALUE_${at}`] = value;
  });
  if (dateSeconds !== undefined) env['GIT_AUTHOR_DATE'] = env['GIT_COMMITTER_DATE'] = `${dateSeconds} +0000`;
  if (place.gitDir) env['GIT_DIR'] = place.gitDir;
  if (place.gitDir && place.workTree) env['GIT_WORK_TREE'] = place.workTree;
  if (place.indexFile) env['GIT_INDEX_FILE'] = place.indexFile;
  return env;
};

/**
 * Runs git apart from the configuration, hooks and filters of whoever owns the machine or the repository.
 * @throws GitError when git says no; OperationError PayloadTooLarge beyond `maxBytes`; the signal's reason on abort.
 */
export const runGit = (place: GitPlace, args: readonly string[], options: GitOptions): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const child = execFile(
      'git',
      [...args],
      {
        cwd: place.workTree ?? '/',
        env: environmentOf(place, options.dateSeconds),
        encoding: 'buffer',
        maxBuffer: options.maxBytes ?? MAX_GIT_OUTPUT_BYTES,
        signal: options.signal,
        killSignal: 'SIGTERM', // git takes its lock files away on TERM, not on KILL
      },
      (error, stdout, stderr) => {
        if (!error) resolve(stdout);
        else if (options.signal.aborted) reject(options.signal.reason as Error);
        else if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER')
          reject(
            new OperationError(
              'PayloadTooLarge',
              `git ${args[0]}: more than ${options.maxBytes ?? MAX_GIT_OUTPUT_BYTES} bytes`,
            ),
          );
        else if (typeof error.code === 'number')
          reject(new GitError(args.slice(0, 2).join(' '), error.code, stderr.toString('utf8')));
        else if (error.code === 'ENOENT')
          reject(
            new OperationError('EnvironmentUnavailable', 'git cannot be started; install it: sudo apt install git'),
          );
        else reject(new Error(`git ${args[0]}: ${error.message}`, { cause: error }));
      },
    );
    child.stdin?.on('error', () => undefined); // git that ended early says why by its exit code
    child.stdin?.end(options.input ?? '');
  });

/** As `runGit`; the output as text without the last line end. */
export const askGit = async (place: GitPlace, args: readonly string[], options: GitOptions): Promise<string> =>
  (await runGit(place, args, options)).toString('utf8').replace(/\n$/, '');
