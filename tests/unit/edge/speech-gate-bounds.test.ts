import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FRAME_MS } from '../../../edge/frames.ts';
import { createSpeechGate } from '../../../edge/speech-gate.ts';
import { createGateLog, frameAt } from '../../fakes/gate-log.ts';

type Step =
  | { kind: 'frames'; count: number; value: number }
  | { kind: 'verdict'; backMs: number; windowMs: number; probability: number }
  | { kind: 'gap'; ms: number };
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('frames' as const),
      count: fc.integer({ min: 1, max: 30 }),
      value: fc.nat(20_000),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('verdict' as const),
      backMs: fc.oneof(
        { weight: 5, arbitrary: fc.integer({ min: 0, max: 60 }) },
        { weight: 1, arbitrary: fc.integer({ min: -50, max: 3_000 }) },
      ),
      windowMs: fc.constantFrom(20, 32, 96),
      probability: fc.constantFrom(0, 0.1, 0.25, 0.4, 0.9, 1),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('gap' as const), ms: fc.nat(5_000) }) },
);

describe('whatever comes', () => {
  it('no frame is told twice, none out of order, and every one is accounted for; nothing grows', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 150 }),
        fc.record({
          preRollMs: fc.constantFrom(0, 300, 500),
          hangOverMs: fc.constantFrom(20, 300),
          endLagMs: fc.constantFrom(0, 80),
          onsetMs: fc.constantFrom(1, 60),
          minSpeechMs: fc.constantFrom(0, 120),
          maxUtteranceMs: fc.constantFrom(500, 2_000),
          cutSearchMs: fc.constantFrom(0, 400),
          maxUnjudgedMs: fc.constantFrom(200, 1_000),
        }),
        (steps, settings) => {
          const log = createGateLog();
          const gate = createSpeechGate(settings, log.events);
          const most =
            (settings.preRollMs + settings.maxUnjudgedMs + settings.maxUtteranceMs + settings.onsetMs) / FRAME_MS + 10;
          let nowMs = 0;
          for (const one of steps) {
            if (one.kind === 'frames')
              for (let i = 0; i < one.count; i += 1) {
                gate.frame({ ...frameAt(0, one.value), audioMs: nowMs });
                nowMs += FRAME_MS;
              }
            else if (one.kind === 'verdict')
              gate.verdict({ endMs: nowMs - one.backMs, windowMs: one.windowMs, probability: one.probability });
            else {
              nowMs += one.ms * FRAME_MS;
              gate.gap(nowMs);
            }
            const { captured, sent, silent, lost, held } = gate.counts;
            expect(sent + silent + lost + held).toBe(captured);
            expect(held).toBeLessThanOrEqual(most);
            expect(gate.unjudged.length).toBeLessThanOrEqual(settings.maxUnjudgedMs / FRAME_MS);
          }
          gate.flush();
          const { captured, sent, silent, lost, held } = gate.counts;
          expect(held).toBe(0);
          expect(sent + silent + lost).toBe(captured);
          const told = log.utterances.flatMap(({ frames }) => frames);
          expect(told).toHaveLength(sent);
          told.forEach((frame, i) => expect(frame).toBeGreaterThan(told[i - 1] ?? -1));
          for (const { frames } of log.utterances)
            expect(frames.length * FRAME_MS).toBeLessThanOrEqual(
              settings.maxUtteranceMs + settings.preRollMs + settings.maxUnjudgedMs + 2 * FRAME_MS,
            );
          expect(log.utterances.every(({ end }) => end !== undefined)).toBe(true);
        },
      ),
      { numRuns: 400 },
    );
  });
});
