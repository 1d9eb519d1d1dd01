import { createConnectionLog } from '../../rehearsal/realtime/connection-log.ts';
import type { LoggedConnection } from '../../rehearsal/realtime/connection-log.ts';
import { createRealtimeFaults } from '../../rehearsal/realtime/faults.ts';
import type { Peer } from '../../rehearsal/realtime/peer.ts';
import type { Synthesise } from '../../rehearsal/realtime/reply.ts';
import { RealtimeSession } from '../../rehearsal/realtime/session.ts';
import type { SpeechRecogniser } from '../../rehearsal/speech-recogniser.ts';
import { until } from './until.ts';

export type Told = Record<string, unknown> & { type: string };

/** So many milliseconds of sound in base64, 24 kHz. */
export const sound = (ms: number, level = 8_000): string => {
  const samples = Int16Array.from({ length: ms * 24 }, (_, at) => Math.round(level * Math.sin((at * Math.PI) / 24)));
  return Buffer.from(samples.buffer).toString('base64');
};

/** The settings of a session that writes down while somebody speaks. */
export const WRITES = {
  type: 'transcription',
  audio: {
    input: {
      format: { type: 'audio/pcm', rate: 24_000 },
      transcription: { model: 'gpt-live-transcribe' },
      turn_detection: null,
    },
  },
};

/** A session of rehearsal's Realtime service without a network. */
export class PeerOfSession {
  readonly told: Told[] = [];
  readonly faults = createRealtimeFaults();
  readonly entry: LoggedConnection;
  readonly session: RealtimeSession;
  readonly peer: Peer & { ended: string | null };

  constructor(
    recogniser: SpeechRecogniser | null,
    options: { model?: string; synthesise?: Synthesise; lifeMs?: number } = {},
  ) {
    const { model = null, synthesise = null, lifeMs = 60_000 } = options;
    this.peer = {
      send: (text) => void this.told.push(JSON.parse(text) as Told),
      waitingBytes: 0,
      ended: null,
      close(code) {
        this.ended ??= String(code);
      },
      drop() {
        this.ended ??= 'dropped';
      },
    };
    this.entry = createConnectionLog(() => 0).open({ path: '/v1/realtime', model });
    this.session = new RealtimeSession({
      model,
      peer: this.peer,
      openStream: () => (recogniser ? recogniser.open() : Promise.reject(new Error('install pocketsphinx'))),
      synthesise,
      faults: this.faults,
      entry: this.entry,
      lifeMs,
      now: () => 1_000_000,
    });
  }

  say(...events: Record<string, unknown>[]): this {
    for (const event of events) this.session.message(JSON.stringify(event));
    return this;
  }

  /** An utterance of so many pieces of 100 ms. */
  speak(pieces: number, ...after: Record<string, unknown>[]): this {
    for (let piece = 0; piece < pieces; piece += 1) this.say({ type: 'input_audio_buffer.append', audio: sound(100) });
    return this.say(...after);
  }

  types(): string[] {
    return this.told.map(({ type }) => type.replace('conversation.item.input_audio_transcription', 'text'));
  }

  of(type: string): Told[] {
    return this.told.filter((event) => event.type === type || event.type.endsWith(`transcription.${type}`));
  }

  errors(): Record<string, unknown>[] {
    return this.of('error').map(({ error }) => error as Record<string, unknown>);
  }

  /** The nth event of this type, once it was told. */
  async told1(type: string, nth = 1): Promise<Told> {
    return until(() => this.of(type)[nth - 1], 2_000);
  }
}
