import { describe, expect, it } from '@jest/globals';
import { ACTIONS } from '../../../../activities/browser/actions.ts';
import { allowListOf } from '../../../../activities/browser/allow-list.ts';
import type { Hands } from '../../../../activities/browser/navigate.ts';
import type { BrowserWindow } from '../../../../activities/browser/page.ts';
import { recordingWindow } from './recording-window.ts';

const hands = (window: BrowserWindow, signal = new AbortController().signal): Hands => ({
  window,
  signal,
  allow: allowListOf([{ url: 'http://site.test/start' }]),
  problemOf: () => null,
});

const perform = async (name: string, input: Record<string, unknown>): Promise<string[]> => {
  const { window, done } = recordingWindow();
  await ACTIONS[name]?.prepare(input)(hands(window));
  return done;
};

describe('actions', () => {
  it('are exactly the two vocabularies of Computer Use and our two functions', () => {
    expect(Object.keys(ACTIONS).sort()).toEqual(
      [
        // gemini-2.5-computer-use-preview, gemini-3-flash, gemini-3.1-pro
        'open_web_browser',
        'wait_5_seconds',
        'go_back',
        'go_forward',
        'search',
        'navigate',
        'click_at',
        'hover_at',
        'type_text_at',
        'key_combination',
        'scroll_document',
        'scroll_at',
        'drag_and_drop',
        // gemini-3.5-flash and later
        'click',
        'double_click',
        'triple_click',
        'middle_click',
        'right_click',
        'mouse_down',
        'mouse_up',
        'move',
        'type',
        'wait',
        'press_key',
        'key_down',
        'key_up',
        'hotkey',
        'take_screenshot',
        'scroll',
        // ours
        'page_report',
        'select_option',
      ].sort(),
    );
  });

  it('that look or go somewhere need no claim; all others do', () => {
    const free = Object.keys(ACTIONS).filter((name) => ACTIONS[name]?.effect === false);
    expect(free.sort()).toEqual(
      [
        'open_web_browser',
        'wait_5_seconds',
        'wait',
        'go_back',
        'go_forward',
        'search',
        'navigate',
        'hover_at',
        'move',
        'scroll_document',
        'scroll_at',
        'scroll',
        'take_screenshot',
        'page_report',
      ].sort(),
    );
  });

  it.each([
    ['click', { x: 500, y: 500 }, ['click 720 450 left 1']],
    ['click_at', { x: 0, y: 999, intent: 'x', safety_decision: {} }, ['click 0 899 left 1']],
    ['click', { x: 1000, y: 1000 }, ['click 1439 899 left 1']],
    ['double_click', { x: 100, y: 100 }, ['click 144 90 left 2']],
    ['triple_click', { x: 100, y: 100 }, ['click 144 90 left 3']],
    ['middle_click', { x: 100, y: 100 }, ['click 144 90 middle 1']],
    ['right_click', { x: 100, y: 100 }, ['click 144 90 right 1']],
    ['mouse_down', { x: 100, y: 100 }, ['move 144 90', 'down left']],
    ['mouse_up', { x: 100, y: 100 }, ['move 144 90', 'up left']],
    ['move', { x: 100, y: 100 }, ['move 144 90']],
    ['hover_at', { x: 100, y: 100 }, ['move 144 90']],
    ['type', { text: 'hi' }, ['type hi']],
    ['type', { text: 'hi', press_enter: true }, ['type hi', 'keyDown Enter', 'keyUp Enter']],
    [
      'type_text_at',
      { x: 100, y: 100, text: 'hi', press_enter: false },
      [
        'click 144 90 left 1',
        'keyDown Control',
        'keyDown a',
        'keyUp a',
        'keyUp Control',
        'keyDown Delete',
        'keyUp Delete',
        'type hi',
      ],
    ],
    [
      'type_text_at',
      { x: 100, y: 100, text: 'hi', clear_before_typing: false },
      ['click 144 90 left 1', 'type hi', 'keyDown Enter', 'keyUp Enter'],
    ],
    ['press_key', { key: 'enter' }, ['keyDown Enter', 'keyUp Enter']],
    ['key_down', { key: 'shift' }, ['keyDown Shift']],
    ['key_up', { key: 'shift' }, ['keyUp Shift']],
    ['hotkey', { keys: ['ctrl', 'a'] }, ['keyDown Control', 'keyDown a', 'keyUp a', 'keyUp Control']],
    ['key_combination', { keys: 'Control+A' }, ['keyDown Control', 'keyDown A', 'keyUp A', 'keyUp Control']],
    ['scroll', { direction: 'down' }, ['move 720 450', 'wheel 0 300']],
    ['scroll', { x: 100, y: 100, direction: 'left', magnitude_in_pixels: 50 }, ['move 144 90', 'wheel -50 0']],
    ['scroll_at', { x: 100, y: 100, direction: 'up' }, ['move 144 90', 'wheel 0 -720']],
    ['scroll_at', { x: 100, y: 100, direction: 'right', magnitude: 500 }, ['move 144 90', 'wheel 720 0']],
    [
      'drag_and_drop',
      { x: 100, y: 100, destination_x: 200, destination_y: 300 },
      ['move 144 90', 'down left', 'move 216 180', 'move 288 270', 'up left'],
    ],
    [
      'drag_and_drop',
      { start_x: 100, start_y: 100, end_x: 200, end_y: 300 },
      ['move 144 90', 'down left', 'move 216 180', 'move 288 270', 'up left'],
    ],
    ['go_back', {}, ['history -1']],
    ['go_forward', {}, ['history 1']],
    ['navigate', { url: 'http://site.test/there' }, ['goto http://site.test/there']],
    ['navigate', { url: '/there' }, ['goto http://site.test/there']],
    ['search', {}, ['goto http://site.test/start']],
    ['open_web_browser', {}, []],
    ['take_screenshot', {}, []],
    ['wait', { seconds: 0 }, []],
  ])('%s %j', async (name, input, done) => expect(await perform(name, input)).toEqual(done));

  it.each([
    ['click', {}],
    ['click', { x: 1200, y: 1 }],
    ['click', { x: '5', y: 1 }],
    ['click', { x: -1, y: 1 }],
    ['type', { text: 'x'.repeat(10_001) }],
    ['press_key', { key: 'nonsense' }],
    ['hotkey', { keys: [] }],
    ['scroll', { direction: 'sideways' }],
    ['scroll_document', {}],
    ['drag_and_drop', { x: 1, y: 1 }],
    ['navigate', {}],
    ['wait', { seconds: 'long' }],
    ['select_option', { label: 'x' }],
  ])('%s refuses %j before anything happens', (name, input) => {
    let thrown: unknown;
    try {
      ACTIONS[name]?.prepare(input);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ name: 'OperationError', type: 'BadInput' });
  });

  it.each([
    'https://evil.test/',
    'http://site.test:81/',
    'file:///etc/passwd',
    'chrome://settings',
    'data:text/html,x',
    'javascript:alert(1)',
    'blob:http://site.test/1',
  ])('navigate does not go to %s', async (url) => {
    const { window, done } = recordingWindow();
    await expect(ACTIONS['navigate']?.prepare({ url })(hands(window))).rejects.toMatchObject({ type: 'BadInput' });
    expect(done).toEqual([]);
  });

  it('stops typing when aborted', async () => {
    const stop = new AbortController();
    const typed: string[] = [];
    const { window } = recordingWindow({
      type: async (text) => {
        typed.push(text);
        stop.abort(new Error('cancelled'));
      },
    });
    await expect(ACTIONS['type']?.prepare({ text: 'x'.repeat(500) })(hands(window, stop.signal))).rejects.toThrow(
      'cancelled',
    );
    expect(typed).toEqual(['x'.repeat(10)]);
  });

  it('types letters whole, whatever they are made of', async () => {
    const words = '𝄞'.repeat(12);
    expect(await perform('type', { text: words })).toEqual([`type ${'𝄞'.repeat(10)}`, 'type 𝄞𝄞']);
  });

  it.each([
    ['type_text_at', { x: 100, y: 100, text: 'hi' }, 'click', ['click 144 90 left 1']],
    ['type', { text: 'hi', press_enter: true }, 'type', ['type hi']],
    ['mouse_down', { x: 100, y: 100 }, 'move', ['move 144 90']],
    ['scroll', { direction: 'down' }, 'move', ['move 720 450']],
    ['hotkey', { keys: ['ctrl', 'a'] }, 'keyDown', ['keyDown Control', 'keyUp Control']],
    ['drag_and_drop', { x: 1, y: 1, destination_x: 2, destination_y: 2 }, 'down', ['move 1 0', 'down left', 'up left']],
  ] as const)('%s %j: aborted during its %s, does nothing more but let go', async (name, input, during, expected) => {
    const stop = new AbortController();
    const { window, done } = recordingWindow();
    const plain = Reflect.get(window, during) as (...given: unknown[]) => Promise<void>;
    Object.assign(window, {
      [during]: async (...given: unknown[]) => {
        await plain(...given);
        stop.abort(new Error('time is up'));
      },
    });
    await expect(ACTIONS[name]?.prepare(input)(hands(window, stop.signal))).rejects.toThrow('time is up');
    expect(done).toEqual(expected);
  });

  it('lets go of held keys when one fails', async () => {
    const { window, done } = recordingWindow({
      keyDown: (key) => (key === 'a' ? Promise.reject(new Error('gone')) : Promise.resolve()),
    });
    await expect(ACTIONS['hotkey']?.prepare({ keys: ['ctrl', 'shift', 'a'] })(hands(window))).rejects.toThrow('gone');
    expect(done).toEqual(['keyUp Shift', 'keyUp Control']);
  });

  it('waits no longer than ten seconds, and not at all when aborted', async () => {
    const stop = new AbortController();
    const waiting = ACTIONS['wait']?.prepare({ seconds: 1e9 })(hands(recordingWindow().window, stop.signal));
    stop.abort(new Error('cancelled'));
    await expect(waiting).rejects.toThrow('cancelled');
  });
});
