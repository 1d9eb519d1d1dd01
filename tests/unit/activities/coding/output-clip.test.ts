import { describe, expect, it } from '@jest/globals';
import { OutputClip } from '../../../../activities/coding/output-clip.ts';

const clip = (maxChars: number, pieces: (string | Buffer)[]): string => {
  const output = new OutputClip(maxChars);
  for (const piece of pieces) output.write(Buffer.from(piece));
  return output.end();
};

describe('clipped output', () => {
  it('is whole when it fits', () => {
    expect(clip(10, ['12345', '67890'])).toBe('1234567890');
  });

  it('keeps beginning and end and says how much is missing', () => {
    expect(clip(10, ['12345', 'x'.repeat(1_000), '67890'])).toBe('12345\n[... 1000 characters cut here ...]\n67890');
  });

  it('takes pieces of any size, also through a character', () => {
    const bytes = Buffer.from('äöü€😀');
    expect(
      clip(
        100,
        Array.from(bytes, (byte) => Buffer.from([byte])),
      ),
    ).toBe('äöü€😀');
  });

  it('shows NUL, which no provider takes, as a replacement', () => {
    expect(clip(100, ['a\0b'])).toBe('a\uFFFDb');
  });

  it('does not grow with what it drops', () => {
    const output = new OutputClip(100);
    for (let piece = 0; piece < 10_000; piece += 1) output.write(Buffer.alloc(1_000, 'y'));
    expect(output.end()).toHaveLength(100 + '\n[... 9999900 characters cut here ...]\n'.length);
  });
});
