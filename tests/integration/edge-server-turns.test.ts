import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createOpenaiRealtime } from '../../edge/adapters/openai-realtime.ts';
import type { SessionLimits } from '../../edge/realtime-limits.ts';
import { ServerTurns } from '../../edge/realtime-server-turns.ts';
import type { ServerTurnEvents } from '../../edge/realtime-server-turns.ts';
import { SERVER_SILENCE_MS, transcriptionSettings } from '../../edge/realtime-settings.ts';
import type { Utterance } from '../../edge/utterance.ts';
import { Heard } from '../fakes/heard.ts';
import { startFakeRealtime } from '../fakes/realtime-server.ts';
import type { FakeRealtime } from '../fakes/realtime-server.ts';
import { speech } from '../fakes/realtime-session.ts';
import type { FakeSession, Turn } from '../fakes/realtime-session.ts';
import { until } from '../fakes/until.ts';

class HeardTurns extends Heard implements ServerTurnEvents {
  readonly onsets: number[] = [];
  readonly ended_: string[] = [];
  began({ onsetAudioMs }: Utterance): void {
    this.onsets.push(Math.round(onsetAudioMs));
  }
  ended(id: string): void {
    if (this.ended_.includes(id)) this.complaints.push(`${id} ended twice`);
    if (this.outcomes.some((outcome) => outcome.id === id)) this.complaints.push(`${id} ended after its text`);
    this.ended_.push(id);
  }
}

let server: FakeRealtime;
let heard: HeardTurns;
let turns: ServerTurns;
let audioMs: number;

/** Finds turns by level, as a service would: speech is what is not zero. */
const detect = (): void => {
  const states = new WeakMap<FakeSession, { at: number; speaking: boolean; silent: number; bytes: Buffer[] }>();
  server.onAppend = (session) => {
    const state = states.get(session) ?? { at: 0, speaking: false, silent: 0, bytes: [] };
    states.set(session, state);
    const piece = session.buffer.pop() ?? Buffer.alloc(0);
    // Judged in steps of 10 ms, as pieces are of any length.
    for (let from = 0; from < piece.length; from += 480) {
      const step = piece.subarray(from, from + 480);
      const loud = step.readInt16LE(step.length > 240 ? 240 : 0) !== 0;
      if (loud && !state.speaking) {
        state.speaking = true;
        session.send({
          type: 'input_audio_buffer.speech_started',
          item_id: session.bufferItem,
          audio_start_ms: state.at,
        });
      }
      state.at += step.length / 48;
      if (!state.speaking) continue;
      state.silent = loud ? 0 : state.silent + step.length / 48;
      if (loud) session.buffer.push(step);
      if (state.silent < SERVER_SILENCE_MS) continue;
      state.speaking = false;
      state.silent = 0;
      session.send({ type: 'input_audio_buffer.speech_stopped', item_id: session.bufferItem, audio_end_ms: state.at });
      server.onCommit(session.takeTurn());
    }
  };
};

beforeEach(async () => {
  server = await startFakeRealtime();
  heard = new HeardTurns();
  audioMs = 0;
  detect();
});

afterEach(async () => {
  await turns.close();
  await server.close();
  expect(server.complaints).toEqual([]);
  expect(heard.faults).toEqual([]);
});

const open = async (limits: Partial<SessionLimits> = {}): Promise<void> => {
  let n = 0;
  turns = new ServerTurns({
    connect: createOpenaiRealtime({ url: server.url, apiKey: 'no-key', session: { mode: 'transcribe' } }),
    settings: transcriptionSettings({ transcriptionModel: 'gpt-transcribe', turns: 'server' }),
    events: heard,
    mint: (onsetAudioMs) => ({ ...heard.utterance(`s${(n += 1)}`), onsetAudioMs }),
    limits: { firstBackoffMs: 20, ...limits },
  });
  turns.start();
  await heard.reached('open');
};

const push = (samples: Int16Array): void => {
  for (let at = 0; at < samples.length; at += 320) {
    turns.push({ samples: samples.subarray(at, at + 320), audioMs, capturedAtMs: 0 });
    audioMs += 20;
  }
};
const silence = (ms: number): void => push(new Int16Array(ms * 16));

describe('the service finds the turns', () => {
  it('all sound is sent, and each turn it finds is an utterance', async () => {
    await open();
    silence(1_000);
    push(speech(1, 400));
    silence(800);
    push(speech(2, 400));
    silence(800);
    await until(() => (heard.outcomes.length === 2 ? true : undefined));
    expect(heard.finals).toEqual({ s1: 'number 1', s2: 'number 2' });
    expect(heard.onsets.map((ms) => Math.round(ms / 50) * 50)).toEqual([1_000, 2_200]);
    expect(heard.ended_).toEqual(['s1', 's2']);
    expect(new Set(server.last.types())).toEqual(new Set(['session.update', 'input_audio_buffer.append']));
  });

  it('a line that breaks in a sentence: it is found again, and is the same', async () => {
    await open();
    silence(600);
    push(speech(1, 300));
    await until(() => heard.onsets[0]);
    server.last.drop();
    push(speech(1, 300));
    await until(() => (server.sessions.length === 2 ? true : undefined));
    silence(800);
    await heard.settled();
    expect(heard.finals).toEqual({ s1: 'number 1' });
    expect(heard.onsets).toHaveLength(1);
    expect(server.turns.map(({ ms }) => Math.round(ms / 20) * 20)).toEqual([600]);
  });

  it('a line that breaks before the texts: what has one is not heard twice', async () => {
    await open();
    const first: Turn[] = [];
    server.onCommit = (turn) => {
      first.push(turn);
      turn.confirm();
      if (first.length === 2) {
        turn.complete();
        setTimeout(() => turn.session.drop(), 50);
      }
    };
    silence(600);
    push(speech(1, 300));
    silence(800);
    push(speech(2, 300));
    silence(800);
    await until(() => (first.length === 2 ? true : undefined));
    server.onCommit = (turn) => {
      turn.confirm();
      turn.complete();
    };
    await until(() => (server.turns.length === 4 ? true : undefined));
    await heard.settled();
    expect(server.turns.map((turn) => turn.heard.at(-1)).join('')).toBe('1212');
    expect(heard.finals).toEqual({ s1: 'number 1', s2: 'number 2' });
    expect(heard.onsets).toHaveLength(2);
  });

  it('a service that stalls is asked again, and given up in the end', async () => {
    await open({ stallMs: 100, attempts: 2, steadyMs: 1 });
    server.onCommit = (turn) => turn.confirm();
    silence(600);
    push(speech(1, 300));
    silence(800);
    await until(() => heard.outcomes[0]);
    expect(heard.lostOnes).toEqual(['s1']);
    expect(server.turns).toHaveLength(2);
  });

  it('what is said without a line is kept, as far as it is', async () => {
    await open({ firstBackoffMs: 300, keptMs: 3_000 });
    silence(600);
    push(speech(1, 300));
    await until(() => heard.onsets[0]);
    server.last.drop();
    await heard.reached('waiting');
    silence(2_000);
    push(speech(2, 300));
    silence(1_200);
    expect(heard.lostOnes).toEqual(['s1']);
    await until(() => heard.finals['s2']);
    expect(heard.finals).toEqual({ s2: 'number 2' });
  });
});
