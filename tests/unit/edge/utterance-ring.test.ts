import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { UtteranceRing } from '../../../edge/utterance-ring.ts';

const numbers = (from: number, count: number): Int16Array => Int16Array.from({ length: count }, (_, at) => from + at);

describe('the ring of sound', () => {
  it('gives back what was put in, for each stretch', () => {
    const ring = new UtteranceRing(10);
    const first = ring.begin();
    ring.append(first, numbers(0, 4));
    const second = ring.begin();
    ring.append(second, numbers(100, 5));
    expect([...ring.read(first, first.start, 99)]).toEqual([0, 1, 2, 3]);
    expect([...ring.read(second, second.start + 1, 3)]).toEqual([101, 102, 103]);
    expect([...ring.read(second, second.end, 3)]).toEqual([]);
  });

  it('knows what was overwritten', () => {
    const ring = new UtteranceRing(10);
    const first = ring.begin();
    ring.append(first, numbers(0, 4));
    const second = ring.begin();
    ring.append(second, numbers(0, 6));
    expect(ring.isWhole(first)).toBe(true);
    ring.append(second, numbers(0, 1));
    expect(ring.isWhole(first)).toBe(false);
    expect(ring.isWhole(second)).toBe(true);
    expect(ring.oldest).toBe(1);
  });

  it('takes back the newest stretch, and its room', () => {
    const ring = new UtteranceRing(10);
    const first = ring.begin();
    ring.append(first, numbers(0, 6));
    const noise = ring.begin();
    ring.append(noise, numbers(0, 4));
    ring.takeBack(noise);
    const second = ring.begin();
    ring.append(second, numbers(50, 4));
    expect(ring.isWhole(first)).toBe(true);
    expect([...ring.read(second, second.start, 9)]).toEqual([50, 51, 52, 53]);
  });

  it('copies: what is read stays, what was given may change', () => {
    const ring = new UtteranceRing(4);
    const given = numbers(1, 2);
    const stretch = ring.begin();
    ring.append(stretch, given);
    given.fill(9);
    const read = ring.read(stretch, stretch.start, 2);
    ring.append(stretch, numbers(70, 4));
    expect([...read]).toEqual([1, 2]);
  });

  it('holds the newest samples, whatever the pieces', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.integer({ min: 0, max: 90 }), { maxLength: 12 }),
        (capacity, lengths) => {
          const ring = new UtteranceRing(capacity);
          const stretch = ring.begin();
          const all: number[] = [];
          for (const length of lengths) {
            ring.append(stretch, numbers(all.length, length));
            for (let i = 0; i < length; i += 1) all.push(all.length);
          }
          expect(ring.oldest).toBe(Math.max(0, all.length - capacity));
          expect([...ring.read(stretch, ring.oldest, capacity)]).toEqual(all.slice(ring.oldest));
        },
      ),
    );
  });
});
