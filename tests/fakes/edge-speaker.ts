import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inRealTime, PlaybackClock, soundMs } from '../../edge/playback-clock.ts';
import type { Speaker, Voice } from '../../edge/speaker.ts';
import type { Player } from '../../edge/adapters/program-speaker.ts';

const HZ = 24_000;

/** 440 Hz, as loud as speech, in pieces of 20 ms. */
export async function* tone(lengthMs: number): AsyncGenerator<Int16Array, void> {
  for (let at = 0; at < lengthMs; at += 20) {
    const count = (HZ * Math.min(20, lengthMs - at)) / 1_000;
    yield Int16Array.from({ length: count }, (_, i) =>
      Math.round(9_000 * Math.sin((2 * Math.PI * 440 * (i + (at * HZ) / 1_000)) / HZ)),
    );
  }
}

/** One sound that was played. */
export interface Played {
  startedAtMs: number;
  /** When its last sample was consumed, `performance.now()`. */
  lastAtMs: number;
  samples: number;
  /** It was cut off. */
  cut: boolean;
}

/**
 * A device that consumes sound in real time and remembers when; nobody hears it. It complains when two sounds are
 * played at once. `wav` writes what was heard.
 */
export class RecordingSpeaker implements Speaker {
  readonly label = 'recording';
  readonly played: Played[] = [];
  /** Thrown by the next `play`, and then forgotten. */
  failure: Error | null = null;
  readonly #heard: Int16Array[] = [];
  #busy = false;

  async play(samples: AsyncIterable<Int16Array>, signal: AbortSignal): Promise<number> {
    if (this.#busy) throw new Error('RecordingSpeaker: asked to play while it plays');
    if (this.failure) {
      const { failure } = this;
      this.failure = null;
      throw failure;
    }
    this.#busy = true;
    const now = performance.now();
    const one: Played = { startedAtMs: now, lastAtMs: now, samples: 0, cut: false };
    this.played.push(one);
    const clock = new PlaybackClock(0);
    try {
      for await (const piece of inRealTime(samples, clock, 0, signal)) {
        this.#heard.push(piece.slice());
        one.samples += piece.length;
        one.lastAtMs = performance.now();
      }
      return soundMs(one.samples);
    } finally {
      one.cut = signal.aborted;
      this.#busy = false;
    }
  }

  async close(): Promise<void> {
    if (this.#busy) throw new Error('RecordingSpeaker: closed while it plays');
  }

  /** Everything that was heard, as a 16-bit WAV file. */
  wav(file: string): void {
    const bytes = Buffer.concat(this.#heard.map((piece) => Buffer.from(piece.buffer)));
    const head = Buffer.alloc(44);
    head.write('RIFF');
    head.writeUInt32LE(36 + bytes.length, 4);
    head.write('WAVEfmt ', 8);
    head.writeUInt32LE(16, 16);
    head.writeUInt16LE(1, 20);
    head.writeUInt16LE(1, 22);
    head.writeUInt32LE(HZ, 24);
    head.writeUInt32LE(HZ * 2, 28);
    head.writeUInt16LE(2, 32);
    head.writeUInt16LE(16, 34);
    head.write('data', 36);
    head.writeUInt32LE(bytes.length, 40);
    writeFileSync(file, Buffer.concat([head, bytes]));
  }
}

/** Speaks a tone of `wordMs` for each word, and remembers what it was asked to say. */
export class ToneVoice implements Voice {
  readonly label = 'tone';
  readonly said: string[] = [];
  /** Thrown by the next `speak`, and then forgotten. */
  failure: Error | null = null;
  readonly #wordMs: number;
  constructor(wordMs = 40) {
    this.#wordMs = wordMs;
  }

  async *speak(text: string, signal: AbortSignal): AsyncIterable<Int16Array> {
    this.said.push(text);
    if (this.failure) {
      const { failure } = this;
      this.failure = null;
      throw failure;
    }
    for await (const piece of tone(text.split(' ').length * this.#wordMs)) {
      if (signal.aborted) return;
      yield piece;
    }
  }
}

/**
 * A player that is a real process: it takes sound from its standard input as fast as a device plays it, in periods of
 * 10 ms, and writes into `file` when, milliseconds since the epoch. `how` makes it one that is missing a device.
 */
export const playerProgram = (
  folder: string,
  how: 'plays' | 'has no device' | 'dies after 200 ms' | 'closes its input' | 'hangs' = 'plays',
): { player: Player; periods: () => { atMs: number; bytes: number }[] } => {
  const log = join(folder, `${how.replaceAll(' ', '-')}.log`);
  const script = join(folder, `${how.replaceAll(' ', '-')}.cjs`);
  writeFileSync(log, '');
  writeFileSync(
    script,
    `const { appendFileSync } = require('node:fs');
// As sox does: a mild end is one after the last sound.
process.on('SIGTERM', () => {});
const how = ${JSON.stringify(how)};
if (how === 'has no device') { console.error('ALSA lib: cannot find card 0\\nno default audio device configured'); process.exit(1); }
if (how === 'dies after 200 ms') setTimeout(() => process.exit(3), 200);
if (how === 'closes its input') { process.stdin.destroy(); require('node:fs').closeSync(0); setTimeout(() => process.exit(4), 500); }
if (how === 'hangs') setInterval(() => {}, 1_000);
const now = () => performance.timeOrigin + performance.now();
let ended = false, began = 0, taken = 0;
process.stdin.on('end', () => { ended = true; });
if (how !== 'hangs' && how !== 'closes its input') setInterval(() => {
  const due = began === 0 ? 480 : Math.floor(((now() - began) * 48) / 2) * 2 - taken;
  const piece = process.stdin.read(Math.min(Math.max(0, due), process.stdin.readableLength));
  if (piece) { began ||= now(); taken += piece.length; appendFileSync(${JSON.stringify(log)}, now() + ' ' + piece.length + '\\n'); }
  else if (ended || (process.stdin.readableEnded)) process.exit(0);
  else if (process.stdin.readableLength === 0) process.stdin.read(0);
}, 10);
`,
  );
  return {
    player: { name: 'player', command: process.execPath, args: [script], openingMs: 100 },
    periods: () =>
      readFileSync(log, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => {
          const [atMs = 0, bytes = 0] = line.split(' ').map(Number);
          return { atMs, bytes };
        }),
  };
};
