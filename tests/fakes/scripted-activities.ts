import { ApplicationFailure, Context } from '@temporalio/activity';
import type {
  Activities,
  CloseSessionInput,
  ModelTurnInput,
  ModelTurnOutput,
  OpenSessionInput,
  RunToolsInput,
  VerifyJobInput,
  VerifyJobOutput,
} from '../../contracts/activities.ts';
import type { TraceEventDraft } from '../../contracts/trace-event.ts';

/** One answer of a scripted model: tool names to call, a final text, or a failure. */
export type Step =
  | { tools: string[]; confirm?: string; costUsd?: number }
  | { end: string; costUsd?: number }
  | { stop: 'cut_off' | 'malformed' | 'refused' }
  | { fail: Error }
  | 'hang';

export interface Script {
  /** Answers by job id, in order; `*` serves every job that has none of its own. */
  turns: Record<string, Step[] | ((input: ModelTurnInput) => Step)>;
  runTools?: (input: RunToolsInput, call: number) => Promise<void> | void;
  verify?: (input: VerifyJobInput) => VerifyJobOutput;
  openSession?: (input: OpenSessionInput, call: number) => Promise<void> | void;
  closeSession?: (input: CloseSessionInput) => Promise<void> | void;
  /** Owner queues by generation; default: the same for all. */
  ownerQueue?: (input: OpenSessionInput) => string;
  commitOf?: (jobId: string) => string | null;
}

export interface Recorded {
  modelTurn: ModelTurnInput[];
  openSession: OpenSessionInput[];
  runTools: RunToolsInput[];
  verifyJob: VerifyJobInput[];
  closeSession: CloseSessionInput[];
  trace: TraceEventDraft[];
}

const hash = (text: string): string => Buffer.from(text).toString('hex').padEnd(64, '0').slice(0, 64);

/** Waits until cancelled, beating like a real activity. */
const hang = async (): Promise<never> => {
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(), 200);
  try {
    return await context.cancelled;
  } finally {
    clearInterval(beat);
  }
};

const replyTo = async (step: Step, input: ModelTurnInput): Promise<ModelTurnOutput> => {
  if (step === 'hang') return hang();
  if ('fail' in step) throw step.fail;
  const base = {
    head: hash(`${input.job_id} turn ${input.turn}`),
    text: '',
    report: null,
    tool_calls: [],
    provider: 'anthropic' as const,
    model: 'scripted',
    input_tokens: 100,
    output_tokens: 10,
    cost_usd: 'costUsd' in step ? (step.costUsd ?? 0) : 0,
    cost_source: 'priced' as const,
    rehearsal: false,
    reused: false,
  };
  if ('stop' in step) return { ...base, stop: step.stop };
  if ('end' in step) return { ...base, text: step.end, stop: 'end' };
  return {
    ...base,
    stop: 'tools',
    tool_calls: step.tools.map((name, at) => ({
      id: `call-${input.turn}-${at}`,
      name,
      summary: `${name} something`,
      confirm: step.confirm ?? null,
    })),
  };
};

/** Activities that follow a script and remember what they were asked. They complain when the script runs out. */
export const scriptedActivities = (script: Script): { activities: Activities; recorded: Recorded } => {
  const recorded: Recorded = {
    modelTurn: [],
    openSession: [],
    runTools: [],
    verifyJob: [],
    closeSession: [],
    trace: [],
  };
  const activities: Activities = {
    modelTurn: async (input) => {
      recorded.modelTurn.push(input);
      const steps = script.turns[input.job_id] ?? script.turns['*'];
      const step = typeof steps === 'function' ? steps(input) : steps?.[input.turn - 1];
      if (!step)
        throw ApplicationFailure.nonRetryable(
          `ScriptedModel: no answer left for turn ${input.turn} of ${input.job_id}`,
          'BadInput',
        );
      return replyTo(step, input);
    },
    openSession: async (input) => {
      recorded.openSession.push(input);
      await script.openSession?.(input, recorded.openSession.length);
      return {
        lease: {
          session_id: `${input.job_id}.${input.generation}`,
          owner_queue: script.ownerQueue?.(input) ?? `dual-${input.environment}-owner`,
          environment: input.environment,
        },
        checkpoint: input.checkpoint ?? hash('base'),
      };
    },
    runTools: async (input) => {
      recorded.runTools.push(input);
      await script.runTools?.(input, recorded.runTools.length);
      return {
        head: hash(`${input.job_id} tools ${input.turn}`),
        checkpoint: hash(`${input.job_id} checkpoint ${input.turn}`),
        failed: 0,
        unknown: 0,
      };
    },
    verifyJob: async (input) => {
      recorded.verifyJob.push(input);
      return (
        script.verify?.(input) ?? {
          verification: { status: 'passed', command: 'npm test', before: null, after: null, rounds: 1 },
          note: '',
        }
      );
    },
    closeSession: async (input) => {
      recorded.closeSession.push(input);
      await script.closeSession?.(input);
      const commit = script.commitOf?.(input.job_id) ?? null;
      return { artifacts: [], branch: commit ? `dual/${input.job_id}` : null, commit };
    },
    recordTrace: async ({ events }) => {
      recorded.trace.push(...events);
    },
  };
  return { activities, recorded };
};

export { hang };
