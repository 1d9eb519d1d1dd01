import type { Observations } from './observations.ts';

/** Pixels of the page as models see it. 1440x900 is what Google's reference for Computer Use recommends. */
export const VIEWPORT = { width: 1440, height: 900 } as const;

export type MouseButton = 'left' | 'middle' | 'right';

/** What came of asking for a document. `problem` is a network error (`net::ERR_…`) or `blocked`; the page shows it too. */
export interface Arrival {
  status: number | null;
  problem: string | null;
}

/**
 * The window of one session: its own cookies and storage, one tab in front. New tabs come to the front by themselves.
 * Places are pixels of the viewport, keys are Playwright's names. Calls reject when the window is gone.
 */
export interface BrowserWindow {
  /** Of the tab in front, as is `visit`. */
  url(): string;
  readonly observations: Observations;
  visit(): ReturnType<Observations['visit']>;
  /** What people should know since it was last asked: dialogs, new tabs, refused downloads. */
  takeNotes(): string[];
  /** False when the browser is gone; a page that hangs does not matter. */
  alive(): Promise<boolean>;
  /** Never rejects for what the network did. A tab that does not answer any more is replaced first. */
  goto(url: string, signal: AbortSignal): Promise<Arrival>;
  /** -1 back, 1 forward; false when there is nothing there. Back from a tab's first page closes the tab. */
  history(step: -1 | 1): Promise<boolean>;
  move(x: number, y: number): Promise<void>;
  down(button: MouseButton): Promise<void>;
  up(button: MouseButton): Promise<void>;
  click(x: number, y: number, button: MouseButton, count: number): Promise<void>;
  wheel(deltaX: number, deltaY: number): Promise<void>;
  type(text: string): Promise<void>;
  keyDown(key: string): Promise<void>;
  keyUp(key: string): Promise<void>;
  /** Runs an expression in the page. */
  evaluate(script: string): Promise<unknown>;
  /** PNG of the viewport. */
  screenshot(): Promise<Buffer>;
  /** Waits until the page looks finished, at most 3 s. */
  settle(signal: AbortSignal): Promise<void>;
  storageState(): Promise<unknown>;
  /** Ends the recording; the bytes of trace.zip, null when there is none, or more than `maxBytes`. */
  stopTrace(maxBytes: number): Promise<Buffer | null>;
  /** Repeatable; resolves also when the window is already gone. */
  close(): Promise<void>;
}

export interface WindowOptions {
  /** The session's own proxy. */
  proxyUrl: string;
  /** Whether an address may be asked for at all. */
  permits(url: string): boolean;
  /** What `storageState` gave before. */
  storageState: unknown;
}

/** One Chromium. */
export interface BrowserProcess {
  readonly pid: number;
  openWindow(options: WindowOptions): Promise<BrowserWindow>;
  /** Called once when the process is gone, however it went; soon, when it already is. Gives what stops the listening. */
  onGone(listener: () => void): () => void;
  /** No process of it is left when this resolves. */
  close(): Promise<void>;
}
