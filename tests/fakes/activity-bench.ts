import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { createConversation } from '../../activities/conversation.ts';
import type { Conversation } from '../../activities/conversation.ts';
import type { Phase } from '../../contracts/names.ts';
import { TraceEvent } from '../../contracts/trace-event.ts';
import { createArtifactStore } from '../../platform/artifacts.ts';
import type { ArtifactStore } from '../../platform/artifacts.ts';
import { createLog } from '../../platform/log.ts';
import { createMetrics } from '../../platform/metrics.ts';
import { createScrub } from '../../platform/secrets.ts';
import { createTraceLog, readTraceLines, traceFiles } from '../../platform/trace-log.ts';
import type { TraceLog } from '../../platform/trace-log.ts';

/** What one worker process gives its activities. */
export interface BenchWorker {
  conversation: Conversation;
  traceLog: TraceLog;
}

/** A disk on which activities run outside of Temporal, as in as many worker processes as a test wants. */
export interface ActivityBench {
  readonly artifacts: ArtifactStore;
  /** A worker of its own on this disk; `secrets` are what its settings hold. */
  worker(secrets?: string[]): BenchWorker;
  /** Every trace line of this phase, by whichever worker, oldest first. */
  traced(phase: Phase): TraceEvent[];
  close(): void;
}

export const openActivityBench = (): ActivityBench => {
  const dir = mkdtempSync(join(tmpdir(), 'dual-activity-'));
  const artifacts = createArtifactStore(join(dir, 'artifacts'));
  const traces = join(dir, 'traces');
  const open: TraceLog[] = [];
  return {
    artifacts,
    worker: (secrets = []) => {
      const scrub = createScrub(secrets);
      const log = createLog('test', scrub, 'silent');
      // The day and the number in the name order the files, and so the lines, by worker.
      const process_ = `worker-${String(open.length).padStart(3, '0')}`;
      const traceLog = createTraceLog({
        dir: traces,
        process: process_,
        metrics: createMetrics('test', '0'),
        log,
        scrub,
      });
      open.push(traceLog);
      return { conversation: createConversation({ artifacts, scrub }), traceLog };
    },
    traced: (phase) =>
      traceFiles(traces)
        .flatMap((file) => readTraceLines(file, 0).lines)
        .map((line) => TraceEvent.parse(JSON.parse(line)))
        .filter((event) => event.phase === phase),
    close: () => {
      for (const traceLog of open) traceLog.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
};

/** The nth attempt of an activity; Temporal's own lines about failed ones are left out. */
export const attempt = (n: number): MockActivityEnvironment =>
  new MockActivityEnvironment({ attempt: n }, { logger: new DefaultLogger('ERROR') });

/** What an activity failed with, as Temporal hears it. @throws when it did not fail, or with something else. */
export const failureOf = async (run: Promise<unknown>): Promise<ApplicationFailure> => {
  const error = await run.then(
    () => new Error('it did not fail'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ApplicationFailure)) throw error;
  return error;
};
