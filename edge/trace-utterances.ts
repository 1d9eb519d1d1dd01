import type { TraceEventDraft } from '../contracts/trace-event.ts';
import type { TraceLog } from '../platform/trace-log.ts';
import type { EdgeEvent, EventSink } from './edge-events.ts';
import { traceIdOf } from './utterance.ts';

/** Utterances whose way is remembered until they have text; more than can be open at once, so that none is forgotten. */
const MAX_OPEN = 256;

export interface UtteranceTraceOptions {
  trace: Pick<TraceLog, 'write'>;
  sessionId: string;
  mode: string;
  /** Milliseconds since the epoch; default: the clock. */
  now?: () => number;
}

type EdgePhase = 'captured' | 'speech_start' | 'first_partial' | 'final' | 'spooled' | 'acked';

/** Which events make a line, and which line. */
const PHASE_OF: Partial<Record<EdgeEvent['event'], EdgePhase>> = {
  speech_start: 'speech_start',
  first_partial: 'first_partial',
  final: 'final',
  spooled: 'spooled',
  acked: 'acked',
};

/**
 * Writes the way of each sentence from its onset to the gateway's word, under the trace the gateway gives it. Noise
 * that never became text leaves no trace: its lines are held back until there is a final.
 */
export const createUtteranceTrace = ({ trace, sessionId, mode, now = Date.now }: UtteranceTraceOptions): EventSink => {
  const open = new Map<string, { drafts: TraceEventDraft[]; marks: Map<EdgeEvent['event'], number> }>();

  const lineOf = (phase: EdgePhase, event: EdgeEvent, utteranceId: string, sinceMs?: number): TraceEventDraft => ({
    trace_id: traceIdOf(utteranceId),
    phase,
    ts: new Date(now()).toISOString(),
    ...(sinceMs !== undefined && { duration_ms: Math.max(0, event.atMs - sinceMs) }),
    payload: {
      utterance_id: utteranceId,
      session_id: sessionId,
      mode,
      at_ms: event.atMs,
      audio_ms: event.audioMs,
      ...(event.text !== undefined && { text: event.text }),
    },
  });

  return (event) => {
    const { utteranceId } = event;
    const phase = PHASE_OF[event.event];
    if (utteranceId === null) return;
    if (event.event === 'speech_start') {
      if (open.size >= MAX_OPEN) open.delete(open.keys().next().value ?? '');
      open.set(utteranceId, { drafts: [], marks: new Map() });
    }
    const held = open.get(utteranceId);
    held?.marks.set(event.event, event.atMs);
    if (!phase) return;
    const since = {
      captured: undefined,
      speech_start: undefined,
      first_partial: held?.marks.get('speech_start'),
      final: held?.marks.get('speech_end'),
      spooled: held?.marks.get('final'),
      acked: held?.marks.get('spooled'),
    }[phase];
    const draft = lineOf(phase, event, utteranceId, since);
    if (phase === 'speech_start') {
      const agoMs = Math.max(0, event.atMs - (event.capturedAtMs ?? event.atMs));
      const captured = { ...draft, phase: 'captured' as const, ts: new Date(now() - agoMs).toISOString() };
      held?.drafts.push(captured, { ...draft, duration_ms: agoMs });
    } else if (phase === 'first_partial') {
      held?.drafts.push(draft);
    } else {
      for (const earlier of held?.drafts.splice(0) ?? []) trace.write(earlier);
      trace.write(draft);
      if (phase === 'acked') open.delete(utteranceId);
    }
  };
};
