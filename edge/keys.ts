/** What a key asks for. */
export interface KeyActions {
  mute(): void;
  /** What is being said ends. */
  stop(): void;
  quit(): void;
}

const CTRL_C = '\u0003';
const CTRL_D = '\u0004';

/** Reads single keys of a terminal; gives it back as it was. */
export const readKeys = (stdin: NodeJS.ReadStream, actions: KeyActions): (() => void) => {
  if (!stdin.isTTY) return () => undefined;
  const onData = (data: Buffer): void => {
    for (const key of data.toString('utf8').toLowerCase()) {
      if (key === 'm') actions.mute();
      else if (key === 's') actions.stop();
      else if (key === 'q' || key === CTRL_C || key === CTRL_D) actions.quit();
    }
  };
  stdin.setRawMode(true);
  stdin.on('data', onData);
  stdin.resume();
  return () => {
    stdin.off('data', onData);
    stdin.setRawMode(false);
    stdin.pause();
  };
};
