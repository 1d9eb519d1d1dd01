import type {
  BatchResult,
  ClosedSession,
  CloseRequest,
  Control,
  Environment,
  OpenedSession,
  OpenRequest,
  ToolBatch,
  VerifyRequest,
} from '../../activities/environment.ts';
import type { ToolCall, ToolResult } from '../../activities/models/model.ts';
import type { EnvironmentName } from '../../contracts/names.ts';
import { toolResult } from './turn-request.ts';

/** One request to the environment, and what it was driven with. */
export interface Asked<T> {
  request: T;
  control: Control;
}

/** What the environment answers; each may be replaced, or throw. */
export interface EnvironmentScript {
  name?: EnvironmentName;
  owner?: string;
  /** The result of one call; null: it is left out of the batch's results. */
  call?(call: ToolCall, control: Control): ToolResult | null | Promise<ToolResult | null>;
  /** The last word on a batch's results, e.g. their order. */
  results?(results: ToolResult[]): ToolResult[];
  checkpoint?: string | null;
  open?(request: OpenRequest, control: Control): OpenedSession | Promise<OpenedSession>;
  verify?(request: VerifyRequest): Awaited<ReturnType<Environment['verify']>>;
  close?(request: CloseRequest): ClosedSession;
}

export interface RecordingEnvironment extends Environment {
  readonly opened: Asked<OpenRequest>[];
  readonly batches: Asked<ToolBatch>[];
  readonly verified: Asked<VerifyRequest>[];
  readonly closed: Asked<CloseRequest>[];
  /** Every call that reached a tool, in order. */
  calls(): ToolCall[];
}

/** An environment that does nothing but keep what it was asked, and answers as its script says. */
export const recordingEnvironment = (script: EnvironmentScript = {}): RecordingEnvironment => {
  const opened: Asked<OpenRequest>[] = [];
  const batches: Asked<ToolBatch>[] = [];
  const verified: Asked<VerifyRequest>[] = [];
  const closed: Asked<CloseRequest>[] = [];
  const answer = (call: ToolCall): ToolResult => toolResult(call.id, `ran ${call.id}`, { name: call.name });
  return {
    name: script.name ?? 'coding',
    owner: script.owner ?? 'test-owner',
    capacity: 2,
    opened,
    batches,
    verified,
    closed,
    calls: () => batches.flatMap(({ request }) => request.calls),
    open: async (request, control) => {
      opened.push({ request, control });
      return (await script.open?.(request, control)) ?? { sessionId: 'session-1', checkpoint: null };
    },
    runTools: async (request, control): Promise<BatchResult> => {
      batches.push({ request, control });
      const results: ToolResult[] = [];
      for (const call of request.calls) {
        const result = script.call ? await script.call(call, control) : answer(call);
        if (result) results.push(result);
      }
      return { checkpoint: script.checkpoint ?? null, results: script.results?.(results) ?? results };
    },
    verify: async (request, control) => {
      verified.push({ request, control });
      return script.verify?.(request) ?? null;
    },
    close: async (request, control) => {
      closed.push({ request, control });
      return script.close?.(request) ?? { artifacts: [], branch: null, commit: null };
    },
    dispose: () => Promise.resolve(),
  };
};
