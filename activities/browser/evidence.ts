import type { ArtifactRef } from '../../contracts/task.ts';
import type { ArtifactStore } from '../../platform/artifacts.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import type { ClosedSession } from '../environment.ts';
import { inTime } from './deadline.ts';
import type { EgressProblem } from './egress.ts';
import type { Observations } from './observations.ts';
import type { BrowserWindow } from './page.ts';

/** One screenshot: which call showed it, and where the browser stood. */
export interface Picture {
  turn: number;
  call_id: string;
  summary: string;
  url: string;
  sha256: string;
}

/** Screenshots among a job's artifacts; all of them are in the manifest. */
export const KEY_SCREENSHOTS = 10;
/** A recording larger than this is not worth its room. */
const MAX_TRACE_BYTES = 64 * 1024 * 1024;
const TRACE_LIMIT_MS = 8_000;

/** Ends the recording and stores it; null when there is none worth keeping. */
export const storeTrace = async (window: BrowserWindow, artifacts: ArtifactStore): Promise<ArtifactRef | null> => {
  const never = new AbortController().signal;
  const bytes = await inTime(TRACE_LIMIT_MS, never, () => window.stopTrace(MAX_TRACE_BYTES));
  return bytes && artifacts.put(bytes, { name: 'trace.zip', mediaType: 'application/zip' });
};

/** The last picture of each page, in the order they were taken; the ten newest of those. */
export const keyPictures = (pictures: readonly Picture[]): Picture[] => {
  const lastOfPage = new Map<string, Picture>();
  for (const picture of pictures) {
    lastOfPage.delete(picture.url);
    lastOfPage.set(picture.url, picture);
  }
  const bySha = new Map([...lastOfPage.values()].map((picture) => [picture.sha256, picture]));
  return [...bySha.values()].slice(-KEY_SCREENSHOTS);
};

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
const JSON_TYPE = 'application/json';

/**
 * What remains of a session: `trace.zip` (for Playwright's trace viewer; absent when the browser died),
 * `findings.json`, `screenshots.json` (all of them) and the key screenshots. What cannot be stored is logged and left
 * out; a close never fails for it.
 */
export const storeEvidence = async (given: {
  /** `storeTrace`, or what it gave earlier. */
  trace: () => Promise<ArtifactRef | null>;
  observations: Observations;
  pictures: readonly Picture[];
  picturesLost: number;
  problems: readonly EgressProblem[];
  artifacts: ArtifactStore;
  log: Log;
}): Promise<ClosedSession> => {
  const { artifacts, log } = given;
  const stored: ArtifactRef[] = [];
  const attempt = async (what: string, work: () => Promise<ArtifactRef | null>): Promise<void> => {
    try {
      const ref = await work();
      if (ref) stored.push(ref);
    } catch (error) {
      log.warn({ what, reason: messageOf(error) }, 'part of a browser session was not stored');
    }
  };
  const { pages, consoleErrors, failedRequests } = given.observations.findings;
  await attempt('findings', () =>
    artifacts.put(
      json({
        v: 1,
        kind: 'browser-findings',
        pages: pages.kept,
        console_errors: consoleErrors.kept,
        failed_requests: failedRequests.kept,
        not_reached: given.problems,
        left_out: { pages: pages.lost, console_errors: consoleErrors.lost, failed_requests: failedRequests.lost },
      }),
      { name: 'findings.json', mediaType: JSON_TYPE },
    ),
  );
  for (const picture of keyPictures(given.pictures))
    await attempt('screenshot', () => artifacts.describe(picture.sha256));
  if (given.pictures.length > 0)
    await attempt('screenshots', () =>
      artifacts.put(json({ v: 1, kind: 'screenshots', screenshots: given.pictures, left_out: given.picturesLost }), {
        name: 'screenshots.json',
        mediaType: JSON_TYPE,
      }),
    );
  await attempt('trace', given.trace);
  return { artifacts: stored, branch: null, commit: null };
};
