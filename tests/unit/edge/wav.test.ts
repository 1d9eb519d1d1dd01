import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createWavSamples, readWavFormat, toInt16, WavError } from '../../../edge/wav.ts';
import type { WavFormat } from '../../../edge/wav.ts';
import { wavFile } from '../../fakes/wav-file.ts';

const reading =
  (file: Uint8Array) =>
  async (offset: number, length: number): Promise<Uint8Array> =>
    file.subarray(offset, offset + length);
const formatOf = (file: Uint8Array): Promise<WavFormat> => readWavFormat(reading(file), file.length);
const samplesOf = async (file: Uint8Array): Promise<number[]> => {
  const format = await formatOf(file);
  const bytes = file.subarray(format.dataOffset, format.dataOffset + format.dataBytes);
  return [...createWavSamples(format)(bytes)];
};
/** `bytes` written at `at`. */
const changed = (file: Buffer, at: number, bytes: readonly number[]): Buffer => {
  const copy = Buffer.from(file);
  copy.set(bytes, at);
  return copy;
};

const SOUND = [0, 0.5, -0.5, 0.25, -1, 0.75];

describe('a WAV file', () => {
  it.each([
    ['unsigned 8', 2 ** -7],
    ['signed 16', 2 ** -15],
    ['signed 24', 2 ** -23],
    ['signed 32', 2 ** -31],
    ['float 32', 1e-7],
  ] as const)('is read in %s', async (encoding, step) => {
    for (const isExtensible of [false, true]) {
      const read = await samplesOf(wavFile(SOUND, { encoding, isExtensible }));
      read.forEach((value, i) => expect(Math.abs(value - (SOUND[i] ?? 9))).toBeLessThanOrEqual(step));
      expect(read).toHaveLength(SOUND.length);
    }
  });

  it('becomes one channel: the mean of all', async () => {
    expect(await samplesOf(wavFile([0.5, -0.5, 0.25, 0.75], { channels: 2 }))).toEqual([0, 0.5]);
    expect(await samplesOf(wavFile([0.75, 0, 0], { channels: 3 }))).toEqual([0.25]);
  });

  it('may have chunks of odd length before its samples, and anything behind them', async () => {
    const file = wavFile(SOUND, {
      before: [
        ['LIST', Buffer.from('odd')],
        ['bext', Buffer.alloc(602)],
      ],
      behind: Buffer.from('LIST\x04\0\0\0tail'),
    });
    expect(await samplesOf(file)).toEqual(SOUND.map((value) => Math.min(value, 32_767 / 32_768)));
  });

  it('that was cut off, or written without knowing its size, has as many samples as there are bytes', async () => {
    const whole = wavFile(SOUND);
    for (const file of [
      whole.subarray(0, whole.length - 4),
      wavFile(SOUND.slice(0, 4), { dataSize: 0xffff_ffff, riffSize: 0xffff_ffff }),
      wavFile(SOUND.slice(0, 4), { dataSize: 0x7fff_f000 }),
      wavFile(SOUND.slice(0, 4), { dataSize: 0, riffSize: 36 }),
    ])
      expect(await samplesOf(file)).toEqual(SOUND.slice(0, 4));
  });

  it('that holds no sound, and says so, is taken at its word', async () => {
    expect(await samplesOf(wavFile([], { behind: Buffer.from('LIST\x04\0\0\0tail') }))).toEqual([]);
  });

  it('may be an RF64, whose real size stands in a chunk of its own', async () => {
    const sizes = Buffer.alloc(28);
    sizes.writeBigUInt64LE(8n, 8);
    const file = wavFile(SOUND, { dataSize: 0xffff_ffff, before: [['ds64', sizes]] });
    file.write('RF64');
    expect(await samplesOf(file)).toEqual(SOUND.slice(0, 4));
  });

  it('is refused in words when it is something else', async () => {
    const file = wavFile(SOUND);
    const cases: [Buffer, RegExp][] = [
      [Buffer.from('ID3 an MP3 by its nature'), /^it is not a WAV file$/],
      [Buffer.alloc(0), /^it is not a WAV file$/],
      [changed(file, 8, [...Buffer.from('AVI ')]), /^it is not a WAV file$/],
      [changed(file, 20, [6, 0]), /^A-law samples are not supported/],
      [changed(file, 20, [0x99, 0]), /^format 153 samples are not supported/],
      [changed(file, 34, [12, 0]), /^12-bit samples are not supported/],
      [changed(file, 22, [0, 0]), /^it has 0 channels$/],
      [changed(file, 22, [200, 0]), /^it has 200 channels$/],
      [changed(file, 24, [0, 0, 0, 0]), /^it has 0 samples a second$/],
      [changed(file, 24, [0, 0, 0, 127]), /samples a second$/],
      [changed(file, 32, [3, 0]), /^its format contradicts itself$/],
      [changed(file, 36, [...Buffer.from('junk')]), /^it holds no samples$/],
      [changed(file, 12, [...Buffer.from('junk')]), /^its samples come before their format$/],
      [changed(file, 16, [4, 0, 0, 0]), /^its format chunk is too short$/],
      [changed(wavFile(SOUND, { isExtensible: true }), 48, [9]), /^format 65534 samples are not supported/],
      [changed(wavFile(SOUND, { isExtensible: true }), 16, [18]), /^its format chunk is too short$/],
    ];
    for (const [bytes, why] of cases) await expect(formatOf(bytes)).rejects.toThrow(why);
  });

  it('of any bytes is read or refused, never more than is there, and never for long', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ at: fc.nat(60), value: fc.nat(255) }), { maxLength: 12 }),
        fc.nat(60),
        async (changes, length) => {
          const file = wavFile(SOUND, { before: [['LIST', Buffer.from('odd')]] }).subarray(0, length + 12);
          for (const { at, value } of changes) if (at < file.length) file[at] = value;
          try {
            const { dataOffset, dataBytes } = await formatOf(file);
            expect(dataBytes).toBeGreaterThanOrEqual(0);
            expect(dataOffset + dataBytes).toBeLessThanOrEqual(file.length);
          } catch (error) {
            expect(error).toBeInstanceOf(WavError);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is the same however its bytes are cut', async () => {
    const file = wavFile(SOUND, { encoding: 'signed 24', channels: 2 });
    const format = await formatOf(file);
    const data = file.subarray(format.dataOffset);
    const whole = [...createWavSamples(format)(data)];
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 30 }), (lengths) => {
        const samples = createWavSamples(format);
        const read: number[] = [];
        let at = 0;
        for (const length of [...lengths, data.length]) {
          read.push(...samples(data.subarray(at, at + length)));
          at += length;
        }
        expect(read).toEqual(whole);
      }),
    );
  });

  it('with numbers that are none is silent there', async () => {
    const file = wavFile([Number.NaN, Infinity, 0.5], { encoding: 'float 32' });
    expect(await samplesOf(file)).toEqual([0, 0, 0.5]);
  });

  it('that is too loud is cut at full scale', () => {
    expect([...toInt16(Float32Array.from([1, -1, 7, -7, 0.5, 0]))]).toEqual([
      32_767, -32_768, 32_767, -32_768, 16_384, 0,
    ]);
  });
});
