import { setTimeout as pause } from 'node:timers/promises';
import { createFileMicrophone } from '../edge/adapters/file-microphone.ts';
import { createGatewayHttp } from '../edge/adapters/gateway-http.ts';
import { createGatewaySocket } from '../edge/adapters/gateway-socket.ts';
import { createOpenaiRealtime } from '../edge/adapters/openai-realtime.ts';
import { createSileroDetector } from '../edge/adapters/silero-detector.ts';
import { createEdgeMetrics } from '../edge/metrics.ts';
import type { Microphone } from '../edge/microphone.ts';
import type { RealtimeConnection } from '../edge/realtime-connection.ts';
import { runEdge } from '../edge/run-edge.ts';
import type { RunningEdge } from '../edge/run-edge.ts';
import type { SpeechDetector } from '../edge/speech-detector.ts';
import { openSpool } from '../edge/spool.ts';
import { createSpoolDisk } from '../edge/spool-disk.ts';
import { createTakeName } from '../edge/spool-owner.ts';
import { createUtteranceTrace } from '../edge/trace-utterances.ts';
import { mintId } from '../edge/utterance.ts';
import { createLog } from '../platform/log.ts';
import models from '../platform/models.json' with { type: 'json' };
import { createTraceLog } from '../platform/trace-log.ts';
import { HourSettings } from './edge-hour-report.ts';
import type { HourMark } from './edge-hour-report.ts';

// A real edge but for its pace: it hears one file over and over, as fast as it can, and says after every round what it
// has taken. Started by bench/edge-hour.ts, so that it is alone in its process.

/** Frames the detector may be behind: more, and a sentence would be open when the next begins. */
const AHEAD_FRAMES = 8;
/** Sentences without a text, and finals without an answer. */
const OPEN_SENTENCES = 4;
const UNANSWERED_FINALS = 16;
const QUIET_MS = 300;

const settings = HourSettings.parse(JSON.parse(process.argv[2] ?? 'null'));
const keepQuiet = (text: string): string => text;
const signal = new AbortController().signal;
const log = createLog('edge', keepQuiet, 'error');
const metrics = createEdgeMetrics('bench');
const trace = createTraceLog({ dir: settings.traceDir, process: 'edge', metrics, log, scrub: keepQuiet });
const sessionId = mintId('edge');
const traceUtterance = createUtteranceTrace({ trace, sessionId, mode: 'transcribe' });

let running: RunningEdge | null = null;
let line: RealtimeConnection | null = null;
let detector: SpeechDetector | null = null;
let [ended, finals, acked, errors] = [0, 0, 0, 0];
let problem = '';
/** CPU of the looks at memory, which a real edge does not have. */
let collectingMs = 0;

const hasRoom = (): boolean =>
  running !== null &&
  detector !== null &&
  detector.pending < AHEAD_FRAMES &&
  ended - finals < OPEN_SENTENCES &&
  running.edge.forwarder.pending < UNANSWERED_FINALS &&
  (line?.bufferedBytes ?? 0) < settings.bufferedBytes;

/** Says what was taken so far, when nothing is under way. */
const mark = async (round: number): Promise<void> => {
  const { user, system } = process.cpuUsage();
  const spentMs = (user + system) / 1_000 - collectingMs;
  for (let look = 0; look < 2; look += 1) {
    globalThis.gc?.();
    await pause(QUIET_MS);
  }
  const after = process.cpuUsage();
  collectingMs = (after.user + after.system) / 1_000 - spentMs;
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  const frames = running?.edge.ears.frames();
  const told: HourMark = {
    round,
    cpuMs: spentMs,
    rssBytes: rss,
    heapBytes: heapUsed,
    outsideBytes: external + arrayBuffers,
    capturedFrames: frames?.captured ?? 0,
    sentFrames: frames?.sent ?? 0,
    lostFrames: frames?.lost ?? 0,
    ended,
    finals,
    acked,
    errors,
    problem,
  };
  process.send?.(told);
};

const file = createFileMicrophone({ path: settings.wav, pace: { hasRoom } });
const microphone: Microphone = {
  label: 'an hour of speech',
  finite: true,
  capture: async (onSamples, captureSignal) => {
    for (let round = 1; round <= settings.rounds; round += 1) {
      await file.capture(onSamples, captureSignal);
      await mark(round);
    }
  },
};

const openConnection = createOpenaiRealtime({
  url: settings.realtimeUrl,
  apiKey: 'no-key',
  session: { mode: 'transcribe' },
});
const spool = await openSpool({
  dir: settings.spoolDir,
  disk: createSpoolDisk(),
  takeName: createTakeName(),
  problem: (told) => (problem = told ?? problem),
  log,
});
running = runEdge({
  sessionId,
  options: { mode: 'transcribe' },
  config: {
    transcriptionModel: models.transcription.name,
    realtimeVoice: models.realtime.voice,
    turnDetection: 'local',
    bargeIn: true,
    preRollMs: 400,
    hangOverMs: 300,
    maxUtteranceMs: 60_000,
  },
  instructions: '',
  microphone,
  speaker: null,
  voice: null,
  openDetector: (events) => (detector = createSileroDetector(events)),
  connect: (events) => (line = openConnection(events)),
  openSocket: createGatewaySocket({ url: settings.gatewayUrl, token: () => settings.token }),
  calls: createGatewayHttp({ url: settings.gatewayUrl, token: () => settings.token }),
  spool,
  metrics,
  log,
  emit: (event) => {
    traceUtterance(event);
    if (event.event === 'speech_end') ended += 1;
    else if (event.event === 'final') finals += 1;
    else if (event.event === 'acked') acked += 1;
    else if (event.event === 'error') {
      errors += 1;
      problem = event.text ?? '';
      if (event.utteranceId !== null) finals += 1;
    }
  },
  told: () => undefined,
  signal,
});
await running.edge.over;
await running.edge.settle(signal);
await mark(settings.rounds + 1);
await running.close();
trace.close();
process.disconnect();
