import { createObservations } from '../../../../activities/browser/observations.ts';
import type { BrowserWindow } from '../../../../activities/browser/page.ts';

/** A window that writes down what was asked of it, one line a step: `click 720 450 left 1`. */
export const recordingWindow = (about: Partial<BrowserWindow> = {}): { window: BrowserWindow; done: string[] } => {
  const done: string[] = [];
  const observations = createObservations();
  const note =
    (name: string) =>
    (...given: unknown[]): Promise<void> => {
      done.push([name, ...given.filter((one) => !(one instanceof AbortSignal))].join(' '));
      return Promise.resolve();
    };
  const window: BrowserWindow = {
    observations,
    url: () => 'http://site.test/here',
    visit: () => observations.visit(window),
    takeNotes: () => [],
    alive: () => Promise.resolve(true),
    goto: async (url) => {
      await note('goto')(url);
      return { status: 200, problem: null };
    },
    history: async (step) => {
      await note('history')(step);
      return true;
    },
    move: note('move'),
    down: note('down'),
    up: note('up'),
    click: note('click'),
    wheel: note('wheel'),
    type: note('type'),
    keyDown: note('keyDown'),
    keyUp: note('keyUp'),
    evaluate: note('evaluate'),
    screenshot: () => Promise.resolve(Buffer.alloc(0)),
    settle: () => Promise.resolve(),
    storageState: () => Promise.resolve({}),
    stopTrace: () => Promise.resolve(null),
    close: () => Promise.resolve(),
    ...about,
  };
  return { window, done };
};
