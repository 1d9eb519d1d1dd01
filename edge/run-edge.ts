import type { TaskResult } from '../contracts/task.ts';
import { delay } from '../platform/lifecycle.ts';
import type { Log } from '../platform/log.ts';
import { createAnswers } from './answers.ts';
import { createBargeIn } from './barge-in.ts';
import type { EdgeConfig } from './config.ts';
import { Conversation } from './conversation.ts';
import { hushes } from './conversation-hush.ts';
import { FUNCTION_TOOLS } from './conversation-tools.ts';
import { createConverse } from './converse.ts';
import { createEdge } from './create-edge.ts';
import type { Edge } from './create-edge.ts';
import { createLocalEars, createMint } from './ears.ts';
import type { EarEvents, Ears } from './ears.ts';
import type { EventSink } from './edge-events.ts';
import { createForwarder } from './forward-transcripts.ts';
import type { GatewayCalls } from './gateway-calls.ts';
import type { OpenSocket } from './gateway-link.ts';
import type { EdgeMetrics } from './metrics.ts';
import type { Microphone } from './microphone.ts';
import type { EdgeOptions } from './options.ts';
import { createOwnVoice } from './own-voice.ts';
import type { ConnectRealtime } from './realtime-connection.ts';
import { ServerTurns } from './realtime-server-turns.ts';
import { RealtimeSession } from './realtime-session.ts';
import { conversationSettings, transcriptionSettings } from './realtime-settings.ts';
import type { Recogniser, RecogniserEvents } from './recogniser.ts';
import type { Sentence } from './sentence.ts';
import { createServerEars } from './server-ears.ts';
import type { Speaker, Voice } from './speaker.ts';
import type { DetectorEvents, SpeechDetector } from './speech-detector.ts';
import type { Spool } from './spool.ts';
import { createTaskAnswers } from './task-answers.ts';

/** News that waits for a session of the model that converses. */
const MAX_UNTOLD = 16;
/** How long a model may take to speak about what it was told, before a run ends without it. */
const REPLY_MS = 15_000;
const LOOK_EVERY_MS = 50;

/** What the parts are made of; `main.ts` chooses. */
export interface RunEdgeOptions {
  sessionId: string;
  options: Pick<EdgeOptions, 'mode'>;
  config: Pick<
    EdgeConfig,
    'transcriptionModel' | 'realtimeVoice' | 'turnDetection' | 'bargeIn' | 'preRollMs' | 'hangOverMs' | 'maxUtteranceMs'
  >;
  /** What the model that converses is told. */
  instructions: string;
  microphone: Microphone;
  /** null: words on the terminal alone. */
  speaker: Speaker | null;
  voice: Voice | null;
  openDetector: (events: DetectorEvents) => SpeechDetector | Promise<SpeechDetector>;
  connect: ConnectRealtime;
  openSocket: OpenSocket;
  calls: GatewayCalls;
  spool: Spool;
  metrics: EdgeMetrics;
  log: Log;
  emit: EventSink;
  /** What is said to the person, as soon as it is to be said. */
  told: (text: string) => void;
  signal: AbortSignal;
}

export interface RunningEdge {
  edge: Edge;
  /** What is being said ends. */
  hush(): void;
  /** The disk does not take finals, or takes them again (null). */
  spoolProblem(problem: string | null): void;
  /** Everything is closed; what was not delivered stays in the spool. */
  close(): Promise<void>;
}

/** The voice edge of one start: builds the parts around each other, and begins. */
export const runEdge = (run: RunEdgeOptions): RunningEdge => {
  const { config, calls, log, signal } = run;
  const converses = run.options.mode === 'converse';
  const mint = createMint();
  const ownVoice = createOwnVoice();
  let conversation: Conversation | null = null;

  /** News for the model that found no session; and when it was last given some that it has not spoken about. */
  let untold: string[] = [];
  let toldAtMs: number | null = null;
  const tellModel = (text: string): void => {
    if (conversation?.tell(text) === true) toldAtMs = performance.now();
    else untold = [...untold, text].slice(-MAX_UNTOLD);
  };
  const tellUntold = (): void => {
    for (const text of untold.splice(0)) tellModel(text);
  };
  /** In a conversation the model says it in its own words; what it handed over itself it knows already. */
  const toModel = ({ text, urgency }: Sentence): void => {
    if (conversation && (urgency === 'result' || urgency === 'failure')) tellModel(text);
  };
  const answers = createAnswers({
    speaker: run.speaker,
    voice: converses ? null : run.voice,
    ownVoice,
    events: {
      told: (sentence) => {
        run.told(sentence.text);
        toModel(sentence);
      },
      spoken: ({ text, traceId }) => edge.tell({ event: 'spoken', text, ...(traceId !== null && { traceId }) }),
      notice: (text) => edge.tell({ event: 'error', text }),
    },
  });
  const taskAnswers = createTaskAnswers({
    answers,
    fetchTask: async (traceId, fetchSignal): Promise<TaskResult> => {
      const result = await calls.task(traceId, fetchSignal);
      if (result.ok) return result.reply;
      throw new Error(result.problem.title);
    },
  });
  const converse = createConverse({ calls, submit: (utteranceId, text) => edge.submit(utteranceId, text) });
  const notice = ({ kind, code }: { kind: string; code: string | null }): void => {
    if (kind === 'reconnect') run.metrics.reconnects.inc({ peer: 'recogniser' });
    log.debug({ kind, code }, 'the line to the recogniser');
  };

  const openConversation = (events: RecogniserEvents): Recogniser => {
    const settings = conversationSettings({
      transcriptionModel: config.transcriptionModel,
      instructions: run.instructions,
      voice: config.realtimeVoice,
      tools: [...FUNCTION_TOOLS],
    });
    conversation = new Conversation({
      open: (sessionEvents, listener) =>
        new RealtimeSession({ connect: run.connect, settings, events: sessionEvents, listener, notice }),
      tools: converse.tools,
      wordsOfUser: (utteranceId, text) => edge.wordsOfUser(utteranceId, text),
      audio: { play: (samples, text, playSignal) => answers.play(samples, text, playSignal) },
      events: {
        ...events,
        state: (state, problem) => {
          events.state(state, problem);
          if (state === 'open') tellUntold();
        },
        replied: (text) => {
          toldAtMs = null;
          run.told(text);
          edge.tell({ event: 'spoken', text });
        },
        unsent: (utteranceId) => edge.unsent(utteranceId),
        trouble: (text) => edge.tell({ event: 'error', text }),
      },
    });
    conversation.start();
    return conversation;
  };
  const openRecogniser = (events: RecogniserEvents): Recogniser => {
    if (converses) return openConversation(events);
    const settings = transcriptionSettings({ transcriptionModel: config.transcriptionModel, turns: 'local' });
    const session = new RealtimeSession({ connect: run.connect, settings, events, notice });
    session.start();
    return session;
  };
  const openEars = (events: EarEvents): Ears => {
    const { microphone } = run;
    if (config.turnDetection === 'local' || converses)
      return createLocalEars({
        microphone,
        openDetector: run.openDetector,
        openRecogniser,
        mint,
        events,
        signal,
        gate: { preRollMs: config.preRollMs, hangOverMs: config.hangOverMs, maxUtteranceMs: config.maxUtteranceMs },
      });
    const settings = transcriptionSettings({ transcriptionModel: config.transcriptionModel, turns: 'server' });
    return createServerEars({
      microphone,
      mint,
      events,
      signal,
      openFinder: (finderEvents, mintOne) => {
        const finder = new ServerTurns({
          connect: run.connect,
          settings,
          events: finderEvents,
          mint: mintOne,
          notice,
        });
        finder.start();
        return finder;
      },
    });
  };

  const edge: Edge = createEdge({
    openEars,
    openForwarder: (events) =>
      createForwarder({
        sessionId: run.sessionId,
        spool: run.spool,
        openSocket: run.openSocket,
        calls,
        log,
        events: {
          ...events,
          task: (event) => {
            events.task(event);
            const question = converse.questionOf(event);
            if (question !== null && conversation) tellModel(question);
          },
        },
      }),
    answers,
    taskAnswers,
    bargeIn: createBargeIn({
      answers,
      ownVoice,
      enabled: config.bargeIn,
      notice: (text) => edge.tell({ event: 'error', text }),
    }),
    hushes,
    sendsFinals: !converses,
    said: async (settling) => {
      while (toldAtMs !== null && performance.now() - toldAtMs < REPLY_MS && !settling.aborted)
        await delay(LOOK_EVERY_MS, settling).catch(() => undefined);
    },
    emit: run.emit,
    metrics: run.metrics,
  });

  return {
    edge,
    hush: () => answers.hush(),
    spoolProblem: (problem) => edge.tell({ event: 'error', text: problem ?? 'what you say is written to disk again' }),
    close: async () => {
      edge.close();
      // Each whatever becomes of the others: the forwarder has what was said.
      const closed = await Promise.allSettled([edge.ears.close(), answers.close()]);
      await edge.forwarder.close();
      const [failed] = closed.filter((one) => one.status === 'rejected');
      if (failed) throw failed.reason;
    },
  };
};
