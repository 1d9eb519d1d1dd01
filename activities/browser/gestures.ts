import type { Hands } from './navigate.ts';

/** What takes more than one step with the mouse or the keyboard. None of it goes on once the action's signal is aborted. */

export interface Place {
  x: number;
  y: number;
}

export const DIRECTIONS = { up: [0, -1], down: [0, 1], left: [-1, 0], right: [1, 0] } as const;
export type Direction = keyof typeof DIRECTIONS;

/** Characters typed between two looks at the signal; on a page that hangs they come late, in the middle of other calls. */
const TYPED_AT_ONCE = 10;

/** One after the other, and none once the signal is aborted: it would happen in the middle of later calls. */
export const inSteps = async ({ signal }: Hands, ...steps: (() => Promise<void>)[]): Promise<void> => {
  for (const step of steps) {
    signal.throwIfAborted();
    await step();
  }
};

/** Holds the keys one by one and lets go of them again, whatever happens. */
export const press = async (hands: Hands, keys: readonly string[]): Promise<void> => {
  const { window } = hands;
  const held: string[] = [];
  try {
    for (const key of keys) {
      await inSteps(hands, () => window.keyDown(key));
      held.unshift(key);
    }
  } finally {
    for (const key of held) await window.keyUp(key);
  }
};

/** `enter`: presses Enter at the end. */
export const typeText = async (hands: Hands, typed: string, enter: boolean): Promise<void> => {
  const letters = Array.from(typed); // never half a letter of two code units
  for (let from = 0; from < letters.length; from += TYPED_AT_ONCE)
    await inSteps(hands, () => hands.window.type(letters.slice(from, from + TYPED_AT_ONCE).join('')));
  if (enter) await press(hands, ['Enter']);
};

/** Presses or releases the left button at a place. */
export const button = async (hands: Hands, what: 'down' | 'up', at: Place): Promise<void> => {
  const { window } = hands;
  await inSteps(
    hands,
    () => window.move(at.x, at.y),
    () => window[what]('left'),
  );
};

/** Turns the wheel over a place. */
export const wheel = async (hands: Hands, at: Place, way: Direction, pixels: number): Promise<void> => {
  const { window } = hands;
  const [dx, dy] = DIRECTIONS[way];
  await inSteps(
    hands,
    () => window.move(at.x, at.y),
    () => window.wheel(dx * pixels, dy * pixels),
  );
};

/** Lets go of the button wherever it was interrupted. */
export const dragOver = async (hands: Hands, start: Place, end: Place): Promise<void> => {
  const { window } = hands;
  await button(hands, 'down', start);
  try {
    await inSteps(
      hands,
      // Pages that follow the pointer want to see it on its way.
      () => window.move(Math.round((start.x + end.x) / 2), Math.round((start.y + end.y) / 2)),
      () => window.move(end.x, end.y),
    );
  } finally {
    await window.up('left');
  }
};
