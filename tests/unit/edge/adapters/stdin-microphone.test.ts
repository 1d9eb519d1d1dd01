import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { createStdinMicrophone } from '../../../../edge/adapters/stdin-microphone.ts';
import { delay } from '../../../../platform/lifecycle.ts';
import { until } from '../../../fakes/until.ts';

const hearing = (input: PassThrough, mostSpeed?: number) => {
  const heard: number[] = [];
  const arrived: number[] = [];
  const stop = new AbortController();
  const microphone = createStdinMicrophone({ input, ...(mostSpeed === undefined ? {} : { mostSpeed }) });
  const startedAt = performance.now();
  const capturing = microphone.capture((samples) => {
    heard.push(...samples);
    arrived.push(performance.now() - startedAt);
  }, stop.signal);
  return { heard, arrived, capturing, stop, microphone };
};

describe('standard input as the microphone', () => {
  it('is heard to its end, also when pieces end in the middle of a sample', async () => {
    const input = new PassThrough();
    const { heard, capturing, microphone } = hearing(input);
    input.write(Buffer.of(1, 0, 2));
    input.end(Buffer.of(0, 255, 127, 9));
    await capturing;
    expect(heard).toEqual([1, 2, 32_767]);
    expect(input.destroyed).toBe(true);
    expect(microphone).toMatchObject({ label: 'standard input', finite: true });
  });

  it('that comes all at once is slowed down to what a person could say; all of it is heard', async () => {
    const input = new PassThrough();
    const { heard, arrived, capturing } = hearing(input);
    input.end(Buffer.alloc(2 * 16_000 * 2));
    await capturing;
    expect(heard).toHaveLength(32_000);
    // A second at once, the other at 1.25 times its speed.
    expect(arrived.at(-1)).toBeGreaterThanOrEqual(780);
    expect(arrived.at(-1)).toBeLessThan(5_000);
  });

  it('that paused saves up no more than a second', async () => {
    const input = new PassThrough();
    const { arrived, capturing } = hearing(input);
    await delay(800);
    input.end(Buffer.alloc(2 * 16_000 * 2));
    await capturing;
    expect((arrived.at(-1) ?? 0) - (arrived[0] ?? 0)).toBeGreaterThanOrEqual(700);
  });

  it('that is live is never held back', async () => {
    const input = new PassThrough();
    const { heard, capturing } = hearing(input);
    for (let i = 0; i < 20; i += 1) {
      input.write(Buffer.alloc(640));
      await delay(20);
      expect(heard.length).toBeGreaterThanOrEqual(320 * i);
    }
    input.end();
    await capturing;
  });

  it('ends when told to, also when nothing comes, or much is left', async () => {
    for (const bytes of [0, 320_000]) {
      const input = new PassThrough();
      input.write(Buffer.alloc(bytes));
      const { heard, capturing, stop } = hearing(input);
      await delay(50);
      stop.abort();
      await capturing;
      expect(input.destroyed).toBe(true);
      const before = heard.length;
      await delay(50);
      expect(heard.length).toBe(before);
    }
  });

  it('that breaks says so', async () => {
    const input = new PassThrough();
    const { capturing } = hearing(input);
    input.destroy(new Error('EIO'));
    await expect(capturing).rejects.toMatchObject({
      name: 'MicrophoneError',
      retryable: false,
      message: 'standard input cannot be read: EIO',
    });
  });

  it('is not read when all is over already', async () => {
    const input = new PassThrough();
    input.write(Buffer.alloc(640));
    let heard = 0;
    await createStdinMicrophone({ input }).capture(() => (heard += 1), AbortSignal.abort());
    expect(heard).toBe(0);
    await until(() => (input.destroyed ? true : undefined));
  });
});
