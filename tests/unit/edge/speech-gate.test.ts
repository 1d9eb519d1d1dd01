import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FRAME_MS } from '../../../edge/frames.ts';
import { quietestCut } from '../../../edge/quietest-cut.ts';
import { createSpeechGate, GATE_DEFAULTS } from '../../../edge/speech-gate.ts';
import type { GateSettings } from '../../../edge/speech-gate.ts';
import { createGateLog, frameAt } from '../../fakes/gate-log.ts';

/** Windows of 20 ms keep the numbers of a test readable; `endLagMs` 0 too. */
const PLAIN: Partial<GateSettings> = { endLagMs: 0, onsetMs: 20, minSpeechMs: 60 };

/** A gate that hears frames, each judged at once. */
const listening = (settings: Partial<GateSettings> = {}) => {
  const log = createGateLog();
  const gate = createSpeechGate({ ...PLAIN, ...settings }, log.events);
  let next = 0;
  const judge = (n: number, probability: number): void =>
    gate.verdict({ endMs: (n + 1) * FRAME_MS, windowMs: FRAME_MS, probability });
  const hear = (count: number, probability: number | null, value = 0): void => {
    for (let i = 0; i < count; i += 1) {
      gate.frame(frameAt(next, value));
      if (probability !== null) judge(next, probability);
      next += 1;
    }
  };
  return { ...log, gate, judge, hear };
};
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe('an utterance', () => {
  it('begins at the onset with the sound of 400 ms before it, and ends after a pause of 300 ms', () => {
    const { hear, utterances, gate } = listening();
    hear(50, 0);
    hear(30, 0.9);
    expect(gate.isOpen).toBe(true);
    hear(40, 0.1);
    expect(gate.isOpen).toBe(false);
    expect(utterances).toEqual([
      { onsetMs: 1_000, preRoll: 21, frames: range(30, 95), end: { endMs: 1_600, reason: 'silence' } },
    ]);
    expect(gate.counts).toEqual({ captured: 120, sent: 65, silent: 30 + 5, lost: 0, held: 20 });
  });

  it('takes no more of the sound before it than there is, and none twice', () => {
    const { hear, utterances } = listening();
    hear(5, 0);
    hear(10, 0.9);
    hear(15, 0);
    hear(3, 0);
    hear(10, 0.9);
    hear(20, 0);
    expect(utterances.map(({ frames, onsetMs }) => [onsetMs, frames])).toEqual([
      [100, range(0, 30)],
      [660, range(30, 58)],
    ]);
  });

  it('goes on through a shorter pause, and through a voice that sinks below the threshold of an onset', () => {
    const { hear, utterances } = listening({ onsetThreshold: 0.5, releaseThreshold: 0.3 });
    hear(10, 0.9);
    hear(14, 0);
    hear(60, 0.4);
    hear(15, 0);
    expect(utterances).toHaveLength(1);
    expect(utterances[0]?.end).toEqual({ endMs: 84 * FRAME_MS, reason: 'silence' });
  });

  it('does not begin below the threshold, nor with less speech in a row than asked for', () => {
    const { hear, utterances } = listening({ onsetMs: 60 });
    hear(100, 0.29);
    for (let i = 0; i < 20; i += 1) {
      hear(2, 0.9);
      hear(1, 0.1);
    }
    expect(utterances).toEqual([]);
    hear(3, 0.9);
    expect(utterances).toMatchObject([{ onsetMs: 160 * FRAME_MS, preRoll: 23 }]);
  });

  it('with less speech than a word has was none', () => {
    const { hear, utterances, gate } = listening();
    hear(2, 0.9);
    hear(30, 0);
    hear(3, 0.9);
    hear(30, 0);
    expect(utterances.map(({ end }) => end)).toEqual(['discarded', { endMs: 700, reason: 'silence' }]);
    expect(gate.counts.sent).toBe(17 + 33);
  });

  it('ends where speech did, not where the detector noticed: its lag is part of the pause', () => {
    const { hear, utterances, gate } = listening({ endLagMs: 80 });
    hear(20, 0.9);
    hear(10, 0);
    expect(gate.isOpen).toBe(true);
    hear(1, 0);
    expect(utterances[0]?.end).toEqual({ endMs: 320, reason: 'silence' });
  });

  it('is sent at once while it lasts, also before its sound is judged', () => {
    const { hear, utterances } = listening();
    hear(5, 0.9);
    hear(7, null);
    expect(utterances[0]?.frames).toEqual(range(0, 12));
  });

  it('ends with the sound, or where sound is missing', () => {
    for (const how of ['flush', 'gap'] as const) {
      const { hear, utterances, gate } = listening();
      hear(30, 0.9);
      if (how === 'gap') gate.gap(5_000);
      else gate.flush();
      expect(utterances[0]?.end).toEqual({ endMs: 600, reason: how === 'gap' ? 'gap' : 'ended' });
      expect(gate.counts).toMatchObject({ captured: 30, sent: 30, held: 0 });
    }
  });
});

describe('a detector that is late', () => {
  it('loses nothing: what it says of old sound opens the gate with all sound since', () => {
    const { gate, judge, hear, utterances } = listening();
    hear(30, 0);
    hear(40, null);
    expect(utterances).toEqual([]);
    judge(30, 0.9);
    expect(utterances).toMatchObject([{ onsetMs: 600, frames: range(10, 70) }]);
    expect(gate.counts.lost).toBe(0);
  });

  it('costs the oldest sound when it is too late, which is counted and said, once', () => {
    const { gate, judge, hear, utterances, stalls } = listening({ maxUnjudgedMs: 1_000 });
    hear(30, 0);
    hear(60, null);
    expect(stalls).toEqual([true]);
    expect(gate.counts).toMatchObject({ captured: 90, silent: 30, lost: 10, held: 50 });
    hear(5, null);
    judge(60, 0);
    expect(stalls).toEqual([true, false]);
    expect(gate.counts.lost).toBe(15);
    judge(61, 0.9);
    expect(utterances).toMatchObject([{ frames: range(45, 95) }]);
  });

  it('ends what was being said when it is too late: silence is never sent', () => {
    const { hear, gate, utterances } = listening({ maxUnjudgedMs: 1_000 });
    hear(10, 0.9);
    hear(200, null);
    expect(utterances).toMatchObject([{ frames: range(0, 61), end: { reason: 'gap' } }]);
    expect(gate.counts).toMatchObject({ sent: 61, held: 50, lost: 99 });
  });

  it('is told what it has not judged yet, to begin again there', () => {
    const { hear, gate } = listening();
    hear(10, 0);
    hear(3, null);
    expect(gate.unjudged.map(({ audioMs }) => audioMs / FRAME_MS)).toEqual([10, 11, 12]);
  });

  it('is not listened to about sound before a gap, twice, out of turn, or that was not captured', () => {
    const { hear, gate, judge, utterances } = listening();
    hear(50, 0);
    gate.gap(2_000);
    judge(49, 0.9);
    judge(99, 0.9);
    judge(5_000, 0.9);
    gate.verdict({ endMs: Number.NaN, windowMs: 20, probability: 0.9 });
    expect(utterances).toEqual([]);
    gate.frame(frameAt(100));
    judge(100, 0.9);
    expect(utterances).toMatchObject([{ onsetMs: 2_000, frames: [100] }]);
  });
});

describe('sound that is never judged', () => {
  it('counts as silent when it is too short for a word, as lost when it is not', () => {
    for (const [count, want] of [
      [5, { silent: 15, lost: 0 }],
      [6, { silent: 10, lost: 6 }],
    ] as const) {
      const { hear, gate } = listening();
      hear(10, 0);
      hear(count, null);
      gate.flush();
      expect(gate.counts).toMatchObject({ ...want, held: 0 });
    }
  });
});

describe('an utterance that is too long', () => {
  const long = { maxUtteranceMs: 2_000, cutSearchMs: 400 };

  it('is cut at the quietest moment of its end; the next begins there, without a frame between', () => {
    const { hear, utterances, gate } = listening(long);
    hear(85, 0.9, 5_000);
    hear(4, 0.9, 100);
    hear(61, 0.9, 5_000);
    hear(20, 0);
    expect(utterances).toEqual([
      { onsetMs: 0, preRoll: 1, frames: range(0, 87), end: { endMs: 87 * FRAME_MS, reason: 'max' } },
      { onsetMs: 87 * FRAME_MS, preRoll: 13, frames: range(87, 165), end: { endMs: 3_000, reason: 'silence' } },
    ]);
    expect(gate.counts).toMatchObject({ captured: 170, sent: 165 });
  });

  it('is cut again and again, and stays bounded', () => {
    const { hear, utterances, gate } = listening(long);
    hear(1_000, 0.9, 5_000);
    gate.flush();
    expect(utterances.flatMap(({ frames }) => frames)).toEqual(range(0, 1_000));
    expect(Math.max(...utterances.map(({ frames }) => frames.length))).toBeLessThanOrEqual(100);
    expect(utterances.length).toBeLessThan(16);
  });

  it('leaves no second one behind when speech had ended before the cut', () => {
    const { hear, utterances } = listening({ ...long, hangOverMs: 600 });
    hear(75, 0.9, 5_000);
    hear(60, 0, 0);
    expect(utterances.map(({ end }) => end)).toEqual([{ endMs: 1_500, reason: 'max' }, 'discarded']);
  });

  it('keeps the last syllable, however short, when the cut falls before it', () => {
    const { hear, utterances } = listening({ ...long, minSpeechMs: 400, onsetThreshold: 0.5 });
    hear(94, 0.9, 5_000);
    hear(4, 0, 100);
    hear(2, 0.4, 5_000);
    hear(1, 0.4, 5_000);
    hear(30, 0);
    expect(utterances.map(({ end }) => end)).toMatchObject([{ reason: 'max' }, { reason: 'silence' }]);
  });

  it('that ends by itself while sound is held back is sent whole', () => {
    const { hear, utterances } = listening(long);
    hear(78, 0.9);
    hear(30, 0);
    expect(utterances).toMatchObject([{ frames: range(0, 93), end: { reason: 'silence' } }]);
  });

  it('is cut between frames, with at least one on either side', () => {
    expect(quietestCut([frameAt(0, 9), frameAt(1, 9)])).toBe(1);
    fc.assert(
      fc.property(fc.array(fc.nat(30_000), { minLength: 2, maxLength: 80 }), (values) => {
        const at = quietestCut(values.map((value, n) => frameAt(n, value)));
        expect(at).toBeGreaterThan(0);
        expect(at).toBeLessThan(values.length);
      }),
    );
  });
});

describe('an hour of talk and pauses', () => {
  it('no more is held after an hour than after a minute', () => {
    const { hear, gate } = listening(GATE_DEFAULTS);
    for (let minute = 0; minute < 60; minute += 1) {
      hear(1_500, 0.9);
      hear(1_500, 0);
      expect(gate.counts.held).toBeLessThan(100);
    }
    expect(gate.counts).toMatchObject({ captured: 180_000, lost: 0 });
  });
});
