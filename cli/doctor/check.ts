import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { z } from 'zod';
import { fromRoot } from '../../platform/env.ts';
import type { Environment } from '../../platform/env.ts';
import type { CliSettings } from '../settings.ts';

/** What one look found. `todo` says what to type or change; null when there is nothing to do. */
export interface Finding {
  name: string;
  status: 'ok' | 'warn' | 'fail';
  what: string;
  todo: string | null;
}

/** What set-up wrote down; empty when it never ran. */
const Found = z.looseObject({
  temporal: z.string().nullish(),
  chromium: z.string().nullish(),
  bwrap: z.string().nullish(),
});
export type Found = z.infer<typeof Found>;

/** Everything a check may look at. */
export interface Patient {
  settings: CliSettings;
  settingsProblem: string | null;
  environment: Environment;
  found: Found;
  /** Windows Subsystem for Linux. */
  wsl: boolean;
  platform: NodeJS.Platform;
  nodeVersion: string;
  nodePath: string;
  signal: AbortSignal;
}

export type Check = (patient: Patient) => Promise<Finding[]>;

export const ok = (name: string, what: string): Finding => ({ name, status: 'ok', what, todo: null });
export const warn = (name: string, what: string, todo: string): Finding => ({ name, status: 'warn', what, todo });
export const fail = (name: string, what: string, todo: string): Finding => ({ name, status: 'fail', what, todo });

/** @throws nothing: a file that is missing or damaged tells that set-up has work to do. */
export const readFound = (path: string): Found => {
  try {
    return Found.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return {}; // set-up makes it anew
  }
};

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false; // missing, or not ours to run: either way no program
  }
};

/** The first of the programs that can be run: a setting, what set-up found, the names on PATH, further places. */
export const findProgram = (
  { environment }: Pick<Patient, 'environment'>,
  about: { setting: string; found: string | null | undefined; names: readonly string[]; places?: readonly string[] },
): { path: string | null; named: boolean } => {
  const named = environment[about.setting];
  if (named) return { path: isProgram(fromRoot(named)) ? fromRoot(named) : null, named: true };
  const folders = (environment['PATH'] ?? '').split(delimiter).filter(Boolean);
  const candidates = [
    ...(about.found ? [about.found] : []),
    ...about.names.flatMap((name) => folders.map((folder) => join(folder, name))),
    ...(about.places ?? []),
  ];
  return { path: candidates.find(isProgram) ?? null, named: false };
};

/** Runs a program to its end; `output` is both streams, cut to 4,000 characters. */
export const run = (
  file: string,
  args: readonly string[],
  { environment, signal }: Pick<Patient, 'environment' | 'signal'>,
  timeoutMs: number,
): Promise<{ ok: boolean; output: string }> =>
  new Promise((resolve) => {
    execFile(
      file,
      [...args],
      { env: { ...environment }, signal, timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 1024 * 1024 },
      (error, stdout, stderr) => {
        const output = `${stdout}${stderr}`.trim().slice(0, 4_000);
        resolve({ ok: error === null, output: output || (error === null ? '' : (error.message.split('\n')[0] ?? '')) });
      },
    );
  });

/** The last line with words in it. */
export const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';

export const isThere = (path: string): boolean => existsSync(path);
