import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Transcripts } from '../../../edge/transcripts.ts';

describe('whose text is whose', () => {
  it('by the order of commits', () => {
    const book = new Transcripts();
    book.commitSent('a', 'commit-1');
    book.commitSent('b', 'commit-2');
    book.committed('item-1');
    book.committed('item-2');
    expect(book.completed('item-2', 'two')).toMatchObject({ utteranceId: 'b', text: 'two', itemId: 'item-2' });
    expect(book.completed('item-1', 'one')).toMatchObject({ utteranceId: 'a', text: 'one' });
  });

  it('text that streams in early belongs to what is open', () => {
    const book = new Transcripts();
    book.opened('a');
    expect(book.delta('item-1', 'Re')).toMatchObject({ utteranceId: 'a', text: 'Re' });
    expect(book.delta('item-1', 'factor')).toMatchObject({ text: 'Refactor' });
    book.commitSent('a', 'commit-1');
    expect(book.committed('item-1')).toBeNull();
    expect(book.delta('item-1', ' it')).toMatchObject({ utteranceId: 'a', text: 'Refactor it' });
  });

  it('a guess gives way to a commit, and takes its text with it', () => {
    const book = new Transcripts();
    book.commitSent('a', 'commit-1'); // No text of it came yet.
    book.opened('b');
    expect(book.delta('item-2', 'second')).toMatchObject({ utteranceId: 'a' });
    book.committed('item-1');
    expect(book.delta('item-2', ' one')).toMatchObject({ utteranceId: 'b', text: 'second one' });
    expect(book.delta('item-1', 'first')).toMatchObject({ utteranceId: 'a', text: 'first' });
  });

  it('late and doubled events about what is done mean nothing, to nobody', () => {
    const book = new Transcripts();
    book.commitSent('a', 'commit-1');
    book.committed('item-1');
    book.completed('item-1', 'one');
    book.opened('b');
    expect(book.delta('item-1', 'late')).toBeNull();
    expect(book.completed('item-1', 'again')).toBeNull();
    expect(book.failed('item-1')).toBeNull();
    expect(book.committed('item-1')).toBeNull();
  });

  it('text of a buffer that was cleared is nobody’s', () => {
    const book = new Transcripts();
    book.opened('noise');
    book.delta('item-1', 'uh');
    book.cleared();
    book.opened('b');
    expect(book.delta('item-1', 'm')).toBeNull();
    expect(book.delta('item-2', 'go')).toMatchObject({ utteranceId: 'b', text: 'go' });
  });

  it('a completion before its commit waits for it, unless there is only one it can be', () => {
    const book = new Transcripts();
    book.commitSent('a', 'commit-1');
    book.commitSent('b', 'commit-2');
    expect(book.completed('item-2', 'two')).toBeNull();
    expect(book.committed('item-1')).toBeNull();
    expect(book.committed('item-2')).toMatchObject({ utteranceId: 'b', text: 'two' });
    book.commitSent('c', 'commit-3');
    expect(book.completed('item-3', 'three')).toMatchObject({ utteranceId: 'c' });
    book.commitSent('d', 'commit-4');
    expect(book.committed('item-3')).toBeNull();
    book.committed('item-4');
    expect(book.completed('item-4', 'four')).toMatchObject({ utteranceId: 'd' });
  });

  it('a refused commit names its utterance, and does not shift the others', () => {
    const book = new Transcripts();
    book.commitSent('a', 'commit-1');
    book.commitSent('b', 'commit-2');
    expect(book.refused('commit-1')).toBe('a');
    expect(book.refused('commit-1')).toBeNull();
    book.committed('item-2');
    expect(book.completed('item-2', 'two')).toMatchObject({ utteranceId: 'b' });
  });

  it('what is forgotten keeps its place in the order', () => {
    const book = new Transcripts();
    book.commitSent('a', 'commit-1');
    book.commitSent('b', 'commit-2');
    book.forget('a');
    expect(book.committed('item-1')).toBeNull();
    expect(book.completed('item-1', 'one')).toBeNull();
    book.committed('item-2');
    expect(book.completed('item-2', 'two')).toMatchObject({ utteranceId: 'b' });
  });

  it('no flood makes it grow, or a text longer than any may be', () => {
    const book = new Transcripts();
    for (let n = 0; n < 10_000; n += 1) {
      book.delta(`stranger-${n}`, 'x');
      book.completed(`stranger-${n}`, 'x');
    }
    book.opened('a');
    let last = 0;
    for (let n = 0; n < 2_000; n += 1) last = book.delta('item-1', '0123456789')?.text.length ?? last;
    expect(last).toBe(8_000);
  });

  it('each utterance gets its own text, however the service orders what it says', () => {
    type Step = { u: number; what: 'confirm' | 'delta' | 'complete' };
    const sessions = fc.integer({ min: 1, max: 6 }).chain((count) =>
      fc.record({
        count: fc.constant(count),
        // Deltas come before the completion; completions in any order among themselves; commits are confirmed in order.
        deltas: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: count, maxLength: count }),
        picks: fc.array(fc.nat(), { minLength: 64, maxLength: 64 }),
        lateConfirms: fc.boolean(),
      }),
    );
    fc.assert(
      fc.property(sessions, ({ count, deltas, picks, lateConfirms }) => {
        const book = new Transcripts();
        const got = new Map<string, string>();
        const take = (told: { utteranceId: string; text: string } | null): void => {
          if (!told) return;
          expect(got.has(told.utteranceId)).toBe(false);
          got.set(told.utteranceId, told.text);
        };
        for (let u = 0; u < count; u += 1) {
          book.opened(`u${u}`);
          book.commitSent(`u${u}`, `commit-${u}`);
        }
        const confirms: Step[] = Array.from({ length: count }, (_, u) => ({ u, what: 'confirm' }));
        const texts: Step[][] = deltas.map((some, u) => [
          ...Array.from({ length: some }, (): Step => ({ u, what: 'delta' })),
          { u, what: 'complete' },
        ]);
        const queues = lateConfirms ? [confirms, ...texts] : [[...confirms, ...texts.flat()]];
        let pick = 0;
        while (queues.some((queue) => queue.length > 0)) {
          const left = queues.filter((queue) => queue.length > 0);
          const step = left[(picks[pick % picks.length] ?? 0) % left.length]?.shift();
          pick += 1;
          if (step?.what === 'confirm') take(book.committed(`item-${step.u}`));
          if (step?.what === 'delta') book.delta(`item-${step.u}`, 'x');
          if (step?.what === 'complete') take(book.completed(`item-${step.u}`, `text ${step.u}`));
        }
        // With several commits unconfirmed a completion waits for its own: then all of them are known.
        for (let u = 0; u < count; u += 1) if (got.has(`u${u}`)) expect(got.get(`u${u}`)).toBe(`text ${u}`);
        expect(got.size).toBe(count);
      }),
    );
  });
});
