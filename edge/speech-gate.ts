import { FRAME_MS } from './frames.ts';
import type { Frame } from './frames.ts';
import { quietestCut } from './quietest-cut.ts';
import type { Verdict } from './speech-detector.ts';

/** Milliseconds of audio; probabilities are 0 to 1. */
export interface GateSettings {
  /** Sound before the onset that goes with it: the consonant that was too soft to be noticed. */
  preRollMs: number;
  /** A window at least this probable is speech. */
  onsetThreshold: number;
  /** So much speech in a row begins an utterance; one window is enough for less than its length. */
  onsetMs: number;
  /** A window less probable than this is a pause; no higher than the onset's. */
  releaseThreshold: number;
  /** A pause this long ends the utterance. */
  hangOverMs: number;
  /** So long after the end of speech the detector still calls it speech; the pause is counted from before. */
  endLagMs: number;
  /** An utterance with less speech in it was none: a click, a cough. */
  minSpeechMs: number;
  /** A longer utterance is cut, at the quietest moment of its last `cutSearchMs`. */
  maxUtteranceMs: number;
  /** Sound at the end of a long utterance that is held back until the cut is chosen. */
  cutSearchMs: number;
  /** Sound that may wait for a detector that is late; older sound is lost, and counted. */
  maxUnjudgedMs: number;
}

/** Measured (bench/edge-detection.ts): every onset of the labelled set is found, none in a minute of any noise. */
export const GATE_DEFAULTS: GateSettings = {
  preRollMs: 400,
  onsetThreshold: 0.3,
  onsetMs: 20,
  releaseThreshold: 0.3,
  hangOverMs: 300,
  endLagMs: 80,
  minSpeechMs: 120,
  maxUtteranceMs: 60_000,
  cutSearchMs: 1_500,
  maxUnjudgedMs: 5_000,
};

/** `silence`: a pause. `max`: too long, the next begins at once. `ended`: no more sound. `gap`: sound is missing. */
export type EndReason = 'silence' | 'max' | 'ended' | 'gap';

/** Every `begin` is followed by `audio`, then by one `end` or one `discard`. */
export interface GateEvents {
  /** `preRoll`: the sound so far, from before the onset to now. */
  begin(onset: { onsetAudioMs: number; preRoll: readonly Frame[] }): void;
  audio(frame: Frame): void;
  /** `endAudioMs`: where speech ended, some time ago. */
  end(end: { endAudioMs: number; reason: EndReason }): void;
  /** It was no speech after all. */
  discard(): void;
  /** Sound is being lost since the detector does not judge it; false: it judges again. */
  stalled(isStalled: boolean): void;
}

/** Frames. captured = sent + silent + lost + held; the sound of a discarded utterance was sent. */
export interface GateCounts {
  captured: number;
  sent: number;
  silent: number;
  lost: number;
  held: number;
}

/** Decides what is speech. Nothing here waits, keeps time of its own, or grows without bound. */
export interface SpeechGate {
  frame(frame: Frame): void;
  verdict(verdict: Verdict): void;
  /** The next frame begins at `audioMs` and does not follow the last one; ends an utterance. */
  gap(audioMs: number): void;
  /** There is no more sound. */
  flush(): void;
  /** An utterance has begun and not ended. */
  readonly isOpen: boolean;
  readonly counts: Readonly<GateCounts>;
  /** Frames no verdict covers yet, for a new detector to begin with. */
  readonly unjudged: readonly Frame[];
}

/** Sound before a gap that no verdict covers yet; less than this can hold no word. */
const TAIL_MS = 100;

const endOf = (frame: Frame): number => frame.audioMs + FRAME_MS;

interface Open {
  /** Of its first frame. */
  startMs: number;
  lastSpeechMs: number;
  speechMs: number;
  /** Began where a longer one was cut: any speech in it counts. */
  isContinued: boolean;
  /** Frames behind the place where a cut may be. */
  heldBack: Frame[];
}

export const createSpeechGate = (settings: Partial<GateSettings>, events: GateEvents): SpeechGate => {
  const set = { ...GATE_DEFAULTS, ...settings };
  const counts = { captured: 0, sent: 0, silent: 0, lost: 0 };
  /** Between utterances: frames that may yet be the pre-roll of one. */
  let held: Frame[] = [];
  let unjudged: Frame[] = [];
  let judgedToMs = -Infinity;
  let capturedToMs = -Infinity;
  let onset: { atMs: number; speechMs: number } | undefined;
  let open: Open | undefined;
  let isStalled = false;

  const tellStalled = (now: boolean): void => {
    if (isStalled === now) return;
    isStalled = now;
    events.stalled(now);
  };

  const send = (frame: Frame): void => {
    counts.sent += 1;
    events.audio(frame);
  };

  const begin = (onsetAudioMs: number, preRoll: Frame[], about: Pick<Open, 'lastSpeechMs' | 'isContinued'>): void => {
    const speechMs = Math.max(0, about.lastSpeechMs - onsetAudioMs);
    open = { ...about, speechMs, startMs: preRoll[0]?.audioMs ?? onsetAudioMs, heldBack: [] };
    onset = undefined;
    counts.sent += preRoll.length;
    events.begin({ onsetAudioMs, preRoll });
  };

  const finish = ({ startMs, heldBack, lastSpeechMs, speechMs, isContinued }: Open, reason: EndReason): void => {
    open = undefined;
    const endAudioMs = Math.max(startMs, lastSpeechMs - set.endLagMs);
    heldBack.forEach(send);
    if (speechMs > 0 && (isContinued || speechMs >= set.minSpeechMs)) events.end({ endAudioMs, reason });
    else events.discard();
  };

  /** Two utterances out of one, without a frame between them. */
  const cut = ({ heldBack, lastSpeechMs }: Open): void => {
    const at = quietestCut(heldBack);
    const rest = heldBack.slice(at);
    const cutMs = rest[0]?.audioMs ?? capturedToMs;
    open = undefined;
    heldBack.slice(0, at).forEach(send);
    events.end({ endAudioMs: Math.min(cutMs, lastSpeechMs), reason: 'max' });
    begin(cutMs, rest, { lastSpeechMs, isContinued: true });
  };

  const append = (to: Open, frame: Frame): void => {
    const lengthMs = endOf(frame) - to.startMs;
    if (lengthMs <= set.maxUtteranceMs - set.cutSearchMs) send(frame);
    else to.heldBack.push(frame);
    if (lengthMs >= set.maxUtteranceMs && to.heldBack.length > 1) cut(to);
  };

  /** The detector is too late for the oldest sound. */
  const giveUp = (): void => {
    const oldest = unjudged.shift();
    tellStalled(true);
    if (open) finish(open, 'gap');
    while (oldest && held[0] && held[0].audioMs <= oldest.audioMs) {
      if (held.shift() === oldest) counts.lost += 1;
      else counts.silent += 1;
    }
  };

  /** What is held before that is nobody's pre-roll. */
  const passOver = (beforeMs: number): void => {
    const keepFrom = held.findIndex((frame) => endOf(frame) > beforeMs);
    counts.silent += held.splice(0, keepFrom < 0 ? held.length : keepFrom).length;
  };

  const judgeClosed = ({ endMs, windowMs, probability }: Verdict): void => {
    if (probability >= set.onsetThreshold) {
      onset ??= { atMs: Math.max(endMs - windowMs, held[0]?.audioMs ?? -Infinity), speechMs: 0 };
      onset.speechMs += windowMs;
    } else onset = undefined;
    passOver((onset?.atMs ?? judgedToMs) - set.preRollMs);
    if (!onset || onset.speechMs < set.onsetMs) return;
    const preRoll = held;
    held = [];
    begin(onset.atMs, preRoll, { lastSpeechMs: endMs, isContinued: false });
  };

  const judgeOpen = (to: Open, { endMs, windowMs, probability }: Verdict): void => {
    if (probability >= set.onsetThreshold) to.speechMs += windowMs;
    if (probability >= set.releaseThreshold) to.lastSpeechMs = endMs;
    else if (endMs - to.lastSpeechMs >= set.hangOverMs - set.endLagMs) finish(to, 'silence');
  };

  const settle = (reason: EndReason): void => {
    if (open) finish(open, reason);
    const late = unjudged.length * FRAME_MS > TAIL_MS ? held.filter((frame) => endOf(frame) > judgedToMs).length : 0;
    counts.lost += late;
    counts.silent += held.length - late;
    held = [];
    unjudged = [];
    onset = undefined;
  };

  return {
    frame: (frame) => {
      counts.captured += 1;
      capturedToMs = endOf(frame);
      unjudged.push(frame);
      if (open) append(open, frame);
      else held.push(frame);
      if (unjudged.length * FRAME_MS > set.maxUnjudgedMs) giveUp();
    },
    verdict: (verdict) => {
      // Also of sound before a gap, judged too late to matter.
      if (!(verdict.endMs > judgedToMs) || verdict.endMs > capturedToMs) return;
      judgedToMs = verdict.endMs;
      unjudged = unjudged.filter((frame) => endOf(frame) > judgedToMs);
      tellStalled(false);
      if (open) judgeOpen(open, verdict);
      else judgeClosed(verdict);
    },
    gap: (audioMs) => {
      settle('gap');
      judgedToMs = audioMs;
      capturedToMs = audioMs;
    },
    flush: () => settle('ended'),
    get isOpen() {
      return open !== undefined;
    },
    get counts() {
      return { ...counts, held: held.length + (open?.heldBack.length ?? 0) };
    },
    get unjudged() {
      return unjudged;
    },
  };
};
