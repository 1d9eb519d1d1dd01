import { z } from 'zod';
import type { SceneSentence } from './edge-scene.ts';
import type { Figure } from './figures.ts';

/** A line of the edge's `--json`. */
export const EdgeLine = z.looseObject({
  event: z.string(),
  at_ms: z.number(),
  audio_ms: z.number(),
  utterance_id: z.string().nullable(),
  trace_id: z.string().optional(),
  text: z.string().optional(),
});
export type EdgeLine = z.infer<typeof EdgeLine>;

/** Lines of which `audio_ms` is the sound heard so far, and not where speech began or ended. */
const TELLS_PROGRESS = new Set(['first_append', 'first_partial', 'final', 'spooled', 'acked']);
/** The edge may put an onset so much before the label. */
const EARLY_MS = 500;

/**
 * When the sound began to play, on the clock of `at_ms`: a file is delivered in real time from its start, so no line
 * comes sooner after it than the sound it has heard lasts. Up to a frame late. @throws Error without such a line
 */
export const soundStartMs = (lines: readonly EdgeLine[]): number => {
  const starts = lines
    .filter(({ event, audio_ms }) => TELLS_PROGRESS.has(event) && audio_ms > 0)
    .map((line) => line.at_ms - line.audio_ms);
  if (starts.length === 0) throw new Error('the edge told of no sound');
  return Math.min(...starts);
};

/** What became of one sentence. Milliseconds after the onset or the end of its speech; null: it never happened. */
export interface SentenceTimes {
  said: string;
  heard: string;
  /** Of the last utterance that was made of it. */
  utteranceId: string | null;
  utterances: number;
  onsetToAppendMs: number | null;
  onsetToPartialMs: number | null;
  endToEndNoticedMs: number | null;
  endToFinalMs: number | null;
  endToAckedMs: number | null;
  /** What the gateway said: accepted, declined ... */
  reply: string | null;
}

/** Finds each sentence among the lines, by where its speech was noticed. */
export const timesOf = (sentences: readonly SceneSentence[], lines: readonly EdgeLine[]): SentenceTimes[] => {
  const startMs = soundStartMs(lines);
  const starts = lines.filter(({ event }) => event === 'speech_start');
  const lineOf = (event: string, id: string | null | undefined): EdgeLine | undefined =>
    lines.find((line) => line.event === event && line.utterance_id === id);
  return sentences.map(({ text, onsetMs, endMs }) => {
    const ids = starts
      .filter(({ audio_ms: at }) => at >= onsetMs - EARLY_MS && at <= endMs)
      .map(({ utterance_id: id }) => id);
    const [first, last] = [ids[0], ids.at(-1)];
    const since = (audioMs: number, line: EdgeLine | undefined): number | null =>
      line && line.utterance_id !== null ? line.at_ms - startMs - audioMs : null;
    const acked = lineOf('acked', last);
    return {
      said: text,
      heard: ids.map((id) => lineOf('final', id)?.text ?? '').join(' '),
      utteranceId: last ?? null,
      utterances: ids.length,
      onsetToAppendMs: since(onsetMs, lineOf('first_append', first)),
      onsetToPartialMs: since(onsetMs, lineOf('first_partial', first)),
      endToEndNoticedMs: since(endMs, lineOf('speech_end', last)),
      endToFinalMs: since(endMs, lineOf('final', last)),
      endToAckedMs: since(endMs, acked),
      reply: acked?.text ?? null,
    };
  });
};

/** A figure that is told, without a goal. */
export const toldFigure = ({ figure, value, unit }: Pick<Figure, 'figure' | 'value' | 'unit'>): Figure => ({
  figure,
  value: Number(value.toPrecision(3)),
  unit,
  against: null,
  ratio: null,
  goal: 'told, no goal',
  reached: true,
});
