import { describe, expect, it } from '@jest/globals';
import { aborted, Closer, delay } from '../../../platform/lifecycle.ts';
import { oneLine, previewBytes } from '../../../platform/text.ts';

describe('closing', () => {
  it('closes last opened first, goes on after a failure, reports it, and does it once', async () => {
    const order: string[] = [];
    const closer = new Closer();
    closer.add('first', () => order.push('first'));
    closer.add('second', () => {
      order.push('second');
      throw new Error('stuck');
    });
    closer.add('third', async () => order.push('third'));
    const [failures, again] = await Promise.all([closer.close(), closer.close()]);
    expect(order).toEqual(['third', 'second', 'first']);
    expect(failures.map((failure) => failure.message)).toEqual(['second: stuck']);
    expect(again).toBe(failures);
  });
});

describe('waiting', () => {
  it('ends at once when aborted, before or during, and leaves no listener', async () => {
    const controller = new AbortController();
    const during = delay(60_000, controller.signal);
    controller.abort(new Error('enough'));
    await expect(during).rejects.toThrow('enough');
    await expect(delay(60_000, controller.signal)).rejects.toThrow('enough');
    await aborted(controller.signal);
  });
});

describe('text for people', () => {
  it('is cut at characters and folded to one line', () => {
    expect(previewBytes('äöü', 10)).toBe('äöü');
    expect(previewBytes('ääääää', 8)).toBe('ää…');
    expect(oneLine('a\n\tb\u0007c   d', 100)).toBe('a b c d');
    expect(oneLine('abcdef', 4)).toBe('abc…');
  });
});
