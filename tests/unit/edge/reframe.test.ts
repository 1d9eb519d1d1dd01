import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FRAME_SAMPLES } from '../../../edge/frames.ts';
import { levelDbfs, SILENCE_DBFS } from '../../../edge/level.ts';
import { createPcmBytes } from '../../../edge/pcm-bytes.ts';
import { createReframer } from '../../../edge/reframe.ts';

const pieces = <T extends { subarray(from: number, to: number): T; length: number }>(
  all: T,
  lengths: readonly number[],
): T[] => {
  const cut: T[] = [];
  let at = 0;
  for (const length of [...lengths, all.length]) {
    cut.push(all.subarray(at, at + length));
    at += length;
  }
  return cut;
};

describe('frames of 20 ms', () => {
  it('hold every sample once, in order, however the sound comes; the last is filled with silence', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 3_000 }),
        fc.array(fc.integer({ min: 0, max: 2_100 }), { maxLength: 20 }),
        (count, lengths) => {
          const sound = Int16Array.from({ length: count }, (_, i) => i + 1);
          const frames: Int16Array[] = [];
          const reframer = createReframer((frame) => frames.push(frame));
          for (const piece of pieces(sound, lengths)) reframer.push(piece);
          expect(frames).toHaveLength(Math.floor(count / FRAME_SAMPLES));
          expect(reframer.pending).toBe(count % FRAME_SAMPLES);
          reframer.flush();
          reframer.flush();
          expect(reframer.pending).toBe(0);
          expect(frames.every((frame) => frame.length === FRAME_SAMPLES)).toBe(true);
          const all = frames.flatMap((frame) => [...frame]);
          expect(all.slice(0, count)).toEqual([...sound]);
          expect(all.slice(count).every((sample) => sample === 0)).toBe(true);
        },
      ),
    );
  });

  it('have samples of their own: what they were made of may be written to again', () => {
    const frames: Int16Array[] = [];
    const reframer = createReframer((frame) => frames.push(frame));
    const buffer = new Int16Array(FRAME_SAMPLES).fill(7);
    reframer.push(buffer);
    buffer.fill(9);
    reframer.push(buffer);
    expect(frames.map((frame) => frame[0])).toEqual([7, 9]);
  });
});

describe('bytes of samples', () => {
  it('are joined across pieces that end in the middle of one, low byte first', () => {
    const samples = Int16Array.from([1, -1, 32_767, -32_768, 258, 0]);
    const bytes = new Uint8Array(samples.length * 2);
    samples.forEach((sample, i) => new DataView(bytes.buffer).setInt16(2 * i, sample, true));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 12 }), (lengths) => {
        const reader = createPcmBytes();
        expect(pieces(bytes, lengths).flatMap((piece) => [...reader.push(piece)])).toEqual([...samples]);
        expect(reader.pending).toBe(0);
      }),
    );
    expect([...createPcmBytes().push(Uint8Array.of(0x34, 0x12))]).toEqual([0x1234]);
  });

  it('of several channels become their mean', () => {
    const reader = createPcmBytes(4);
    const bytes = Buffer.alloc(18);
    [100, 200, 300, 400, -1, -1, -1, -1].forEach((sample, i) => bytes.writeInt16LE(sample, 2 * i));
    expect([...reader.push(bytes.subarray(0, 5)), ...reader.push(bytes.subarray(5))]).toEqual([250, -1]);
    expect(reader.pending).toBe(2);
  });
});

describe('a level', () => {
  it('is 0 at full scale, 6 less for half of it, and never below that of silence', () => {
    expect(levelDbfs(new Int16Array(320).fill(-32_768))).toBeCloseTo(0, 3);
    expect(levelDbfs(new Int16Array(320).fill(16_384))).toBeCloseTo(-6.02, 2);
    expect(levelDbfs(new Int16Array(320))).toBe(SILENCE_DBFS);
    expect(levelDbfs(new Int16Array(0))).toBe(SILENCE_DBFS);
    expect(levelDbfs(Int16Array.of(1))).toBeGreaterThan(SILENCE_DBFS);
  });
});
