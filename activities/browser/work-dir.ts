import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { codeOf } from '../../platform/errors.ts';

const OURS = /^dual-browser-(\d+)-/;
const PROFILE_NOTE = 'profile';
const PROFILE = /^playwright_chromiumdev_profile-/;

const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
};

/** A new folder for the browser's temporary files; its name says which process it belongs to. */
export const makeWorkDir = (): Promise<string> => mkdtemp(join(tmpdir(), `dual-browser-${process.pid}-`));

/**
 * Writes down which profile folder the browser uses (Playwright chooses it), so that it is found after a `kill -9`.
 * Only where `/proc` tells.
 */
export const noteProfile = async (workDir: string, browserPid: number): Promise<void> => {
  const command = await readFile(`/proc/${browserPid}/cmdline`, 'utf8').catch(() => '');
  const profile = command
    .split('\0')
    .find((word) => word.startsWith('--user-data-dir='))
    ?.slice('--user-data-dir='.length);
  if (profile) await writeFile(join(workDir, PROFILE_NOTE), profile);
};

/** Removes the folder and the profile noted in it; files a dying browser still writes are removed in a second try. */
export const removeWorkDir = async (folder: string): Promise<void> => {
  const thorough = { recursive: true, force: true, maxRetries: 5, retryDelay: 50 } as const;
  const profile = await readFile(join(folder, PROFILE_NOTE), 'utf8').catch(() => '');
  if (dirname(profile) === tmpdir() && PROFILE.test(basename(profile))) await rm(profile, thorough);
  await rm(folder, thorough);
};

/** Removes what processes that are gone left behind. */
export const sweepWorkDirs = async (): Promise<void> => {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(OURS.exec(name)?.[1] ?? 0);
    if (pid === 0 || isRunning(pid)) continue;
    await removeWorkDir(join(tmpdir(), name));
  }
};
