import { MAX_JOBS_PER_TASK } from '../contracts/names.ts';
import type { AcceptedReply, ClarifyReply, FinalReply } from '../contracts/replies.ts';
import type { TraceEventDraft } from '../contracts/trace-event.ts';
import type { Transcript } from '../contracts/transcript.ts';
import { OperationError } from '../platform/errors.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { TraceLog } from '../platform/trace-log.ts';
import type { Registry } from '../skills/registry.ts';
import type { RouteResult, Router } from '../skills/routing/router.ts';
import type { Target } from '../skills/targets.ts';
import { answerClause, openClause, questionFor, refusesQuestion } from './clarify.ts';
import { answersQuestion } from './control.ts';
import type { Control } from './control.ts';
import type { Dispatch, Dispatched, DispatchOrder } from './dispatch-task.ts';
import { bodyHashOf, MAX_AGE_MS, timestampMs, traceIdOf } from './identity.ts';
import type { Parked, ParkedTranscripts } from './parked.ts';
import { ProblemError } from './problems.ts';
import { conflict } from './remembered.ts';
import type { Remembered } from './remembered.ts';
import type { SessionOrder } from './session-order.ts';
import { EngineUnavailable } from './task-engine.ts';

/** A final transcript, or a task posted as one. */
export type Submission = Omit<Transcript, 'is_final'> & {
  /** What the caller tells the agents besides. */
  context?: string | undefined;
  metadata?: Record<string, string> | undefined;
};

export interface SubmitDeps {
  dispatch: Dispatch;
  router: Router;
  registry: Pick<Registry, 'current'>;
  /** The sites answers may name. */
  targets: readonly Target[];
  trace: Pick<TraceLog, 'write'>;
  metrics: Pick<Metrics, 'transcripts' | 'routerDecisions' | 'routerSeconds'>;
  remembered: Remembered;
  parked: ParkedTranscripts;
  order: SessionOrder;
  control: Control;
}

export interface SubmitTranscript {
  /** Durable before it resolves with `accepted`. @throws ProblemError, EngineUnavailable */
  final(submission: Submission): Promise<FinalReply>;
  /** Traced; starts nothing. */
  partial(transcript: Transcript): void;
}

/** One final on its way: who said it, what the router made of it. */
interface Heard {
  said: Submission;
  sessionId: string | null;
  traceId: string;
  bodyHash: string;
  receivedAt: string;
  route: RouteResult;
}

export const createSubmitTranscript = (deps: SubmitDeps): SubmitTranscript => {
  const { parked, remembered, registry } = deps;

  /** Written when it is known that this is no repetition: nothing of a trace may happen after its end. */
  const record = (heard: Heard, traceId: string, last: TraceEventDraft[]): void => {
    const { said, route } = heard;
    const { context: _context, ...payload } = said;
    const key = keyOf(heard, traceId);
    deps.trace.write({
      trace_id: traceId,
      phase: 'received',
      ts: heard.receivedAt,
      payload: { ...payload },
      ...key,
    });
    deps.trace.write({
      trace_id: traceId,
      phase: 'routed',
      duration_ms: route.latency_ms,
      ...boughtBy(route),
      payload: { ...route },
      ...key,
    });
    for (const draft of last) deps.trace.write(draft);
  };

  const noted = (heard: Heard, reply: Exclude<FinalReply, AcceptedReply>, utterance = heard.said.text): FinalReply => {
    const { trace_id: traceId } = reply;
    record(heard, traceId, [
      { trace_id: traceId, phase: reply.status, payload: { utterance, ...reply }, ...keyOf(heard, traceId) },
    ]);
    remembered.note(reply, utterance);
    return reply;
  };

  /** What an earlier life of the gateway accepted under this id, when routing would now say something else. */
  const acceptedBefore = async (heard: Heard): Promise<FinalReply | null> => {
    if (heard.said.utterance_id === undefined) return null;
    return deps.dispatch.earlier(heard.traceId, heard.bodyHash).catch((error: unknown) => {
      if (error instanceof EngineUnavailable) return null;
      throw error;
    });
  };

  const dispatch = async (
    heard: Heard,
    order: Omit<DispatchOrder, 'sessionId' | 'routerVersion'>,
  ): Promise<FinalReply> => {
    const { traceId, clauses } = order;
    if (clauses.length > MAX_JOBS_PER_TASK)
      return noted(heard, {
        status: 'clarify',
        trace_id: traceId,
        question: `Those are ${clauses.length} orders, and at most ${MAX_JOBS_PER_TASK} go at once. Which ones come first?`,
        candidates: [],
        missing: [],
      });
    const { sessionId, route } = heard;
    let dispatched: Dispatched;
    try {
      dispatched = await deps.dispatch.start({ ...order, sessionId, routerVersion: route.router_version });
    } catch (error) {
      // A skill that was taken away between routing and dispatch, or an address that may not be opened.
      if (!(error instanceof OperationError && (error.type === 'NotFound' || error.type === 'Forbidden'))) throw error;
      const before = traceId === heard.traceId ? await acceptedBefore(heard) : null;
      return before ?? noted(heard, { status: 'declined', trace_id: traceId, reason: error.message }, order.utterance);
    }
    const { reply, submitted } = dispatched;
    if (submitted) {
      record(heard, traceId, submitted);
      deps.control.started(sessionId, traceId);
    }
    return reply;
  };

  const ask = async (heard: Heard, waiting: Omit<Parked, 'session_id'>, reply: ClarifyReply): Promise<FinalReply> => {
    if (heard.sessionId !== null) await parked.park({ ...waiting, session_id: heard.sessionId });
    return noted(heard, reply, waiting.utterance);
  };

  /** The parked transcript, if this is an answer to its question; null when it is a sentence of its own. */
  const complete = async (heard: Heard): Promise<FinalReply | null> => {
    const waiting = heard.sessionId === null ? null : parked.of(heard.sessionId);
    if (!waiting || heard.sessionId === null) return null;
    if (heard.route.decision === 'control' && !answersQuestion(heard.route.control, heard.said.text, waiting))
      return null;
    const before = await acceptedBefore(heard);
    if (before) return before;
    const snapshot = registry.current();
    const clauses = answerClause(waiting.route.clauses, heard.said.text, heard.route, snapshot, {
      targets: deps.targets,
    });
    if (!clauses) {
      // A new order or a plain no ends the old question; small talk does not.
      const refused = refusesQuestion(waiting.route.clauses, heard.said.text, snapshot);
      if (heard.route.decision === 'dispatch' || refused) await parked.settle(heard.sessionId);
      return null;
    }
    const open = openClause(clauses);
    if (open) {
      const again = { ...waiting, route: { ...waiting.route, clauses } };
      return ask(heard, again, questionFor(waiting.trace_id, open.clause, snapshot));
    }
    const reply = await dispatch(heard, {
      traceId: waiting.trace_id,
      utterance: waiting.utterance,
      bodyHash: waiting.body_hash,
      clauses,
      context: waiting.context,
    });
    const { utterance_id: utteranceId } = heard.said;
    await parked.settle(
      heard.sessionId,
      reply.status === 'accepted' && utteranceId !== undefined
        ? { utteranceId, bodyHash: heard.bodyHash, reply }
        : undefined,
    );
    return reply;
  };

  const decide = async (heard: Heard): Promise<FinalReply> => {
    const { route, traceId, said } = heard;
    const completed = await complete(heard);
    if (completed) return completed;
    const order = { traceId, utterance: said.text, bodyHash: heard.bodyHash, context: said.context ?? '' };
    if (route.decision === 'dispatch') return dispatch(heard, { ...order, clauses: route.clauses });
    const before = await acceptedBefore(heard);
    if (before) return before;
    switch (route.decision) {
      case 'decline':
        return noted(heard, { status: 'declined', trace_id: traceId, reason: reasonOf(said.text, route) });
      case 'control':
        return noted(
          heard,
          await deps.control.perform(route.control ?? { action: 'none', target: null }, {
            sessionId: heard.sessionId,
            traceId,
            saidAtMs: said.timestamp === undefined ? undefined : timestampMs(said.timestamp),
          }),
        );
      case 'clarify': {
        const open = openClause(route.clauses);
        if (!open) return noted(heard, { status: 'declined', trace_id: traceId, reason: reasonOf(said.text, route) });
        const waiting = {
          trace_id: traceId,
          utterance: said.text,
          body_hash: heard.bodyHash,
          route,
          context: said.context ?? '',
        };
        return ask(heard, waiting, questionFor(traceId, open.clause, registry.current()));
      }
    }
  };

  const hear = async (said: Submission, traceId: string, bodyHash: string, receivedAt: string): Promise<FinalReply> => {
    const started = performance.now();
    const route = await deps.router.route(said.text);
    deps.metrics.routerSeconds.observe((performance.now() - started) / 1_000);
    deps.metrics.routerDecisions.inc({ decision: route.decision });
    return decide({ said, sessionId: said.session_id ?? null, traceId, bodyHash, receivedAt, route });
  };

  return {
    final: async (said) => {
      deps.metrics.transcripts.inc({ kind: 'final' });
      if (said.timestamp !== undefined && Date.now() - timestampMs(said.timestamp) > MAX_AGE_MS)
        throw new ProblemError('too-old', 'its run may be forgotten, and it must not start again; say it anew');
      const receivedAt = new Date().toISOString();
      const { utterance_id: utteranceId, session_id: sessionId, sequence } = said;
      const traceId = traceIdOf(utteranceId);
      const bodyHash = bodyHashOf(said.text, sessionId);
      const make = (): Promise<FinalReply> => {
        const work = (): Promise<FinalReply> => hear(said, traceId, bodyHash, receivedAt);
        return sessionId === undefined ? work() : deps.order.run(sessionId, sequence, work);
      };
      if (utteranceId === undefined) return make();
      const answered = parked.answered(utteranceId);
      if (answered) {
        if (answered.bodyHash !== bodyHash) throw conflict();
        return answered.reply;
      }
      return remembered.once(utteranceId, bodyHash, make);
    },
    partial: (transcript) => {
      deps.metrics.transcripts.inc({ kind: 'partial' });
      const { utterance_id: utteranceId, session_id: sessionId, sequence, revision, text } = transcript;
      if (sessionId !== undefined && sequence !== undefined && revision === undefined)
        deps.order.pass(sessionId, sequence);
      // One that comes behind its final says nothing new, and nothing of a trace may happen after its end.
      if (utteranceId !== undefined && remembered.knows(utteranceId)) return;
      deps.trace.write({
        trace_id: traceIdOf(utteranceId),
        phase: 'partial',
        key: `${sequence ?? ''}|${revision ?? ''}|${bodyHashOf(text, sessionId)}`,
        payload: { ...transcript },
      });
    },
  };
};

/** Events of an answer stand beside those of the sentence it completes. */
const keyOf = (heard: Heard, traceId: string): { key?: string } =>
  traceId === heard.traceId ? {} : { key: `answer-${heard.traceId}` };

/** What a second opinion cost, where one was asked for. */
const boughtBy = ({ second_opinion: opinion }: RouteResult): Partial<TraceEventDraft> =>
  opinion
    ? {
        provider: opinion.provider,
        model: opinion.model,
        input_tokens: opinion.input_tokens,
        output_tokens: opinion.output_tokens,
        cache_read_tokens: opinion.cache_read_tokens,
        cache_write_tokens: opinion.cache_write_tokens,
        cost_usd: opinion.cost_usd,
        cost_source: opinion.cost_source,
        price_version: opinion.price_version,
      }
    : {};

const reasonOf = (text: string, route: RouteResult): string =>
  text.trim() === '' ? 'nothing was said' : (route.clauses[0]?.reason ?? 'not an order');
