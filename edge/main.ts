import { readFileSync } from 'node:fs';
import { fromRoot, loadEnvironment } from '../platform/env.ts';
import { ConfigError, messageOf } from '../platform/errors.ts';
import { aborted, runProcess } from '../platform/lifecycle.ts';
import type { Closer } from '../platform/lifecycle.ts';
import { createLog } from '../platform/log.ts';
import { serveMetrics } from '../platform/metrics-server.ts';
import { createScrub, secretsOf } from '../platform/secrets.ts';
import { createTraceLog } from '../platform/trace-log.ts';
import { chooseMicrophone } from './adapters/choose-microphone.ts';
import { chooseSpeaker, chooseVoice } from './adapters/choose-sound.ts';
import { createGatewayHttp } from './adapters/gateway-http.ts';
import { createGatewaySocket } from './adapters/gateway-socket.ts';
import { listInputDevices } from './adapters/input-devices.ts';
import { createOpenaiRealtime } from './adapters/openai-realtime.ts';
import { createSileroDetector } from './adapters/silero-detector.ts';
import type { Machine } from './adapters/sound-programs.ts';
import { createWebrtcDetector } from './adapters/webrtc-detector.ts';
import { loadEdgeConfig, rehearsalTarget } from './config.ts';
import type { GivenTarget } from './config.ts';
import type { EdgeEvent } from './edge-events.ts';
import { createFace } from './face.ts';
import { createJsonLines } from './json-lines.ts';
import { readKeys } from './keys.ts';
import type { LiveState } from './live-line.ts';
import { createEdgeMetrics } from './metrics.ts';
import { MicrophoneError } from './microphone.ts';
import { HELP, OptionsError, parseOptions } from './options.ts';
import { EXIT } from '../contracts/exit-codes.ts';
import { startRehearsalChild } from './rehearsal-child.ts';
import { runEdge } from './run-edge.ts';
import type { RunningEdge } from './run-edge.ts';
import { openSpool } from './spool.ts';
import { createSpoolDisk } from './spool-disk.ts';
import { createTakeName } from './spool-owner.ts';
import { createUtteranceTrace } from './trace-utterances.ts';
import { mintId } from './utterance.ts';

const { version } = JSON.parse(readFileSync(fromRoot('package.json'), 'utf8')) as { version: string };

const out = (text: string): void => void process.stdout.write(text);
const err = (text: string): void => void process.stderr.write(text);
// A reader that went away (`… --json | head`) means the same as Ctrl-C.
process.stdout.on('error', () => process.emit('SIGTERM'));

/** What the terminal shows before there is an edge. */
const STARTING: LiveState = { activity: 'starting', levelDbfs: -Infinity, partial: '', tasks: 0, unsent: 0 };
const SECRET = /(_API_KEY|_TOKEN)$/;

const showDevices = async (machine: Machine, json: boolean): Promise<number> => {
  const { devices, hints } = await listInputDevices(machine);
  for (const device of devices)
    out(
      json
        ? `${JSON.stringify({ name: device.name, is_default: device.isDefault, by: device.by })}\n`
        : `${device.isDefault ? '*' : ' '} ${device.name}  (${device.by})\n`,
    );
  for (const hint of hints) err(`${hint}\n`);
  return devices.length > 0 ? EXIT.succeeded : EXIT.unreachable;
};

const main = async (signal: AbortSignal, closer: Closer): Promise<number> => {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    out(`${HELP}\n`);
    return EXIT.succeeded;
  }
  const environment = loadEnvironment(process.env, '.env.local');
  const config = loadEdgeConfig(environment);
  const inherited = Object.fromEntries(Object.entries(environment).filter(([name]) => !SECRET.test(name)));
  const machine: Machine = { platform: process.platform, env: inherited };
  if (options.devices) return showDevices(machine, options.json);
  if (options.mode === 'converse' && config.turnDetection === 'server')
    throw new ConfigError('TURN_DETECTION', 'server is for --mode transcribe; in a conversation turns are found here');

  const scrub = createScrub(secretsOf(environment));
  const sessionId = mintId('edge');
  const sinks: ((event: EdgeEvent) => void)[] = [];
  let say = (text: string): void => err(scrub(`${text}\n`));
  const log = createLog('edge', scrub, config.logLevel, (line) => say(line.trimEnd()));
  const metrics = createEdgeMetrics(version);
  const trace = createTraceLog({ dir: config.traceDir, process: 'edge', metrics, log, scrub });
  closer.add('trace log', () => trace.close());
  sinks.push(createUtteranceTrace({ trace, sessionId, mode: options.mode }));

  const microphone = await chooseMicrophone({
    kind: config.microphone,
    input: options.input,
    device: options.device ?? config.device,
    machine,
    stdin: process.stdin,
    onOverrun: (pieces) => {
      metrics.frames.inc({ kind: 'captured' }, pieces);
      metrics.frames.inc({ kind: 'lost' }, pieces);
      log.warn({ pieces }, 'the device threw sound away before it was read');
    },
  });
  const speaker = options.quiet ? null : await chooseSpeaker(config.speaker, machine);
  const voice = options.quiet ? null : chooseVoice(config.voice, machine);
  const token = config.gatewayToken; // asked at every attempt: it may be put right meanwhile

  const openRehearsal = async (): Promise<GivenTarget> => {
    say('no OPENAI_API_KEY: rehearsal models on this machine listen and answer');
    const rehearsal = await startRehearsalChild(inherited, signal, (text) => say(text));
    closer.add('rehearsal models', () => rehearsal.close());
    return rehearsalTarget(rehearsal.url);
  };
  const realtime = config.realtime.kind === 'given' ? config.realtime : await openRehearsal();
  const server = await serveMetrics({
    port: config.metricsPort,
    variable: 'EDGE_METRICS_PORT',
    registry: metrics.registry,
  });
  closer.add('metrics', () => server.close());

  let spoolProblem = (_problem: string | null): void => undefined;
  const spool = await openSpool({
    dir: config.spoolDir,
    disk: createSpoolDisk(),
    takeName: createTakeName(),
    problem: (problem) => spoolProblem(problem),
    log,
  });
  let running: RunningEdge | null = null;
  const isTerminal = process.stdout.isTTY && !options.json;
  const face = options.json
    ? null
    : createFace({
        write: out,
        columns: isTerminal ? () => process.stdout.columns : null,
        state: () => running?.edge.state() ?? STARTING,
      });
  if (face) {
    say = (text) => face.say(scrub(text));
    sinks.push((event) => face.event(event));
    closer.add('face', () => face.close());
  } else sinks.push(createJsonLines(out));
  const started = runEdge({
    sessionId,
    options,
    config,
    instructions: readFileSync(fromRoot('edge/conversation.md'), 'utf8'),
    microphone,
    speaker,
    voice,
    spool,
    metrics,
    log,
    signal,
    openDetector: (events) =>
      config.detector === 'webrtc' ? createWebrtcDetector(events) : createSileroDetector(events),
    connect: createOpenaiRealtime({
      url: realtime.url,
      apiKey: realtime.apiKey,
      session: options.mode === 'converse' ? { mode: 'converse', model: config.realtimeModel } : { mode: 'transcribe' },
    }),
    openSocket: createGatewaySocket({ url: config.gatewayUrl, token }),
    calls: createGatewayHttp({ url: config.gatewayUrl, token }),
    emit: (event) => {
      const clean = event.text === undefined ? event : { ...event, text: scrub(event.text) };
      for (const sink of sinks) sink(clean);
    },
    told: (text) => face?.told(text),
  });
  running = started;
  closer.add('edge', () => started.close());
  spoolProblem = (problem) => started.spoolProblem(problem);

  say(`hears ${microphone.label}; speaks ${speaker === null ? 'nothing' : `by ${speaker.label}`}; ${server.url}`);
  if (options.input !== '-')
    closer.add(
      'keys',
      readKeys(process.stdin, {
        mute: () => started.edge.ears.capture.mute(!started.edge.ears.capture.isMuted),
        stop: () => started.hush(),
        quit: () => process.emit('SIGINT'),
      }),
    );

  const problem = await Promise.race([started.edge.over, aborted(signal).then(() => null)]);
  if (problem !== null) return EXIT.unreachable;
  // Without --once it stays, for what is still to be answered.
  if (!options.once) await aborted(signal);
  if (signal.aborted) return options.once ? EXIT.unreachable : EXIT.succeeded;
  return started.edge.settle(signal);
};

await runProcess(
  async (signal, closer) => {
    try {
      return await main(signal, closer);
    } catch (error) {
      if (signal.aborted) throw error;
      if (error instanceof OptionsError) {
        err(`edge: ${error.message}\n`);
        return EXIT.usage;
      }
      if (error instanceof MicrophoneError) {
        err(`edge: ${messageOf(error)}\n`);
        return EXIT.unreachable;
      }
      throw error;
    }
  },
  (message) => err(`edge: ${message}\n`),
);
