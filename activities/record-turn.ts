import { Context } from '@temporalio/activity';
import type { ModelTurnInput } from '../contracts/activities.ts';
import type { Provider } from '../contracts/agent.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { PriceBook } from '../platform/prices.ts';
import { previewBytes } from '../platform/text.ts';
import type { TraceLog } from '../platform/trace-log.ts';
import type { AnsweredTurn } from './turn-store.ts';

/** Which attempt of which run is at work; goes into every event. */
export interface AttemptFacts {
  attempt: number;
  workflow_id: string | null;
  run_id: string | null;
}

/** Of the activity that is running now. */
export const attemptFacts = (): AttemptFacts => {
  const { attempt, workflowExecution } = Context.current().info;
  return { attempt, workflow_id: workflowExecution?.workflowId ?? null, run_id: workflowExecution?.runId ?? null };
};

/** OpenTelemetry's names of the providers ("gen_ai.provider.name"). */
const OTEL_PROVIDER: Readonly<Record<Provider, string>> = { anthropic: 'anthropic', gemini: 'gcp.gemini' };

/** Bytes of the model's words in a trace event. */
const TEXT_SHOWN = 400;

const identityOf = (input: ModelTurnInput, facts: AttemptFacts) => ({
  trace_id: input.trace_id,
  job_id: input.job_id,
  agent: input.agent,
  skill: input.skill,
  ...facts,
});

/** Once per job, whoever starts its first turn. */
export const recordRunning = (
  traceLog: TraceLog,
  input: ModelTurnInput,
  facts: AttemptFacts,
  rehearsal: boolean,
): void => {
  traceLog.write({ ...identityOf(input, facts), phase: 'running', key: 'running', payload: { rehearsal } });
};

/**
 * The event of an answered turn. A later attempt that finds the answer writes it again: the same event to whoever
 * reads, and not lost when the first attempt died between keeping the answer and telling of it.
 */
export const recordTurn = (
  traceLog: TraceLog,
  input: ModelTurnInput,
  facts: AttemptFacts,
  turn: AnsweredTurn,
): void => {
  const { output, usage } = turn;
  traceLog.write({
    ...identityOf(input, facts),
    phase: 'model_turn',
    key: String(input.turn),
    provider: output.provider,
    model: turn.requestModel,
    input_tokens: usage.input_tokens,
    output_tokens: usage.output_tokens,
    cache_read_tokens: usage.cache_read_tokens,
    cache_write_tokens: usage.cache_write_tokens,
    cost_usd: output.cost_usd,
    cost_source: output.cost_source,
    price_version: turn.priceVersion,
    duration_ms: turn.durationMs,
    payload: {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': OTEL_PROVIDER[output.provider],
      'gen_ai.request.model': turn.requestModel,
      'gen_ai.request.max_tokens': turn.maxTokens,
      'gen_ai.response.model': output.model,
      'gen_ai.response.finish_reasons': [turn.stopReason],
      'gen_ai.usage.input_tokens': usage.input_tokens,
      'gen_ai.usage.output_tokens': usage.output_tokens,
      'gen_ai.usage.cache_read.input_tokens': usage.cache_read_tokens,
      'gen_ai.usage.cache_write.input_tokens': usage.cache_write_tokens,
      'gen_ai.usage.reasoning.output_tokens': usage.thinking_tokens,
      turn: input.turn,
      stop: output.stop,
      text: previewBytes(output.text, TEXT_SHOWN),
      tool_calls: output.tool_calls.map((call) => call.summary),
      rehearsal: output.rehearsal,
      uncertain_requests: turn.uncertainRequests,
    },
  });
};

/**
 * Counts what was bought. `input` is the whole prompt and `output` holds thinking; `cache_read`, `cache_write` and
 * `thinking` say what part of them. Models without a price are counted as `other`: names from outside are no labels.
 */
export const countTurn = (metrics: Metrics, prices: PriceBook, agent: string, turn: AnsweredTurn): void => {
  const model = prices.knows(turn.requestModel) ? turn.requestModel : 'other';
  const { usage, output } = turn;
  metrics.tokens.inc({ agent, model, type: 'input' }, usage.input_tokens);
  metrics.tokens.inc({ agent, model, type: 'output' }, usage.output_tokens);
  metrics.tokens.inc({ agent, model, type: 'cache_read' }, usage.cache_read_tokens);
  metrics.tokens.inc({ agent, model, type: 'cache_write' }, usage.cache_write_tokens);
  metrics.tokens.inc({ agent, model, type: 'thinking' }, usage.thinking_tokens);
  if (output.cost_usd !== null) metrics.costUsd.inc({ agent, model }, output.cost_usd);
};
