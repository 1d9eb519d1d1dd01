import type { Answers } from './answers.ts';
import type { OwnVoice } from './own-voice.ts';

/** Interruptions in a row by which nothing was said: it is our own voice that the microphone hears. */
const FRUITLESS = 2;
/** Utterances whose text is still awaited; the recogniser has one open and few under way. */
const MAX_OPEN = 64;

export interface BargeInDeps {
  answers: Pick<Answers, 'userSpeaks' | 'interrupt' | 'sayAgain' | 'playing'>;
  ownVoice: Pick<OwnVoice, 'wordsOfUser' | 'mayBeOwn'>;
  /** false: nothing that is said is cut off, it only waits for silence. */
  enabled: boolean;
  /** For a person; once. */
  notice: (text: string) => void;
}

/** Decides when a person speaks over us. Times are those of `performance.now()`. */
export interface BargeIn {
  /** Speech was noticed that began at `fromMs`. */
  speechStart(utteranceId: string, fromMs: number): void;
  partial(utteranceId: string, text: string, nowMs: number): void;
  /** Speech ended at `toMs`, before the hang-over. */
  speechEnd(utteranceId: string, toMs: number): void;
  /** What a person said in it; empty for an echo of us, which goes nowhere. */
  final(utteranceId: string, text: string, nowMs: number): string;
  /** No text will come: it was noise, or could not be recognised. */
  lost(utteranceId: string): void;
}

interface Heard {
  fromMs: number;
  toMs: number | null;
  /** It began while we were speaking. */
  over: boolean;
  interrupted: boolean;
}

/**
 * At first any speech cuts us off, within milliseconds of its onset. Where that turns out to be our own voice from a
 * loudspeaker, words do: the first that are not ours.
 */
export const createBargeIn = ({ answers, ownVoice, enabled, notice }: BargeInDeps): BargeIn => {
  const open = new Map<string, Heard>();
  let by: 'sound' | 'words' = 'sound';
  let fruitless = 0;

  const nothingSaid = (heard: Heard): void => {
    if (!heard.interrupted) return;
    answers.sayAgain();
    fruitless += 1;
    if (by === 'words' || fruitless < FRUITLESS) return;
    by = 'words';
    notice(
      'the microphone hears what is said here, so from now on words interrupt it and not any sound; a headset or a lower volume mends that',
    );
  };

  const over = (utteranceId: string): Heard | undefined => {
    const heard = open.get(utteranceId);
    open.delete(utteranceId);
    return heard;
  };

  return {
    speechStart: (utteranceId, fromMs) => {
      const heard: Heard = { fromMs, toMs: null, over: answers.playing, interrupted: false };
      heard.interrupted = heard.over && enabled && by === 'sound';
      open.set(utteranceId, heard);
      for (const oldest of open.keys()) {
        if (open.size <= MAX_OPEN) break;
        open.delete(oldest);
      }
      answers.userSpeaks(true, heard.over && !heard.interrupted ? 'waits' : 'interrupts');
    },
    partial: (utteranceId, text, nowMs) => {
      const heard = open.get(utteranceId);
      if (!heard?.over || heard.interrupted || !enabled || text.trim() === '') return;
      if (ownVoice.mayBeOwn(text, heard.fromMs, heard.toMs ?? nowMs)) return;
      heard.interrupted = true;
      answers.interrupt();
    },
    speechEnd: (utteranceId, toMs) => {
      const heard = open.get(utteranceId);
      if (heard) heard.toMs = toMs;
      answers.userSpeaks(false);
    },
    final: (utteranceId, text, nowMs) => {
      const heard = over(utteranceId);
      if (!heard) return text;
      const words = ownVoice.wordsOfUser(text, heard.fromMs, heard.toMs ?? nowMs);
      if (words.trim() === '') nothingSaid(heard);
      else fruitless = 0;
      return words;
    },
    lost: (utteranceId) => {
      const heard = over(utteranceId);
      if (heard) nothingSaid(heard);
    },
  };
};
