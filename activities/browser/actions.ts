import { z } from 'zod';
import { OperationError } from '../../platform/errors.ts';
import { delay } from '../../platform/lifecycle.ts';
import { oneLine } from '../../platform/text.ts';
import { button, DIRECTIONS, dragOver, inSteps, press, typeText, wheel } from './gestures.ts';
import type { Direction, Place } from './gestures.ts';
import { keyOf, keysOf } from './keys.ts';
import { visitAddress } from './navigate.ts';
import type { Hands } from './navigate.ts';
import { VIEWPORT } from './page.ts';
import type { MouseButton } from './page.ts';
import { PageFacts, renderPageReport } from './page-report.ts';
import { PAGE_FACTS_SCRIPT, scrollScript, selectOptionScript } from './page-scripts.ts';

/** An action with its input checked: runs once and says in a sentence what it did. */
type Prepared = (hands: Hands) => Promise<string>;

export interface Action {
  /** It may change something out there that no one can take back: claimed first, never repeated. */
  effect: boolean;
  /** A picture of the page belongs to the result. */
  picture: boolean;
  /** @throws OperationError BadInput; nothing was done then. */
  prepare(input: Record<string, unknown>): Prepared;
}

/** Characters one call may type. */
const MAX_TYPED = 10_000;
/** A model waits at most this long per call; it may ask again. */
const MAX_WAIT_S = 10;
/** A whole page of facts; more is a page that plays tricks. */
const MAX_FACTS_CHARS = 400_000;

const action = <S extends z.ZodType>(
  schema: S,
  about: { effect?: boolean; picture?: boolean },
  run: (input: z.infer<S>, hands: Hands) => Promise<string>,
): Action => ({
  effect: about.effect ?? false,
  picture: about.picture ?? true,
  prepare: (given) => {
    const input = schema.safeParse(given);
    if (!input.success)
      throw new OperationError(
        'BadInput',
        input.error.issues.map((issue) => `${issue.path.join('.') || 'input'}: ${issue.message}`).join('; '),
      );
    return (hands) => run(input.data, hands);
  },
});

/** 0-999 of the grid as pixels of the viewport; 1000 is forgiven. */
const grid = (pixels: number) =>
  z
    .number()
    .min(0)
    .max(1000)
    .transform((value) => Math.min(pixels - 1, Math.floor((value * pixels) / 1000)));
const x = grid(VIEWPORT.width);
const y = grid(VIEWPORT.height);
const point = z.object({ x, y });
const nothing = z.object({});
const direction = z.enum(['up', 'down', 'left', 'right'] satisfies Direction[]);
const text = z.string().max(MAX_TYPED);
const EFFECT = { effect: true } as const;

const keyName = z.string().min(1).max(40);

const click = (which: MouseButton, count: number, word: string): Action =>
  action(point, EFFECT, async (at, { window }) => {
    await window.click(at.x, at.y, which, count);
    return `${word}.`;
  });

const scroll = async (hands: Hands, at: Place, way: Direction, pixels: number): Promise<string> => {
  await wheel(hands, at, way, pixels);
  return `Scrolled ${way}.`;
};

const history = (step: -1 | 1): Action =>
  action(nothing, {}, async (_input, { window }) => {
    if (await window.history(step)) return step < 0 ? 'Went back.' : 'Went forward.';
    throw new OperationError('ToolFailed', `there is no page to go ${step < 0 ? 'back' : 'forward'} to`);
  });

const pause = async ({ signal }: Hands, seconds: number): Promise<string> => {
  await delay(Math.min(seconds, MAX_WAIT_S) * 1_000, signal);
  return `Waited ${Math.min(seconds, MAX_WAIT_S)} s.`;
};

const look = action(nothing, {}, async () => 'This is the page now.');
const hover = action(point, {}, async (at, { window }) => {
  await window.move(at.x, at.y);
  return 'Moved the pointer.';
});

const drag = z.union([
  z.object({ start_x: x, start_y: y, end_x: x, end_y: y }),
  z
    .object({ x, y, destination_x: x, destination_y: y })
    .transform((at) => ({ start_x: at.x, start_y: at.y, end_x: at.destination_x, end_y: at.destination_y })),
]);

/**
 * Computer Use as documented by Google (Gemini API and Cloud pages "Computer use", read November 2026, and the reference
 * agent google-gemini/computer-use-preview of June 2026), plus the two functions of `tool-definitions.ts`. The models
 * add `intent` and `safety_decision` to any input; unknown fields are ignored.
 */
const CURRENT: Record<string, Action> = {
  click: click('left', 1, 'Clicked'),
  double_click: click('left', 2, 'Double-clicked'),
  triple_click: click('left', 3, 'Triple-clicked'),
  middle_click: click('middle', 1, 'Middle-clicked'),
  right_click: click('right', 1, 'Right-clicked'),
  mouse_down: action(point, EFFECT, async (at, hands) => {
    await button(hands, 'down', at);
    return 'The mouse button is down.';
  }),
  mouse_up: action(point, EFFECT, async (at, hands) => {
    await button(hands, 'up', at);
    return 'The mouse button is up.';
  }),
  move: hover,
  type: action(z.object({ text, press_enter: z.boolean().default(false) }), EFFECT, async (input, hands) => {
    await typeText(hands, input.text, input.press_enter);
    return 'Typed.';
  }),
  drag_and_drop: action(drag, EFFECT, async (at, hands) => {
    await dragOver(hands, { x: at.start_x, y: at.start_y }, { x: at.end_x, y: at.end_y });
    return 'Dragged.';
  }),
  wait: action(z.object({ seconds: z.number().min(0).default(1) }), {}, (input, hands) => pause(hands, input.seconds)),
  press_key: action(z.object({ key: keyName.transform(keyOf) }), EFFECT, async ({ key }, hands) => {
    await press(hands, [key]);
    return `Pressed ${key}.`;
  }),
  key_down: action(z.object({ key: keyName.transform(keyOf) }), EFFECT, async ({ key }, { window }) => {
    await window.keyDown(key);
    return `${key} is down.`;
  }),
  key_up: action(z.object({ key: keyName.transform(keyOf) }), EFFECT, async ({ key }, { window }) => {
    await window.keyUp(key);
    return `${key} is up.`;
  }),
  hotkey: action(
    z.object({ keys: z.union([keyName, z.array(keyName)]).transform(keysOf) }),
    EFFECT,
    async ({ keys }, hands) => {
      await press(hands, keys);
      return `Pressed ${keys.join('+')}.`;
    },
  ),
  take_screenshot: look,
  scroll: action(
    z.object({
      x: x.default(VIEWPORT.width / 2),
      y: y.default(VIEWPORT.height / 2),
      direction,
      magnitude_in_pixels: z.number().min(1).max(5_000).default(300),
    }),
    {},
    (input, hands) => scroll(hands, input, input.direction, input.magnitude_in_pixels),
  ),
  go_back: history(-1),
  go_forward: history(1),
  navigate: action(z.object({ url: z.string().min(1).max(2_000) }), {}, ({ url }, hands) => visitAddress(hands, url)),
};

const LEGACY: Record<string, Action> = {
  open_web_browser: look,
  wait_5_seconds: action(nothing, {}, (_input, hands) => pause(hands, 5)),
  search: action(nothing, {}, async (_input, hands) => {
    const start = hands.allow.targets[0];
    if (start === undefined) throw new OperationError('BadInput', 'this job has no site to open');
    return `${await visitAddress(hands, start)} No search engine can be reached from here: this is the site of this job.`;
  }),
  click_at: click('left', 1, 'Clicked'),
  hover_at: hover,
  type_text_at: action(
    // Enter and clearing default to true in Google's documentation (its reference agent has no Enter by default).
    point.extend({ text, press_enter: z.boolean().default(true), clear_before_typing: z.boolean().default(true) }),
    EFFECT,
    async (input, hands) => {
      await inSteps(hands, () => hands.window.click(input.x, input.y, 'left', 1));
      if (input.clear_before_typing) {
        await press(hands, ['Control', 'a']);
        await press(hands, ['Delete']);
      }
      await typeText(hands, input.text, input.press_enter);
      return input.press_enter ? 'Typed, and pressed Enter.' : 'Typed.';
    },
  ),
  key_combination: action(
    z.object({ keys: z.union([keyName, z.array(keyName)]).transform(keysOf) }),
    EFFECT,
    async ({ keys }, hands) => {
      await press(hands, keys);
      return `Pressed ${keys.join('+')}.`;
    },
  ),
  scroll_document: action(z.object({ direction }), {}, async (input, { window }) => {
    const [dx, dy] = DIRECTIONS[input.direction];
    await window.evaluate(scrollScript(dx * 0.5, dy * 0.9));
    return `Scrolled ${input.direction}.`;
  }),
  scroll_at: action(
    point.extend({ direction, magnitude: z.number().min(1).max(1000).default(800) }),
    {},
    (input, hands) => {
      const side = input.direction === 'up' || input.direction === 'down' ? VIEWPORT.height : VIEWPORT.width;
      return scroll(hands, input, input.direction, Math.floor((input.magnitude * side) / 1000));
    },
  ),
};

const FUNCTIONS: Record<string, Action> = {
  page_report: action(nothing, { picture: false }, async (_input, { window }) => {
    const found = await window.evaluate(PAGE_FACTS_SCRIPT);
    if (typeof found !== 'string' || found.length > MAX_FACTS_CHARS)
      throw new OperationError('ToolFailed', 'the page could not be read');
    const { status, consoleErrors, failedRequests } = window.visit();
    const facts = PageFacts.parse(JSON.parse(found));
    return renderPageReport({ url: window.url(), status, facts, consoleErrors, failedRequests });
  }),
  select_option: action(
    z.object({ label: z.string().min(1).max(200), option: z.string().min(1).max(200) }),
    EFFECT,
    async (input, { window }) => {
      const answer = z
        .union([z.object({ done: z.string() }), z.object({ problem: z.string() })])
        .parse(await window.evaluate(selectOptionScript(input.label, input.option)));
      if ('problem' in answer) throw new OperationError('BadInput', answer.problem.slice(0, 1_000));
      return `Chose "${oneLine(answer.done, 200)}".`;
    },
  ),
};

/** Every call this environment executes, by its name on the wire. */
export const ACTIONS: Readonly<Record<string, Action>> = { ...LEGACY, ...CURRENT, ...FUNCTIONS };
