import { EXIT } from '../contracts/exit-codes.ts';
import type { ExitCode } from '../contracts/exit-codes.ts';
import type { FinalReply, Problem } from '../contracts/replies.ts';
import type { TraceEvent } from '../contracts/trace-event.ts';
import { messageOf } from '../platform/errors.ts';
import { delay } from '../platform/lifecycle.ts';
import type { Answers } from './answers.ts';
import type { BargeIn } from './barge-in.ts';
import type { EarEvents, Ears } from './ears.ts';
import type { EdgeEvent, EventSink } from './edge-events.ts';
import type { Forwarder, ForwarderEvents } from './forwarder.ts';
import { FRAME_MS } from './frames.ts';
import type { Activity, LiveState } from './live-line.ts';
import type { EdgeMetrics } from './metrics.ts';
import { createOutcome } from './outcome.ts';
import type { TaskAnswers } from './task-answers.ts';
import { traceIdOf } from './utterance.ts';
import type { Utterance } from './utterance.ts';

export interface EdgeDeps {
  openEars: (events: EarEvents) => Ears;
  openForwarder: (events: Omit<ForwarderEvents, 'spool'>) => Forwarder;
  answers: Pick<Answers, 'playing' | 'hush' | 'drained'>;
  taskAnswers: TaskAnswers;
  bargeIn: BargeIn;
  /** Whether what a person says silences us at once; looked at before anybody else acts on it. */
  hushes: (text: string) => boolean;
  /** false: somebody else decides what goes to the gateway (a model that converses). */
  sendsFinals: boolean;
  /** Resolves when what somebody else wanted to say of it is said. */
  said: (signal: AbortSignal) => Promise<void>;
  emit: EventSink;
  metrics: EdgeMetrics;
}

export interface Edge {
  readonly ears: Ears;
  readonly forwarder: Forwarder;
  /** For the live line. */
  state(): LiveState;
  /**
   * Hands an order over, for somebody who decides what goes to the gateway; resolves with its answer.
   * @throws Error in words: refused, or nothing was said under this id
   */
  submit(utteranceId: string, text: string): Promise<FinalReply>;
  /** Nothing of this utterance goes to the gateway. */
  unsent(utteranceId: string): void;
  /** What a person said in it: all of `text`, or less where it is our own voice; for somebody who looks before `final`. */
  wordsOfUser(utteranceId: string, text: string): string;
  /** Tells of an event that comes from elsewhere. */
  tell(event: Pick<EdgeEvent, 'event'> & Partial<EdgeEvent>): void;
  /** Resolves when the sound has ended, or the recogniser gave up for good (then with that problem). */
  readonly over: Promise<string | null>;
  /** Resolves with the exit code when all that was said is answered, or the gateway stays away too long. */
  settle(signal: AbortSignal): Promise<ExitCode>;
  exitCode(): ExitCode;
  close(): void;
}

/** A gateway that is away for so long is not waited for by a run that wants to end; what was said stays in the spool. */
const GATEWAY_AWAY_MS = 30_000;
/** A gateway that is there and takes nothing is not waited for either. */
const UNTAKEN_MS = 120_000;
/** The recogniser's last word after the sound has ended; behind it what is open is lost, and said. */
const LAST_TEXT_MS = 60_000;
/** Utterances of which it is known that they go nowhere, before their text is. */
const MAX_DECIDED = 100;
const LOOK_EVERY_MS = 20;
/** Between two looks at what became of frames and finals, for the metrics. */
const COUNT_EVERY_MS = 1_000;

interface Open {
  utterance: Utterance;
  capturedAtMs: number;
  endedAtMs: number | null;
  partials: number;
}

/** Puts hearing, forwarding and answering together; what they are made of is chosen elsewhere. */
export const createEdge = (deps: EdgeDeps): Edge => {
  const { answers, taskAnswers, bargeIn, metrics } = deps;
  const startedAtMs = performance.now();
  const outcome = createOutcome();
  const open = new Map<string, Open>();
  /** Where somebody else decides: what was said and is neither submitted nor dropped. */
  const undecided = new Map<string, Open>();
  const decided = new Set<string>();
  const submitted = new Map<string, { resolve: (reply: FinalReply) => void; reject: (error: Error) => void }>();
  const fatal = Promise.withResolvers<string>();
  let hearing = false;
  let partial = '';
  let microphone: { state: string; problem: string | null } = { state: 'waiting', problem: null };
  let line: { state: string; problem: string | null } = { state: 'connecting', problem: null };
  let way: { state: string; problem: string | null } = { state: 'connecting', problem: null };
  /** Since when no final is delivered, and since when nothing is heard of tasks. */
  let awaySinceMs: number | null = startedAtMs;
  let deafSinceMs: number | null = startedAtMs;
  // Both may tell of something before they are made.
  let ears: Ears | null = null;
  const counted = new Map<string, number>();

  /** Muted sound has its place as well. */
  const audioMs = (): number => (ears ? (ears.frames().captured + ears.capture.counts.muted) * FRAME_MS : 0);
  const tell = (event: Pick<EdgeEvent, 'event'> & Partial<EdgeEvent>): void =>
    deps.emit({ atMs: performance.now() - startedAtMs, audioMs: audioMs(), utteranceId: null, ...event });
  const trouble = (text: string, isFatal = false): void => tell({ event: 'error', text, fatal: isFatal });
  const ofUtterance = (utteranceId: string): { utteranceId: string; traceId: string } => ({
    utteranceId,
    traceId: traceIdOf(utteranceId),
  });

  const countFrames = (): void => {
    if (!ears) return;
    for (const [kind, total] of Object.entries({ ...ears.frames(), muted: ears.capture.counts.muted })) {
      metrics.frames.inc({ kind }, Math.max(0, total - (counted.get(kind) ?? 0)));
      counted.set(kind, total);
    }
    metrics.forwardQueue.set({ kind: 'final' }, forwarder.pending);
  };
  const forward = ({ utterance, endedAtMs }: Open, text: string): void => {
    const { utteranceId, sequence, saidAt } = utterance;
    const latencyMs = Math.max(0, Math.round(performance.now() - (endedAtMs ?? performance.now())));
    forwarder.final({ utteranceId, sequence, text, saidAt, latencyMs }).catch((error: unknown) => {
      // Neither disk nor memory takes it: the speaker hears so, and can say it again.
      const reason = messageOf(error);
      outcome.lost(utteranceId);
      submitted.get(utteranceId)?.reject(new Error(reason));
      submitted.delete(utteranceId);
      tell({ event: 'error', ...ofUtterance(utteranceId), text: reason });
      taskAnswers.lost(reason);
    });
  };
  const forget = (utteranceId: string): void => {
    open.delete(utteranceId);
    if (open.size === 0) partial = '';
  };

  const earEvents: EarEvents = {
    began: (utterance, capturedAtMs) => {
      hearing = true;
      open.set(utterance.utteranceId, { utterance, capturedAtMs, endedAtMs: null, partials: 0 });
      outcome.begun(utterance.utteranceId);
      bargeIn.speechStart(utterance.utteranceId, capturedAtMs);
      tell({
        event: 'speech_start',
        ...ofUtterance(utterance.utteranceId),
        audioMs: utterance.onsetAudioMs,
        capturedAtMs: capturedAtMs - startedAtMs,
      });
    },
    ended: (utteranceId, endAudioMs) => {
      hearing = false;
      const heard = open.get(utteranceId);
      const now = performance.now();
      if (heard) heard.endedAtMs = now;
      bargeIn.speechEnd(utteranceId, now - Math.max(0, audioMs() - endAudioMs));
      tell({ event: 'speech_end', ...ofUtterance(utteranceId), audioMs: endAudioMs });
      countFrames();
    },
    discarded: (utteranceId) => {
      hearing = false;
      forget(utteranceId);
      outcome.dropped(utteranceId);
      bargeIn.speechEnd(utteranceId, performance.now());
      bargeIn.lost(utteranceId);
    },
    firstAppend: (utteranceId) => tell({ event: 'first_append', ...ofUtterance(utteranceId) }),
    partial: (utteranceId, text) => {
      const heard = open.get(utteranceId);
      if (!heard) return;
      const now = performance.now();
      partial = text;
      bargeIn.partial(utteranceId, text, now);
      if (deps.hushes(text)) answers.hush();
      if (heard.partials === 0) {
        metrics.onsetToFirstPartialSeconds.observe((now - heard.capturedAtMs) / 1_000);
        tell({ event: 'first_partial', ...ofUtterance(utteranceId), text });
      }
      if (deps.sendsFinals) forwarder.partial({ utteranceId, text, revision: heard.partials });
      heard.partials += 1;
    },
    final: (utteranceId, text) => {
      const heard = open.get(utteranceId);
      if (!heard) return;
      const now = performance.now();
      // In a conversation it was asked before, and knows an utterance once.
      const said = deps.sendsFinals ? bargeIn.final(utteranceId, text, now) : text;
      forget(utteranceId);
      if (said.trim() === '') {
        // Silence, or our own voice: nothing is to be done, and nobody need wait for this number.
        outcome.dropped(utteranceId);
        forwarder.skip(utteranceId, heard.utterance.sequence);
        if (text.trim() === '') tell({ event: 'final', ...ofUtterance(utteranceId), text: '' });
        return;
      }
      if (deps.hushes(said)) answers.hush();
      tell({ event: 'final', ...ofUtterance(utteranceId), text: said });
      if (deps.sendsFinals) forward(heard, said);
      else if (!decided.delete(utteranceId)) undecided.set(utteranceId, heard);
    },
    lost: (utteranceId, reason) => {
      const heard = open.get(utteranceId);
      forget(utteranceId);
      outcome.lost(utteranceId);
      bargeIn.lost(utteranceId);
      if (heard) forwarder.skip(utteranceId, heard.utterance.sequence);
      tell({ event: 'error', ...ofUtterance(utteranceId), text: reason });
      taskAnswers.lost(reason);
    },
    state: (state, problem) => {
      if (problem !== null && problem !== line.problem) trouble(problem, state === 'closed');
      line = { state, problem };
      if (state === 'closed' && problem !== null) fatal.resolve(problem);
    },
    microphone: (state, problem) => {
      if (state === 'waiting' && problem !== null) metrics.reconnects.inc({ peer: 'microphone' });
      if (problem !== null && problem !== microphone.problem) {
        trouble(problem);
        taskAnswers.lost(problem);
      }
      microphone = { state, problem };
    },
    trouble,
  };

  const forwarderEvents: Omit<ForwarderEvents, 'spool'> = {
    spooled: (utteranceId) => tell({ event: 'spooled', ...ofUtterance(utteranceId) }),
    acked: (utteranceId, reply: FinalReply) => {
      outcome.acked(utteranceId, reply);
      tell({ event: 'acked', utteranceId, traceId: reply.trace_id, text: reply.status, reply });
      submitted.get(utteranceId)?.resolve(reply);
      submitted.delete(utteranceId);
      taskAnswers.acked(reply);
    },
    refused: (utteranceId, problem: Problem) => {
      outcome.refused(utteranceId);
      tell({ event: 'error', ...ofUtterance(utteranceId), text: problem.detail ?? problem.title });
      submitted.get(utteranceId)?.reject(new Error(problem.detail ?? problem.title));
      submitted.delete(utteranceId);
      taskAnswers.refused(problem);
    },
    task: (event: TraceEvent) => {
      outcome.task(event);
      tell({ event: 'task', traceId: event.trace_id, text: event.phase, taskEvent: event });
      taskAnswers.task(event);
    },
    state: (state, problem) => {
      const isUp = state === 'link' || state === 'http';
      if (!isUp && awaySinceMs === null) metrics.reconnects.inc({ peer: 'gateway' });
      awaySinceMs = isUp ? null : (awaySinceMs ?? performance.now());
      deafSinceMs = state === 'link' ? null : (deafSinceMs ?? performance.now());
      if (problem !== null && problem !== way.problem) trouble(problem);
      way = { state, problem };
    },
  };

  const activity = (): Activity => {
    if (hearing) return 'hearing';
    if (ears?.capture.isMuted) return 'muted';
    if (microphone.problem !== null) return 'no microphone';
    if (line.problem !== null) return 'no recogniser';
    if (answers.playing) return 'speaking';
    if (way.problem !== null) return 'no gateway';
    if (forwarder.pending > 0 || open.size > 0) return 'sending';
    if (outcome.tasks > 0) return 'waiting';
    return microphone.state === 'waiting' || line.state === 'connecting' ? 'starting' : 'listening';
  };

  const waitFor = async (isTrue: () => boolean, signal: AbortSignal, mostMs: number): Promise<void> => {
    const until = performance.now() + mostMs;
    while (!isTrue() && !signal.aborted && performance.now() < until)
      await delay(LOOK_EVERY_MS, signal).catch(() => undefined);
  };

  const forwarder = deps.openForwarder(forwarderEvents);
  const opened = deps.openEars(earEvents);
  ears = opened;
  const counting = setInterval(countFrames, COUNT_EVERY_MS);
  counting.unref();

  return {
    ears: opened,
    forwarder,
    tell,
    wordsOfUser: (utteranceId, text) => bargeIn.final(utteranceId, text, performance.now()),
    submit: (utteranceId, text) =>
      new Promise((resolve, reject) => {
        const heard = undecided.get(utteranceId);
        if (!heard) {
          reject(new Error('nothing was said that could be handed over'));
          return;
        }
        undecided.delete(utteranceId);
        submitted.set(utteranceId, { resolve, reject });
        forward(heard, text);
      }),
    unsent: (utteranceId) => {
      const heard = undecided.get(utteranceId) ?? open.get(utteranceId);
      // Decided before its text is known: the text then comes, and goes nowhere.
      if (open.has(utteranceId)) decided.add(utteranceId);
      if (decided.size > MAX_DECIDED) decided.delete(decided.values().next().value ?? '');
      undecided.delete(utteranceId);
      outcome.dropped(utteranceId);
      if (heard) forwarder.skip(utteranceId, heard.utterance.sequence);
    },
    state: () => {
      return {
        activity: activity(),
        levelDbfs: opened.capture.levelDbfs,
        partial,
        tasks: outcome.tasks,
        unsent: forwarder.pending,
      };
    },
    over: Promise.race([opened.done.then(() => null), fatal.promise]),
    exitCode: () => outcome.exitCode(),
    settle: async (signal) => {
      const since = performance.now();
      const longer = (fromMs: number | null, ms: number): boolean => fromMs !== null && performance.now() - fromMs > ms;
      await waitFor(() => open.size === 0 || line.state === 'closed', signal, LAST_TEXT_MS);
      if (!signal.aborted)
        for (const utteranceId of [...open.keys()])
          earEvents.lost(utteranceId, 'the speech service gave no text for it');
      await waitFor(
        () => outcome.undelivered === 0 || longer(awaySinceMs, GATEWAY_AWAY_MS) || longer(since, UNTAKEN_MS),
        signal,
        Infinity,
      );
      if (outcome.undelivered > 0 && !signal.aborted)
        trouble('the gateway did not take it; what you said is kept, and delivered at the next start');
      await waitFor(() => outcome.tasks === 0 || longer(deafSinceMs, GATEWAY_AWAY_MS), signal, Infinity);
      const unheard = outcome.tasks;
      if (unheard > 0 && !signal.aborted)
        trouble(`nothing is heard of ${unheard} running; they go on without us: npm run --silent dual -- traces`);
      await taskAnswers.settled();
      await deps.said(signal);
      await answers.drained(signal);
      countFrames();
      return line.state === 'closed' || unheard > 0 ? EXIT.unreachable : outcome.exitCode();
    },
    close: () => clearInterval(counting),
  };
};
