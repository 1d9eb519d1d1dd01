import { createSileroDetector } from '../../edge/adapters/silero-detector.ts';
import { createHearing } from '../../edge/hearing.ts';
import type { Hearing, HearingEvents, HearingOptions } from '../../edge/hearing.ts';
import { createGateLog } from './gate-log.ts';

/** Real hearing, with the Silero detector unless another is given, and everything it told. */
export const startHearing = (options: Pick<HearingOptions, 'microphone'> & Partial<HearingOptions>) => {
  const log = createGateLog();
  const stop = new AbortController();
  const states: string[] = [];
  const troubles: string[] = [];
  const noticedMs: number[] = [];
  const events: HearingEvents = {
    ...log.events,
    begin: (onset) => {
      noticedMs.push(performance.now() - onset.capturedAtMs);
      log.events.begin(onset);
    },
    microphone: (state, problem) => void states.push(problem === null ? state : `${state}: ${problem}`),
    trouble: (text) => void troubles.push(text),
  };
  const heard: Hearing = createHearing({
    openDetector: (told) => createSileroDetector(told),
    signal: stop.signal,
    events,
    ...options,
  });
  return { ...log, heard, stop, states, troubles, noticedMs };
};
/** Frames something became of. */
export const accounted = ({ counts }: Hearing): number => counts.sent + counts.silent + counts.lost;
