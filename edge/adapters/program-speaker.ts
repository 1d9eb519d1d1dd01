import { spawn } from 'node:child_process';
import { codeOf } from '../../platform/errors.ts';
import { delay, unlessAborted } from '../../platform/lifecycle.ts';
import { WIRE_HZ } from '../frames.ts';
import { inRealTime, PlaybackClock } from '../playback-clock.ts';
import type { Speaker } from '../speaker.ts';

/** Sound on its way to the player: enough for a busy machine, little enough to be silent soon where only a wrapper dies. */
const LEAD_MS = 120;
/** After its last sound a player has so long to end. */
const ENDING_MS = 3_000;
/** A killed player is gone in a few; the silence is not waited for longer. */
const KILLED_MS = 150;
const MAX_COMPLAINT_CHARS = 2_000;

/** A program that plays raw sound from its standard input: 24 kHz, 16 bit little-endian, mono. */
export interface Player {
  /** For people and settings: `sox`, `aplay`, `ffplay`. */
  name: string;
  command: string;
  args: readonly string[];
  /** From its start until its device sounds, milliseconds, rather too long: what was heard is never made more than it was. */
  openingMs: number;
}

const RATE = String(WIRE_HZ);

/** How each program is told to play what it is given; `command` is where it was found. Openings as measured with ALSA. */
export const PLAYERS: Readonly<Record<'sox' | 'aplay' | 'ffplay', (command: string, platform: string) => Player>> = {
  sox: (command, platform) => ({
    name: 'sox',
    command,
    args: [
      ...['-q', '--buffer', '1024', '-t', 'raw', '-r', RATE, '-e', 'signed-integer', '-b', '16', '-c', '1', '-L', '-'],
      // Its default device is not found by sox 14.4 on Windows unless the driver is named.
      ...(platform === 'win32' ? ['-t', 'waveaudio', 'default'] : ['-d']),
    ],
    openingMs: 100,
  }),
  aplay: (command) => ({
    name: 'aplay',
    command,
    args: ['-q', '-t', 'raw', '-f', 'S16_LE', '-r', RATE, '-c', '1', '--buffer-time=100000', '-'],
    openingMs: 50,
  }),
  ffplay: (command) => ({
    name: 'ffplay',
    command,
    args: [
      ...['-nodisp', '-autoexit', '-loglevel', 'error', '-nostats', '-fflags', 'nobuffer', '-probesize', '32'],
      ...['-f', 's16le', '-ar', RATE, '-i', 'pipe:0'],
    ],
    openingMs: 350,
  }),
};

const toBytes = (samples: Int16Array): Buffer => Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);

/** The last line a program wrote is what it died of. */
const lastLine = (text: string): string => text.trim().split('\n').at(-1)?.trim() ?? '';

/** The player could not do its work; the message says what a person can do. */
export class PlayerError extends Error {
  override readonly name = 'PlayerError';
}

/** Plays through a program that is started for each sentence, inherits `env`, and is killed to be silent. */
export const createProgramSpeaker = (
  { name, command, args, openingMs }: Player,
  env: Readonly<Record<string, string>>,
): Speaker => ({
  label: name,
  play: async (samples, signal) => {
    if (signal.aborted) return 0;
    const child = spawn(command, args, { env, stdio: ['pipe', 'ignore', 'pipe'], windowsHide: true });
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-MAX_COMPLAINT_CHARS);
    });
    // Its end says more than a broken pipe does.
    child.stdin.on('error', () => undefined);
    const gone = new AbortController();
    const ended = new Promise<PlayerError | null>((resolve) => {
      child.on('error', (error) =>
        resolve(
          new PlayerError(
            codeOf(error) === 'ENOENT'
              ? `${name} is not installed or not on PATH`
              : `${name} cannot be started (${codeOf(error) || error.message})`,
          ),
        ),
      );
      child.on('close', (code) =>
        resolve(
          code === 0
            ? null
            : new PlayerError(
                `${name} cannot play: ${lastLine(complaint) || `it ended with code ${code}`}; is a loudspeaker or headset connected?`,
              ),
        ),
      );
    }).then((failure) => {
      gone.abort();
      return failure;
    });

    const clock = new PlaybackClock(openingMs);
    /** SIGKILL, since sox plays to its end on a milder one; on Windows any ends it at once. */
    const silence = async (): Promise<void> => {
      child.kill('SIGKILL');
      child.stdin.destroy();
      await Promise.race([ended, delay(KILLED_MS)]);
    };
    const stop = AbortSignal.any([signal, gone.signal]);
    try {
      for await (const piece of inRealTime(samples, clock, openingMs + LEAD_MS, stop))
        if (!child.stdin.write(toBytes(piece)))
          await unlessAborted(new Promise((resolve) => child.stdin.once('drain', resolve)), stop);
      if (!stop.aborted) {
        child.stdin.end();
        await delay(clock.aheadMs(performance.now()) + ENDING_MS, stop);
      }
    } catch (error) {
      if (!stop.aborted) {
        await silence();
        throw error;
      }
    }
    const heardMs = clock.heardMs(performance.now());
    if (signal.aborted) {
      await silence();
      return heardMs;
    }
    if (!gone.signal.aborted) {
      await silence();
      throw new PlayerError(`${name} did not come to its end, and was stopped`);
    }
    const failure = await ended;
    if (failure) throw failure;
    if (!child.stdin.writableEnded) throw new PlayerError(`${name} ended before it had played everything`);
    return clock.writtenMs;
  },
  close: async () => undefined,
});
