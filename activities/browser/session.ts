import { z } from 'zod';
import type { ArtifactRef } from '../../contracts/task.ts';
import type { ArtifactStore } from '../../platform/artifacts.ts';
import { messageOf, OperationError } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import type { BatchResult, ClosedSession, Control, ToolBatch } from '../environment.ts';
import type { ToolCall, ToolResult } from '../models/model.ts';
import { plainHost } from '../../platform/addresses.ts';
import type { AllowList } from './allow-list.ts';
import type { Claims } from './claims.ts';
import { inTime } from './deadline.ts';
import type { Egress, EgressProblem } from './egress.ts';
import { createFence } from './fence.ts';
import { addressOf, shortUrl } from './navigate.ts';
import type { BrowserWindow } from './page.ts';
import { runCall } from './run-call.ts';
import type { Workbench } from './run-call.ts';
import { storeEvidence, storeTrace } from './evidence.ts';
import type { Picture } from './evidence.ts';

/** A batch ends well before the activity's own time is up (15 minutes); what is left is told to ask again. */
const BATCH_LIMIT_MS = 300_000;
const CHECKPOINT_LIMIT_MS = 4_000;
/** Calls that are recorded for trace.zip; each adds a copy of the page. */
const RECORDED_CALLS = 200;
/** Pictures listed in the manifest; a job of 500 turns with more is still covered by its pages. */
const MAX_PICTURES = 1_000;

export const Checkpoint = z.object({
  v: z.literal(1),
  kind: z.literal('browser'),
  url: z.string(),
  storage_state: z.looseObject({}),
});
export type Checkpoint = z.infer<typeof Checkpoint>;

export interface Session {
  readonly id: string;
  readonly jobId: string;
  readonly generation: number;
  /** Milliseconds of `now` when it was last used. */
  lastUsed(): number;
  /** The artifact that describes the state now. */
  checkpoint(signal: AbortSignal): Promise<string>;
  runTools(batch: ToolBatch, control: Control): Promise<BatchResult>;
  /** Ends everything and stores what was seen. Repeatable: the second caller gets the first one's answer. */
  close(): Promise<ClosedSession>;
  /** The browser is gone: nothing can be done here any more, but what was seen can still be stored. Repeatable. */
  lose(): Promise<void>;
}

export interface SessionOptions {
  id: string;
  jobId: string;
  generation: number;
  window: BrowserWindow;
  egress: Egress;
  /** The state it was opened with. */
  initial: Checkpoint;
  /** What the proxy did not reach, newest last; bounded by whoever fills it. */
  problems: readonly EgressProblem[];
  allow: AllowList;
  artifacts: ArtifactStore;
  claims: Claims;
  log: Log;
  now: () => number;
  /** Called once, when the session holds no window any more. */
  onEnd: () => void;
}

export const createSession = (options: SessionOptions): Session => {
  const { window, allow, artifacts, claims, log, now } = options;
  const fence = createFence();
  const pictures: Picture[] = [];
  let picturesLost = 0;
  let used = now();
  let lastCheckpoint: string | null = null;
  let lost = false;
  let callsRecorded = 0;
  let trace: Promise<ArtifactRef | null> | null = null;
  let closing: Promise<ClosedSession> | null = null;
  /** Results of the newest turn, so that a retried batch goes on where the last attempt stopped. */
  let finished: { turn: number; results: Map<string, ToolResult> } = { turn: -1, results: new Map() };

  const problemOf = (url: string): string | null => {
    const { hostname, port, protocol } = new URL(url);
    const at = Number(port || (protocol === 'https:' ? 443 : 80));
    return (
      options.problems.findLast((problem) => problem.port === at && plainHost(hostname) === problem.host)?.reason ??
      null
    );
  };

  const storeState = async (state: { [K in keyof Checkpoint]: unknown }): Promise<string> =>
    (await artifacts.put(JSON.stringify(state), { name: 'checkpoint.json', mediaType: 'application/json' })).sha256;

  const checkpoint = async (signal: AbortSignal): Promise<string> => {
    try {
      const storage_state = await inTime(CHECKPOINT_LIMIT_MS, signal, () => window.storageState());
      lastCheckpoint = await storeState({ v: 1, kind: 'browser', url: window.url(), storage_state });
    } catch (error) {
      signal.throwIfAborted();
      if (lost) throw error;
      lastCheckpoint ??= await storeState(options.initial);
      log.warn({ sessionId: options.id, reason: messageOf(error) }, 'no new browser checkpoint; the last one stays');
    }
    return lastCheckpoint;
  };

  const runBatch = async (batch: ToolBatch, control: Control, signal: AbortSignal): Promise<BatchResult> => {
    if (finished.turn !== batch.turn) finished = { turn: batch.turn, results: new Map() };
    const { results: known } = finished;
    const bench: Workbench = {
      hands: { window, allow, signal, problemOf },
      claims,
      artifacts,
      pictured: (key, summary, sha256) => {
        if (pictures.length < MAX_PICTURES)
          pictures.push({ turn: key.turn, call_id: key.callId, summary, url: shortUrl(window.url()), sha256 });
        else picturesLost += 1;
      },
    };
    const started = performance.now();
    const results: ToolResult[] = [];
    for (const call of batch.calls) {
      signal.throwIfAborted();
      const before = known.get(call.id);
      if (before) {
        results.push(before);
        continue;
      }
      if (performance.now() - started > BATCH_LIMIT_MS) {
        results.push(tooLate(call, shortUrl(window.url())));
        continue;
      }
      const confirmed = batch.confirmed.includes(call.id);
      const result = await runCall(bench, { jobId: batch.jobId, turn: batch.turn, callId: call.id }, call, confirmed);
      known.set(call.id, result);
      callsRecorded += 1;
      if (callsRecorded === RECORDED_CALLS) trace = storeTrace(window, artifacts).catch(() => null);
      results.push(result);
      control.progress(result.summary);
    }
    return { checkpoint: await checkpoint(signal), results };
  };

  return {
    id: options.id,
    jobId: options.jobId,
    generation: options.generation,
    lastUsed: () => used,
    checkpoint,
    runTools: async (batch, control) => {
      if (lost) throw new OperationError('SessionLost', 'the browser of this session is gone');
      used = now();
      const order = { turn: batch.turn, attempt: control.attempt };
      try {
        return await fence.run(order, control.signal, (signal) => runBatch(batch, control, signal));
      } catch (error) {
        control.signal.throwIfAborted();
        if (lost) throw new OperationError('SessionLost', 'the browser of this session is gone', { cause: error });
        throw error;
      } finally {
        used = now();
      }
    },
    lose: async () => {
      if (lost) return;
      lost = true;
      options.onEnd();
      await Promise.all([fence.shut(), options.egress.close()]);
    },
    close: () => {
      closing ??= (async () => {
        await fence.shut();
        try {
          return await storeEvidence({
            trace: () => trace ?? (lost ? Promise.resolve(null) : storeTrace(window, artifacts)),
            observations: window.observations,
            pictures,
            picturesLost,
            problems: options.problems,
            artifacts,
            log,
          });
        } finally {
          await window.close();
          await options.egress.close();
          if (!lost) options.onEnd();
          lost = true;
        }
      })();
      return closing;
    },
  };
};

const tooLate = (call: ToolCall, url: string): ToolResult => ({
  call_id: call.id,
  name: call.name,
  content: [{ type: 'text', text: 'Not done: the calls before it took too long. Ask for fewer at once.' }],
  is_error: true,
  unknown: false,
  summary: 'not done: the calls before it took too long',
  url,
  confirmed: false,
});

/** Where a checkpoint leads, if this job may go there. */
export const startOf = (checkpoint: Checkpoint | null, allow: AllowList): string | null => {
  const url = checkpoint ? addressOf(checkpoint.url, 'about:blank', allow) : null;
  return url && allow.permits(url) ? url.href : (allow.targets[0] ?? null);
};
