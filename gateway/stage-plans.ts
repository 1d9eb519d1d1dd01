import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sha256Of, stageArtifact } from '../platform/artifacts.ts';
import { messageOf } from '../platform/errors.ts';
import { ProblemError } from './problems.ts';

/** Plans whose hash is remembered as stored; the one unused longest goes first. */
const REMEMBERED = 1_000;

/** A plan that workers can read; it is durable when `durable` resolves. */
export interface StagedPlan {
  sha256: string;
  durable: Promise<void>;
}

/** Stores a plan. @throws ProblemError storage-unavailable, also through `durable`. */
export type StagePlan = (json: string) => StagedPlan;

const unavailable = (error: unknown): ProblemError =>
  new ProblemError('storage-unavailable', `a plan cannot be stored: ${messageOf(error)}`, {
    retryAfterS: 5,
    cause: error,
  });

/** Into the artifact store of `dir`; a sentence said again makes the same plan, which is not written again. */
export const createStagePlan = (dir: string): StagePlan => {
  const stored = new Map<string, Promise<void>>();
  return (json) => {
    const sha256 = sha256Of(json);
    const known = stored.get(sha256);
    if (known && existsSync(join(dir, sha256.slice(0, 2), sha256))) {
      stored.delete(sha256);
      stored.set(sha256, known);
      return { sha256, durable: known };
    }
    let durable: Promise<void>;
    try {
      durable = stageArtifact(dir, json).durable.catch((error: unknown) => {
        stored.delete(sha256);
        throw unavailable(error);
      });
    } catch (error) {
      throw unavailable(error);
    }
    durable.catch(() => undefined); // whoever waits for it is told
    stored.set(sha256, durable);
    for (const oldest of stored.keys()) {
      if (stored.size <= REMEMBERED) break;
      stored.delete(oldest);
    }
    return { sha256, durable };
  };
};
