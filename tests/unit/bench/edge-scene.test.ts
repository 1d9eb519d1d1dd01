import { describe, expect, it } from '@jest/globals';
import { metricIn } from '../../../bench/edge-process.ts';
import { sceneOf } from '../../../bench/edge-scene.ts';

const said = (name: string, ms: number) => ({
  name,
  samples: new Float32Array(ms * 16).fill(0.5),
  onsetMs: 10,
  endMs: ms - 20,
});

describe('sceneOf', () => {
  const scene = sceneOf(
    [
      { speech: said('one', 100), pauseMs: 50 },
      { speech: said('two', 200), pauseMs: 300 },
    ],
    1_000,
  );

  it('knows where each sentence is', () => {
    expect(scene.sentences).toEqual([
      { text: 'one', onsetMs: 1_010, endMs: 1_080 },
      { text: 'two', onsetMs: 1_160, endMs: 1_330 },
    ]);
    expect(scene.lengthMs).toBe(1_650);
    expect(scene.samples).toHaveLength(1_650 * 16);
  });

  it('puts the sound there, in a room that is not quite silent', () => {
    const loudest = (fromMs: number, toMs: number): number =>
      scene.samples.subarray(fromMs * 16, toMs * 16).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(loudest(1_000, 1_100)).toBeCloseTo(0.5, 2);
    expect(loudest(1_150, 1_350)).toBeCloseTo(0.5, 2);
    for (const [from, to] of [
      [0, 1_000],
      [1_100, 1_150],
      [1_350, 1_650],
    ] as const) {
      expect(loudest(from, to)).toBeLessThan(0.001);
      expect(loudest(from, to)).toBeGreaterThan(0);
    }
  });
});

describe('metricIn', () => {
  const text = 'loop_total 9\nframes_total{kind="lost"} 0\nloop 8\nloop{quantile="0.99"} 0.0012\n';
  it('reads one series', () => {
    expect(metricIn(text, 'frames_total{kind="lost"}')).toBe(0);
    expect(metricIn(text, 'loop')).toBe(8);
    expect(metricIn(text, 'loop{quantile="0.99"}')).toBe(0.0012);
  });
  it('does not take one that is missing for 0', () => {
    expect(() => metricIn(text, 'frames_total{kind="sent"}')).toThrow('no frames_total{kind="sent"} among the metrics');
  });
});
