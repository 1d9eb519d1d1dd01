import type { Capture, CaptureState } from './capture.ts';
import { createHearing } from './hearing.ts';
import type { HearingOptions } from './hearing.ts';
import type { FrameKind } from './metrics.ts';
import type { Recogniser, RecogniserEvents } from './recogniser.ts';
import type { Utterance } from './utterance.ts';
import { mintId } from './utterance.ts';

/** What becomes of the sound: utterances, and the text of each. */
export interface EarEvents extends RecogniserEvents {
  /** Speech was noticed; `capturedAtMs`: when the sound of its onset was captured, `performance.now()`. */
  began(utterance: Utterance, capturedAtMs: number): void;
  /** It ended at `endAudioMs` of the sound. */
  ended(utteranceId: string, endAudioMs: number): void;
  /** It was no speech; nothing will follow, and its number is given to the next. */
  discarded(utteranceId: string): void;
  /** `problem`: why no sound comes, in words for a person; null when all is well. */
  microphone(state: CaptureState, problem: string | null): void;
  /** Something a person should know of that mends itself. */
  trouble(text: string): void;
}

/** Microphone to text. */
export interface Ears {
  readonly capture: Pick<Capture, 'mute' | 'isMuted' | 'levelDbfs' | 'counts'>;
  /** Frames by what became of them. */
  frames(): Readonly<Record<Exclude<FrameKind, 'muted'>, number>>;
  /** Resolves when there is no more sound. Rejects: MicrophoneError that no waiting mends. */
  readonly done: Promise<void>;
  close(): Promise<void>;
}

/** Numbers utterances in spoken order, from 1. */
export interface Mint {
  next(onsetAudioMs: number): Utterance;
  /** The last one was none: its number is free again. */
  takeBack(): void;
}

export const createMint = (): Mint => {
  let sequence = 0;
  return {
    next: (onsetAudioMs) => {
      sequence += 1;
      return {
        utteranceId: mintId('u'),
        sequence,
        onsetAudioMs,
        noticedAtMs: performance.now(),
        saidAt: new Date().toISOString(),
      };
    },
    takeBack: () => void (sequence -= 1),
  };
};

export interface LocalEarsOptions extends Omit<HearingOptions, 'events'> {
  openRecogniser: (events: RecogniserEvents) => Recogniser;
  mint: Mint;
  events: EarEvents;
}

/** Ears that find the utterances themselves: silence is never sent. */
export const createLocalEars = ({ openRecogniser, mint, events, ...hearingOptions }: LocalEarsOptions): Ears => {
  const recogniser = openRecogniser(events);
  let open: Utterance | null = null;

  const hearing = createHearing({
    ...hearingOptions,
    events: {
      begin: ({ onsetAudioMs, capturedAtMs, preRoll }) => {
        open = mint.next(onsetAudioMs);
        events.began(open, capturedAtMs);
        recogniser.begin(open);
        for (const { samples } of preRoll) recogniser.append(samples);
      },
      audio: ({ samples }) => recogniser.append(samples),
      end: ({ endAudioMs }) => {
        if (open) events.ended(open.utteranceId, endAudioMs);
        open = null;
        recogniser.end();
      },
      discard: () => {
        recogniser.discard();
        if (open) events.discarded(open.utteranceId);
        open = null;
        mint.takeBack();
      },
      microphone: (state, problem) => events.microphone(state, problem),
      trouble: (text) => events.trouble(text),
    },
  });

  return {
    capture: hearing.capture,
    frames: () => {
      const { captured, sent, silent, lost } = hearing.counts;
      return { captured, sent, silent, lost };
    },
    done: hearing.done,
    close: async () => {
      await hearing.done.catch(() => undefined); // told to whoever waits for it
      await recogniser.close();
    },
  };
};
