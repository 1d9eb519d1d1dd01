import { existsSync } from 'node:fs';
import type { Browser } from 'playwright';
import { messageOf, OperationError } from '../../../platform/errors.ts';
import { oneLine } from '../../../platform/text.ts';
import type { BrowserProcess } from '../page.ts';
import { openWindow, within } from './playwright-window.ts';

const LAUNCH_TIMEOUT_MS = 20_000;
const CLOSE_BROWSER_MS = 1_200;
const KILLED_BROWSER_MS = 700;

/** What Chromium would say on its own, to whom it likes: nothing of it may leave. */
const SILENT_FLAGS = [
  '--disable-quic',
  '--disable-domain-reliability',
  '--disable-sync',
  '--no-pings',
  '--dns-prefetch-disable',
  '--disable-crash-reporter',
  // Forms are sent to a Google server to be classified; this is no address at all.
  '--autofill-server-url=about:blank',
  '--force-webrtc-ip-handling-policy=disable_non_proxied_udp',
  '--webrtc-ip-handling-policy=disable_non_proxied_udp',
  // Names are resolved by the session's proxy, which checks what they lead to; the browser resolves none.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];
/** What belongs to no session goes to a proxy that is not there. */
const NO_PROXY_THERE = 'http://127.0.0.1:9';
/**
 * Starts a Chromium whose temporary files lie in `workDir` and which knows nothing of this process's environment.
 * @throws OperationError EnvironmentUnavailable when there is none, or it does not start.
 */
export const launchChromium = async (options: {
  /** null: the one that Playwright downloaded, if it did. */
  chromiumPath: string | null;
  workDir: string;
  /** Chromium's own sandbox does not work for root. */
  sandbox: boolean;
}): Promise<BrowserProcess> => {
  const { chromium } = await import('playwright');
  const executablePath = options.chromiumPath ?? chromium.executablePath();
  if (!existsSync(executablePath))
    throw new OperationError('EnvironmentUnavailable', 'no Chromium was found: set CHROMIUM_PATH, or run make setup');
  let browser: Browser | undefined;
  let pid = 0;
  try {
    browser = await chromium.launch({
      executablePath,
      chromiumSandbox: options.sandbox,
      args: SILENT_FLAGS,
      proxy: { server: NO_PROXY_THERE },
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: options.workDir, TMPDIR: options.workDir, LANG: 'C.UTF-8' },
      artifactsDir: options.workDir,
      tracesDir: options.workDir,
      // Signals have one owner, and it is not the browser.
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
      timeout: LAUNCH_TIMEOUT_MS,
    });
    const channel = await browser.newBrowserCDPSession();
    const { processInfo } = await channel.send('SystemInfo.getProcessInfo');
    await channel.detach();
    pid = processInfo.find((process) => process.type === 'browser')?.id ?? 0;
  } catch (error) {
    if (browser) await within(CLOSE_BROWSER_MS, browser.close(), undefined);
    throw new OperationError('EnvironmentUnavailable', `Chromium did not start: ${oneLine(messageOf(error), 300)}`, {
      cause: error,
    });
  }
  const running = browser;
  const listeners = new Set<() => void>();
  const tellAll = (): void => {
    const told = [...listeners];
    listeners.clear();
    for (const listener of told) listener();
  };
  running.once('disconnected', tellAll);
  return {
    pid,
    openWindow: (window) => openWindow(running, options.workDir, window),
    onGone: (listener) => {
      listeners.add(listener);
      if (!running.isConnected()) queueMicrotask(tellAll);
      return () => void listeners.delete(listener);
    },
    close: async () => {
      const closing = running.close();
      const orderly = await within(
        CLOSE_BROWSER_MS,
        closing.then(() => true),
        false,
      );
      if (orderly || pid === 0) return;
      try {
        process.kill(-pid, 'SIGKILL'); // it leads its own process group
      } catch {
        return; // gone meanwhile
      }
      // Playwright notices, and removes its folders.
      await within(KILLED_BROWSER_MS, closing, undefined);
    },
  };
};
