import type { Frame } from './frames.ts';
import { meanSquare } from './level.ts';

/** Frames on either side whose level counts: 80 ms in all, so that the closure of a `p` or `t` is no pause. */
const AROUND = 2;

/**
 * Where to cut sound that goes on: the number of the first frame behind the cut, in the middle of the quietest moment.
 * At least one frame is left on either side, where there are two.
 */
export const quietestCut = (frames: readonly Frame[]): number => {
  const powers = frames.map(({ samples }) => meanSquare(samples));
  let at = 1;
  let least = Infinity;
  for (let i = 1; i < frames.length; i += 1) {
    const moment = powers.slice(Math.max(0, i - AROUND), i + AROUND);
    const power = moment.reduce((sum, one) => sum + one, 0) / moment.length;
    if (power < least) {
      least = power;
      at = i;
    }
  }
  return at;
};
