// Running other programs: never with a terminal to ask, always with an end.
import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** Output kept of a program, in characters: its end says why it failed. */
const KEPT = 65_536;

export const isExecutable = (path) => {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
};

/** The first of these names on PATH, as an absolute path; null when there is none. */
export const findOnPath = (names, path = process.env.PATH ?? '') => {
  for (const name of names)
    for (const folder of path.split(delimiter)) {
      const candidate = join(folder, name);
      if (isAbsolute(folder) && isExecutable(candidate)) return candidate;
    }
  return null;
};

/** Groups started by `run` that are not over yet. */
const running = new Set();

/** Ends a process group, at once unless another signal is named; one that is over already is fine. */
export const killGroup = (pid, signal = 'SIGKILL') => {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH' && error.code !== 'EPERM') throw error;
  }
};

/** Ends every group that is still running: for a set-up that is itself being ended. */
export const killRunning = () => running.forEach((pid) => killGroup(pid));

/**
 * Runs one program in a process group of its own, standard input closed.
 * Options: `cwd`, `env`, `timeoutMs` (default ten minutes; then the whole group is killed), `onStart(pid)`,
 * `outlives` (not ended with this process).
 * Resolves with `{ok, output}`, never rejects: `output` is both streams as they came, or why it could not start.
 */
export const run = (file, args, options = {}) =>
  new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let output = '';
    const keep = (chunk) => {
      output = (output + chunk).slice(-KEPT);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    const timeoutMs = options.timeoutMs ?? 600_000;
    const timer = setTimeout(() => {
      keep(`\nno end after ${timeoutMs / 1000} s: stopped`);
      killGroup(child.pid);
    }, timeoutMs);
    const end = (ok) => {
      clearTimeout(timer);
      running.delete(child.pid);
      resolve({ ok, output });
    };
    child.on('error', (error) => {
      keep(error.message);
      end(false);
    });
    child.on('close', (code) => end(code === 0));
    if (child.pid !== undefined) {
      if (!options.outlives) running.add(child.pid);
      options.onStart?.(child.pid);
    }
  });
