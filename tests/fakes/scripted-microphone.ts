import { aborted } from '../../platform/lifecycle.ts';
import type { Microphone } from '../../edge/microphone.ts';

/** One opening of the device: gives sound, then ends, throws, or waits for the signal. */
export type Opening = (give: (samples: Int16Array) => void, signal: AbortSignal) => Promise<void>;

/** A microphone whose openings are written down; it complains when it is opened more often, or twice at once. */
export const createScriptedMicrophone = (openings: readonly Opening[], finite = false) => {
  let opened = 0;
  let isOpen = false;
  const microphone: Microphone = {
    label: 'scripted',
    finite,
    capture: async (onSamples, signal) => {
      const opening = openings[opened];
      opened += 1;
      if (!opening) throw new Error(`ScriptedMicrophone: no opening left for number ${opened}`);
      if (isOpen) throw new Error(`ScriptedMicrophone: opening ${opened} while another is open`);
      isOpen = true;
      try {
        await opening(onSamples, signal);
      } finally {
        isOpen = false;
      }
    },
  };
  return {
    microphone,
    get opened() {
      return opened;
    },
    get isOpen() {
      return isOpen;
    },
  };
};

/** Stays open, silent, until it is told to stop. */
export const untilStopped: Opening = (_give, signal) => aborted(signal);
