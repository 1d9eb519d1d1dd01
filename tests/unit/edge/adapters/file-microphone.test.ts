import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { createFileMicrophone } from '../../../../edge/adapters/file-microphone.ts';
import { FRAME_SAMPLES } from '../../../../edge/frames.ts';
import { MicrophoneError } from '../../../../edge/microphone.ts';
import { amplitudeAt, tone, wavFile } from '../../../fakes/wav-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'dual-file-microphone-'));
afterAll(() => rmSync(folder, { recursive: true }));
const fileOf = (name: string, bytes: Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};
const QUICK = { hasRoom: () => true };
const soundOf = async (path: string): Promise<Int16Array[]> => {
  const pieces: Int16Array[] = [];
  await createFileMicrophone({ path, pace: QUICK }).capture(
    (samples) => pieces.push(samples),
    new AbortController().signal,
  );
  return pieces;
};
const pcm = (samples: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(samples.length * 2);
  samples.forEach((sample, i) => bytes.writeInt16LE(sample, 2 * i));
  return bytes;
};

describe('a file as the microphone', () => {
  it('is handed on in frames of 20 ms, every sample as it is, the last frame filled with silence', async () => {
    const samples = Array.from({ length: 700 }, (_, i) => i - 350);
    for (const path of [
      fileOf('plain.wav', wavFile(samples.map((sample) => sample / 32_768))),
      fileOf('plain.raw', pcm(samples)),
      fileOf('odd.PCM', Buffer.concat([pcm(samples), Buffer.of(7)])),
    ]) {
      const frames = await soundOf(path);
      expect(frames.map(({ length }) => length)).toEqual([FRAME_SAMPLES, FRAME_SAMPLES, FRAME_SAMPLES]);
      const all = frames.flatMap((frame) => [...frame]);
      expect(all.slice(0, 700)).toEqual(samples);
      expect(all.slice(700).every((sample) => sample === 0)).toBe(true);
    }
  });

  it('of another rate, in stereo, is brought to 16 kHz mono', async () => {
    const left = tone(700, 2, { hz: 44_100 });
    const stereo = new Float32Array(left.length * 2);
    left.forEach((value, i) => stereo.set([value, value / 2], 2 * i));
    const frames = await soundOf(fileOf('cd.wav', wavFile(stereo, { hz: 44_100, channels: 2 })));
    const all = frames.flatMap((frame) => [...frame]);
    expect(frames).toHaveLength(100);
    expect(amplitudeAt(all, 700)).toBeCloseTo(0.375 * 32_768, -2);
  });

  it('is played in real time, without drift: a late frame does not make the next ones later', async () => {
    const path = fileOf('second.wav', wavFile(tone(200, 1)));
    const arrived: number[] = [];
    const startedAt = performance.now();
    await createFileMicrophone({ path }).capture(() => {
      arrived.push(performance.now() - startedAt);
      // A process that is busy for twenty frames.
      if (arrived.length === 5) while (performance.now() - startedAt < (arrived.at(-1) ?? 0) + 400);
    }, new AbortController().signal);
    expect(arrived).toHaveLength(50);
    arrived.forEach((at, i) => expect(at).toBeGreaterThanOrEqual((i + 1) * 20 - 2));
    const gaps = arrived.slice(6, 25).map((at, i) => at - (arrived[i + 5] ?? 0));
    expect(gaps.filter((gap) => gap < 15).length).toBeGreaterThan(10);
    expect(arrived.at(-1)).toBeLessThan(3_000);
  });

  it('is played as fast as there is room, and no faster', async () => {
    const path = fileOf('long.wav', wavFile(new Float32Array(16_000 * 20)));
    let waiting = 0;
    let most = 0;
    let heard = 0;
    const take = setInterval(() => {
      waiting = 0;
    }, 1);
    await createFileMicrophone({ path, pace: { hasRoom: () => waiting < 50 } }).capture(() => {
      waiting += 1;
      heard += 1;
      most = Math.max(most, waiting);
    }, new AbortController().signal);
    clearInterval(take);
    expect(heard).toBe(1_000);
    expect(most).toBeLessThanOrEqual(50);
  });

  it('has its last sound too when its rate is another', async () => {
    const frames = await soundOf(fileOf('level.wav', wavFile(new Float32Array(800).fill(0.5), { hz: 8_000 })));
    const all = frames.flatMap((frame) => [...frame]);
    expect(all).toHaveLength(1_600);
    expect(all.at(-1)).toBeGreaterThan(5_000);
  });

  it('gives nothing more once it is told to stop', async () => {
    const path = fileOf('quick.wav', wavFile(new Float32Array(16_000)));
    const stop = new AbortController();
    let frames = 0;
    await createFileMicrophone({ path, pace: QUICK }).capture(() => {
      frames += 1;
      if (frames === 3) stop.abort();
    }, stop.signal);
    expect(frames).toBe(3);
  });

  it('ends at once when told to, while it waits for its time or for room', async () => {
    const path = fileOf('stop.wav', wavFile(new Float32Array(16_000 * 10)));
    for (const pace of ['real-time', { hasRoom: () => false }] as const) {
      const stop = new AbortController();
      let after = 0;
      const capturing = createFileMicrophone({ path, pace }).capture(() => {
        if (stop.signal.aborted) after += 1;
      }, stop.signal);
      setTimeout(() => stop.abort(), 50);
      const startedAt = performance.now();
      await capturing;
      expect(performance.now() - startedAt).toBeLessThan(2_000);
      expect(after).toBe(0);
    }
  });

  it('says in words why it cannot be played; no waiting helps', async () => {
    const cases: [string, RegExp][] = [
      [join(folder, 'nowhere.wav'), /^cannot play nowhere\.wav: it is not there$/],
      [folder, /^cannot play dual-file-microphone-.*: it is a folder$/],
      [
        fileOf('song.wav', Buffer.from('ID3, a song in another format')),
        /^cannot play song\.wav: it is not a WAV file$/,
      ],
      [fileOf('empty.wav', wavFile([])), /^cannot play empty\.wav: it holds no sound$/],
      [fileOf('empty.raw', Buffer.alloc(0)), /^cannot play empty\.raw: it holds no sound$/],
    ];
    for (const [path, words] of cases) {
      const failure: unknown = await soundOf(path).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(MicrophoneError);
      expect(failure).toMatchObject({ retryable: false, message: expect.stringMatching(words) as unknown });
    }
  });

  it('is named by its name alone, and has an end', () => {
    expect(createFileMicrophone({ path: join(folder, 'demo.wav') })).toMatchObject({ label: 'demo.wav', finite: true });
  });
});
