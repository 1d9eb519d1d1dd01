import { delay } from '../../platform/lifecycle.ts';
import { inRealTime, PlaybackClock } from '../playback-clock.ts';
import type { Speaker } from '../speaker.ts';

/** Takes sound as fast as it would be heard, and lets nobody hear it: for machines without a device, and for tests. */
export const createSilentSpeaker = (): Speaker => ({
  label: 'silent',
  play: async (samples, signal) => {
    const clock = new PlaybackClock(0);
    // Nothing to do with a piece: taking its time is all.
    for await (const piece of inRealTime(samples, clock, 0, signal)) void piece;
    await delay(clock.aheadMs(performance.now()), signal).catch(() => undefined);
    return signal.aborted ? clock.heardMs(performance.now()) : clock.writtenMs;
  },
  close: async () => undefined,
});
