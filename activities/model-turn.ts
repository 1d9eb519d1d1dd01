import type { Activities, ModelTurnInput, ModelTurnOutput, TurnStop } from '../contracts/activities.ts';
import type { CostSource } from '../contracts/names.ts';
import type { ArtifactRef } from '../contracts/task.ts';
import type { ArtifactStore } from '../platform/artifacts.ts';
import { OperationError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { PriceBook } from '../platform/prices.ts';
import type { Scrub } from '../platform/secrets.ts';
import { previewBytes } from '../platform/text.ts';
import type { TraceLog } from '../platform/trace-log.ts';
import { briefCalls, closeCalls, reportIn, withUniqueIds } from './answer-calls.ts';
import type { Conversation } from './conversation.ts';
import type { Control } from './environment.ts';
import { ModelError } from './models/model.ts';
import type { Entry, Models, TurnReply } from './models/model.ts';
import { newEntries, reportName } from './new-entries.ts';
import type { ReadPlan } from './plans.ts';
import { attemptFacts, countTurn, recordRunning, recordTurn } from './record-turn.ts';
import { runActivity } from './run-activity.ts';
import { TOOL_DEFINITIONS } from './tool-definitions.ts';
import { createTurnStore, turnKey } from './turn-store.ts';
import type { AnsweredTurn, TurnStore } from './turn-store.ts';

export interface ModelTurnDependencies {
  models: Models;
  artifacts: ArtifactStore;
  readPlan: ReadPlan;
  conversation: Conversation;
  prices: PriceBook;
  traceLog: TraceLog;
  metrics: Metrics;
  log: Log;
  scrub: Scrub;
}

type Assistant = Extract<Entry, { role: 'assistant' }>;

/** Bytes of the model's words that travel in the history. */
const MAX_TEXT_BYTES = 2_000;

const priceOf = (
  deps: ModelTurnDependencies,
  requestModel: string,
  reply: TurnReply,
  rehearsal: boolean,
  uncertainRequests: number,
): { cost: number | null; source: CostSource } => {
  const cost = rehearsal
    ? 0
    : (deps.prices.cost(requestModel, reply.usage) ?? deps.prices.cost(reply.model, reply.usage));
  if (cost === null) return { cost, source: 'unknown' };
  return { cost, source: uncertainRequests > 0 ? 'uncertain' : rehearsal ? 'rehearsal' : 'priced' };
};

/** Asks the provider once. What certainly cost nothing is taken off the list of open requests. */
const ask = async (turns: TurnStore, key: string, request: () => Promise<TurnReply>): Promise<TurnReply> => {
  try {
    return await request();
  } catch (error) {
    // A note that cannot be taken back leaves the turn marked uncertain: too careful, not wrong.
    if (error instanceof ModelError && !error.mayBeBilled) await turns.settle(key).catch(() => undefined);
    throw error;
  }
};

const buy = async (
  deps: ModelTurnDependencies,
  turns: TurnStore,
  key: string,
  input: ModelTurnInput,
  control: Control,
): Promise<AnsweredTurn> => {
  const plan = await deps.readPlan(input.plan);
  const { agent } = plan;
  const { model, defaultModel, rehearsal } = deps.models.of(agent.model.provider);
  const requestModel = agent.model.name ?? defaultModel;
  refuseUnpriced(deps, requestModel, { allowed: input.allow_unpriced || rehearsal });

  const past = await deps.conversation.read(input.head);
  const added = await newEntries(deps, input, plan, past);
  const uncertainRequests = await turns.intend(key);
  const started = performance.now();
  control.progress(`turn ${input.turn}: ${requestModel} answers`);
  const reply = await ask(turns, key, () =>
    model.turn(
      {
        model: requestModel,
        instructions: plan.instructions,
        tools: agent.tools.flatMap((set) => TOOL_DEFINITIONS[set]),
        entries: [...past, ...added],
        maxOutputTokens: agent.model.max_output_tokens,
        loadImage: (sha256) => deps.artifacts.get(sha256),
      },
      control.signal,
    ),
  );
  const durationMs = performance.now() - started;

  const [entry] = deps.conversation.scrub([
    { ...reply.entry, tool_calls: withUniqueIds(reply.entry.tool_calls, past, input.turn) },
  ]) as [Assistant];
  const report = reportIn(entry, reply.stop);
  const stop: TurnStop = report === null ? reply.stop : 'end';
  const unanswered =
    stop === 'tools'
      ? []
      : closeCalls(
          entry.tool_calls,
          stop === 'end' ? 'Received.' : 'Not run: the answer could not be used.',
          stop !== 'end',
        );
  const [head, reportRef] = await Promise.all([
    deps.conversation.append(input.head, [...added, entry, ...unanswered]),
    report === null ? null : storeReport(deps, input.job_id, report),
  ]);

  const price = priceOf(deps, requestModel, reply, rehearsal, uncertainRequests);
  return {
    output: {
      head,
      text: previewBytes(report ?? entry.text, MAX_TEXT_BYTES),
      report: reportRef,
      tool_calls: stop === 'tools' ? briefCalls(entry.tool_calls) : [],
      stop,
      provider: model.provider,
      model: reply.model,
      input_tokens: reply.usage.input_tokens,
      output_tokens: reply.usage.output_tokens,
      cost_usd: price.cost,
      cost_source: price.source,
      rehearsal,
      reused: false,
    },
    usage: reply.usage,
    requestModel,
    stopReason: reply.stopReason,
    maxTokens: agent.model.max_output_tokens,
    priceVersion: rehearsal || price.cost === null ? null : deps.prices.version,
    durationMs,
    uncertainRequests,
  };
};

/** Two jobs may say the same: the bytes are one artifact under the first job's name, the reference names this one's. */
const storeReport = async (deps: ModelTurnDependencies, jobId: string, report: string): Promise<ArtifactRef> => {
  const about = { name: reportName(jobId), mediaType: 'text/markdown' };
  const stored = await deps.artifacts.put(report.trim() || '(The model ended without a report.)', about);
  return { ...stored, name: about.name, media_type: about.mediaType };
};

/** Money nobody can count is not spent unasked. @throws OperationError BadInput */
const refuseUnpriced = (deps: ModelTurnDependencies, model: string, { allowed }: { allowed: boolean }): void => {
  if (allowed || deps.prices.knows(model)) return;
  throw new OperationError(
    'BadInput',
    `no price is known for the model ${model}: name it in PRICES_FILE, or set ALLOW_UNPRICED=1 to run it all the same`,
  );
};

/**
 * One turn of a job's conversation. An answer that was kept by an earlier attempt is returned and not bought again;
 * otherwise the provider is asked once, and its answer is in the chain and on disk before this resolves.
 */
export const createModelTurn = (deps: ModelTurnDependencies): Activities['modelTurn'] => {
  const turns = createTurnStore(deps.artifacts);
  const run = async (input: ModelTurnInput, control: Control): Promise<ModelTurnOutput> => {
    const facts = attemptFacts();
    if (input.turn === 1) {
      const { agent } = await deps.readPlan(input.plan);
      recordRunning(deps.traceLog, input, facts, deps.models.of(agent.model.provider).rehearsal);
    }
    const key = turnKey(input);
    const kept = await turns.find(key);
    if (kept) {
      recordTurn(deps.traceLog, input, facts, kept);
      return { ...kept.output, reused: true };
    }
    const bought = await buy(deps, turns, key, input, control);
    const answered = await turns.answer(key, bought);
    recordTurn(deps.traceLog, input, facts, answered);
    countTurn(deps.metrics, deps.prices, input.agent, bought);
    return answered.output;
  };
  return (input) => runActivity(deps.scrub, (control) => run(input, control));
};
