import { messageOf } from '../platform/errors.ts';
import { aborted } from '../platform/lifecycle.ts';
import type { OwnVoice } from './own-voice.ts';
import { announcedMs, soundOf, VoiceFailure } from './sentence-sound.ts';
import type { Sentence } from './sentence.ts';
import type { Speaker, Voice } from './speaker.ts';
import { createWaitingSentences, isStale } from './waiting-sentences.ts';
import type { Due } from './waiting-sentences.ts';

/** A device or a voice that failed is left alone for so long; text goes on. */
const REST_MS = 30_000;
/** No sentence takes longer; what does is stuck. */
const MAX_SPOKEN_MS = 60_000;
/** A question that was cut off is asked again after so long a silence, when nothing becomes of what cut it off. */
const ASK_AGAIN_MS = 10_000;
/** Questions remembered as asked, reasons for silence as said, sentences cut off as worth saying again. */
const MAX_ASKED = 500;
const MAX_NOTICES = 20;
const MAX_CUT_OFF = 8;

/** What became of a sentence: heard to its end, cut off by the person, or not said aloud. */
export type SpokenOutcome = 'heard' | 'interrupted' | 'muted';

export interface AnswerEvents {
  /** At once, whatever is heard of it: for the terminal. */
  told(sentence: Sentence): void;
  /** Once for each sentence, when it is over. `heardMs` counts its words, not its sound. */
  spoken(told: { text: string; traceId: string | null; heardMs: number; outcome: SpokenOutcome }): void;
  /** Why nothing is heard, and what to do; once for each reason. */
  notice(text: string): void;
}

export interface AnswersDeps {
  /** null: no sound at all, words alone. */
  speaker: Speaker | null;
  /** null: no voice; sounds announce, words stand on the terminal. */
  voice: Voice | null;
  ownVoice: Pick<OwnVoice, 'begin'>;
  events: AnswerEvents;
  /** Default: 10,000. */
  askAgainMs?: number;
  /** Default: 30,000. */
  restMs?: number;
}

export interface Answers {
  /** Says it when the person is silent and nothing else is being said. Never waits. */
  say(sentence: Sentence): void;
  /** The question under this key needs no answer any more. */
  settle(key: string): void;
  /** Nothing is said meanwhile; `interrupts` (default) also cuts off what is being said, `waits` lets it end. */
  userSpeaks(speaking: boolean, how?: 'interrupts' | 'waits'): void;
  /** Cuts off what is being said. Its rest is not said again, unless it is a question. */
  interrupt(): void;
  /** What the person said was dealt with: a question it cut off is asked once more. */
  userAnswered(): void;
  /** It was no person: what was cut off last is said once more. */
  sayAgain(): void;
  /**
   * Plays a voice that is made elsewhere (the model's) when its turn comes. Answers with the milliseconds heard: 0
   * when it never came, because the person speaks, or no device plays.
   */
  play(samples: AsyncIterable<Int16Array>, text: () => string, signal: AbortSignal): Promise<number>;
  /** Silence now; what waits stands on the terminal, but for questions and failures. */
  hush(): void;
  /** Switches spoken words on or off; sounds stay. */
  speech(on: boolean): void;
  /** Something is being played now. */
  readonly playing: boolean;
  /** Resolves when nothing is being played and nothing waits, or the signal aborts. */
  drained(signal: AbortSignal): Promise<void>;
  /** Silence; what waits is told as not said. */
  close(): Promise<void>;
}

interface Playing {
  cut: AbortController;
  /** The words that are heard; null: none, or those of a voice that is made elsewhere. */
  due: Due | null;
  over: Promise<void>;
}

/** Says what is to be said, one thing at a time, never over the person, and always also as text. */
export const createAnswers = ({
  speaker,
  voice,
  ownVoice,
  events,
  askAgainMs = ASK_AGAIN_MS,
  restMs = REST_MS,
}: AnswersDeps): Answers => {
  const waiting = createWaitingSentences();
  /** Voices made elsewhere that wait for their turn: each starts when called. */
  const turns: ((cut: AbortController) => Promise<void>)[] = [];
  const asked = new Set<string>();
  const notices = new Set<string>();
  const onDrained = new Set<() => void>();
  let cutOff: Due[] = [];
  let playing: Playing | null = null;
  let userIsSpeaking = false;
  let speechOn = true;
  let closed = false;
  let speakerRestsUntil = -Infinity;
  let voiceRestsUntil = -Infinity;
  let askAgain: NodeJS.Timeout | undefined;

  const canPlay = (): boolean => speaker !== null && !closed && performance.now() >= speakerRestsUntil;
  const canSpeak = (): boolean => canPlay() && voice !== null && speechOn && performance.now() >= voiceRestsUntil;

  const notice = (text: string): void => {
    if (notices.has(text) || notices.size >= MAX_NOTICES) return;
    notices.add(text);
    events.notice(text);
  };
  const tell = (due: Due, text: string, heardMs: number, outcome: SpokenOutcome): void => {
    if (due.told) return;
    due.told = true;
    events.spoken({ text, traceId: due.sentence.traceId, heardMs, outcome });
  };
  const mute = (dues: readonly Due[]): void => {
    for (const due of dues) tell(due, due.sentence.text, 0, 'muted');
  };

  const failed = (error: unknown): void => {
    if (error instanceof VoiceFailure) voiceRestsUntil = performance.now() + restMs;
    else speakerRestsUntil = performance.now() + restMs;
    notice(`${messageOf(error)}; answers go on as text`);
  };

  /** Where nothing becomes of what the person said, silence is the answer. */
  const waitForAnswer = (): void => {
    clearTimeout(askAgain);
    if (cutOff.length > 0 && !userIsSpeaking) askAgain = setTimeout(() => userAnswered(), askAgainMs).unref();
  };

  const perform = async (due: Due, own: Playing): Promise<void> => {
    const { sentence } = due;
    const { later, earcon } = sentence;
    const text = later && performance.now() > later.afterMs ? later.text : sentence.text;
    const spoken = voice && canSpeak() && !due.told ? { words: text, voice } : null;
    if (!canPlay() || !speaker || (spoken === null && earcon === null)) {
      tell(due, text, 0, 'muted');
      return;
    }
    if (spoken) own.due = due;
    const signal = AbortSignal.any([own.cut.signal, AbortSignal.timeout(MAX_SPOKEN_MS)]);
    const saying = spoken && ownVoice.begin(text, performance.now() + announcedMs(earcon));
    let heardMs = 0;
    try {
      heardMs = Math.max(0, (await speaker.play(soundOf(earcon, spoken, signal), signal)) - announcedMs(earcon));
      if (!signal.aborted) notices.clear();
    } catch (error) {
      if (!signal.aborted) {
        failed(error);
        tell(due, text, 0, 'muted');
      }
    } finally {
      saying?.ended(performance.now(), !signal.aborted);
    }
    tell(due, text, spoken ? heardMs : 0, !spoken ? 'muted' : signal.aborted ? 'interrupted' : 'heard');
  };

  const start = (work: (own: Playing) => Promise<void>): void => {
    const own: Playing = { cut: new AbortController(), due: null, over: Promise.resolve() };
    playing = own;
    own.over = work(own).finally(() => {
      playing = null;
      pump();
    });
  };

  const pump = (): void => {
    if (playing || userIsSpeaking) return;
    const turn = turns.shift();
    const due = turn ? undefined : waiting.take();
    if (turn) start(({ cut }) => turn(cut));
    else if (due) start((own) => perform(due, own));
    else for (const done of onDrained) done();
  };

  const enqueue = (due: Due): void => {
    mute(waiting.add(due));
    pump();
  };

  const interrupt = (): void => {
    if (!playing || playing.cut.signal.aborted) return;
    const { cut, due } = playing;
    cut.abort(new Error('the person speaks'));
    if (due && !due.again) cutOff = [...cutOff, { ...due, again: true, told: false }].slice(-MAX_CUT_OFF);
    waitForAnswer();
  };
  const again = (pick: (due: Due) => boolean): void => {
    clearTimeout(askAgain);
    const due = cutOff.filter(pick);
    cutOff = [];
    for (const one of due) enqueue(one);
  };
  const userAnswered = (): void => again(({ sentence }) => sentence.urgency === 'question');

  return {
    say: (sentence) => {
      if (sentence.key !== null && asked.has(sentence.key)) return;
      if (sentence.key !== null) asked.add(sentence.key);
      for (const oldest of asked) if (asked.size > MAX_ASKED) asked.delete(oldest);
      events.told(sentence);
      cutOff = cutOff.filter((older) => !isStale(older.sentence, sentence));
      const due: Due = { sentence, again: false, told: false };
      const { aloud = true, earcon } = sentence;
      if (!aloud || !canSpeak()) mute([due]);
      if (aloud && (canSpeak() || (canPlay() && earcon !== null))) enqueue(due);
      else mute(waiting.remove((older) => isStale(older.sentence, sentence)));
    },
    settle: (key) => {
      const isIt = ({ sentence }: Due): boolean => sentence.key === key;
      mute(waiting.remove(isIt));
      if (playing?.due && isIt(playing.due)) interrupt();
      cutOff = cutOff.filter((due) => !isIt(due));
    },
    userSpeaks: (speaking, how = 'interrupts') => {
      userIsSpeaking = speaking && !closed;
      if (speaking && how === 'interrupts') interrupt();
      waitForAnswer();
      pump();
    },
    interrupt,
    userAnswered,
    sayAgain: () => {
      const last = cutOff.at(-1);
      again((due) => due === last || due.sentence.urgency === 'question');
    },
    play: (samples, text, signal) =>
      new Promise((resolve) => {
        if (userIsSpeaking || signal.aborted || !speaker || !canPlay() || turns.length > 0) {
          void samples[Symbol.asyncIterator]()
            .return?.()
            .catch(() => undefined);
          resolve(0);
          return;
        }
        turns.push(async (cut) => {
          const both = AbortSignal.any([cut.signal, signal]);
          const saying = ownVoice.begin(text, performance.now());
          try {
            resolve(await speaker.play(samples, both));
          } catch (error) {
            failed(error);
            resolve(0);
          } finally {
            saying.ended(performance.now(), !both.aborted);
          }
        });
        pump();
      }),
    hush: () => {
      interrupt();
      cutOff = [];
      mute(waiting.remove(({ sentence: { urgency } }) => urgency === 'note' || urgency === 'result'));
    },
    speech: (on) => {
      speechOn = on;
      if (on) return;
      interrupt();
      cutOff = [];
      mute(waiting.remove(({ sentence }) => sentence.earcon === null));
    },
    get playing() {
      return playing !== null;
    },
    drained: async (signal) => {
      if (!playing && waiting.size === 0 && turns.length === 0) return;
      const done = Promise.withResolvers<void>();
      onDrained.add(done.resolve);
      await Promise.race([done.promise, aborted(signal)]);
      onDrained.delete(done.resolve);
    },
    close: async () => {
      closed = true;
      clearTimeout(askAgain);
      mute(waiting.remove(() => true));
      interrupt();
      await playing?.over;
    },
  };
};
