import { describe, expect, it } from '@jest/globals';
import { soundStartMs, timesOf } from '../../../bench/edge-timeline.ts';
import type { EdgeLine } from '../../../bench/edge-timeline.ts';

const line = (event: string, id: string | null, atMs: number, audioMs: number, text?: string): EdgeLine => ({
  event,
  at_ms: atMs,
  audio_ms: audioMs,
  utterance_id: id,
  ...(text !== undefined && { text }),
});

/** Sound that began 1,000 ms after the edge; two sentences, the second in two pieces. */
const LINES = [
  line('error', null, 200, 0, 'no gateway yet'),
  line('acked', 'of an earlier start', 300, 0, 'accepted'),
  line('speech_start', 'a', 1_560, 490),
  line('first_append', 'a', 1_562, 560),
  line('first_partial', 'a', 1_905, 900, 'run'),
  line('speech_end', 'a', 3_330, 2_010),
  line('final', 'a', 3_345, 2_345, 'run the tests'),
  line('acked', 'a', 3_370, 2_360, 'accepted'),
  line('speech_start', 'b', 5_050, 4_000),
  line('first_append', 'b', 5_055, 4_040),
  line('speech_end', 'b', 5_800, 4_500),
  line('final', 'b', 5_900, 4_880, 'clean up'),
  line('acked', 'b', 5_950, 4_940, 'clarify'),
  line('speech_start', 'c', 6_050, 5_000),
  line('first_append', 'c', 6_055, 5_040),
  line('speech_end', 'c', 7_000, 5_690),
  line('final', 'c', 7_060, 6_040, 'the module'),
  line('acked', 'c', 7_100, 6_080, 'accepted'),
];

describe('soundStartMs', () => {
  it('is the line that came soonest after the sound it has heard; places in the sound and what came before do not count', () => {
    expect(soundStartMs(LINES)).toBe(1_000);
  });
  it('says so where no sound was heard', () => {
    expect(() => soundStartMs(LINES.slice(0, 2))).toThrow('the edge told of no sound');
  });
});

describe('timesOf', () => {
  const [first, second, third] = timesOf(
    [
      { text: 'run the tests', onsetMs: 500, endMs: 2_000 },
      { text: 'clean up the module', onsetMs: 4_010, endMs: 5_700 },
      { text: 'stop', onsetMs: 9_000, endMs: 9_400 },
    ],
    LINES,
  );

  it('counts from where the label has onset and end', () => {
    expect(first).toEqual({
      said: 'run the tests',
      heard: 'run the tests',
      utteranceId: 'a',
      utterances: 1,
      onsetToAppendMs: 62,
      onsetToPartialMs: 405,
      endToEndNoticedMs: 330,
      endToFinalMs: 345,
      endToAckedMs: 370,
      reply: 'accepted',
    });
  });

  it('takes the beginning of the first piece and the end of the last', () => {
    expect(second).toMatchObject({ heard: 'clean up the module', utterances: 2, utteranceId: 'c', reply: 'accepted' });
    expect(second).toMatchObject({ onsetToAppendMs: 45, onsetToPartialMs: null, endToFinalMs: 360, endToAckedMs: 400 });
  });

  it('tells of a sentence nobody heard', () => {
    expect(third).toMatchObject({ heard: '', utterances: 0, utteranceId: null, onsetToAppendMs: null, reply: null });
  });
});
