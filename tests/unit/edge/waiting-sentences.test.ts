import { describe, expect, it } from '@jest/globals';
import type { Sentence, Urgency } from '../../../edge/sentence.ts';
import { createWaitingSentences } from '../../../edge/waiting-sentences.ts';
import type { Due } from '../../../edge/waiting-sentences.ts';

const due = (text: string, urgency: Urgency, more: Partial<Sentence> = {}, again = false): Due => ({
  sentence: { text, traceId: null, urgency, earcon: null, key: null, final: false, ...more },
  again,
  told: false,
});
const texts = (dues: readonly Due[]): string[] => dues.map(({ sentence }) => sentence.text);
const all = (waiting: ReturnType<typeof createWaitingSentences>): string[] => {
  const taken: string[] = [];
  for (let one = waiting.take(); one; one = waiting.take()) taken.push(one.sentence.text);
  return taken;
};

describe('sentences that wait', () => {
  it('go the urgent first, each kind in its order, a question that is asked again last', () => {
    const waiting = createWaitingSentences();
    waiting.add(due('again', 'question', {}, true));
    for (const urgency of ['note', 'result', 'failure', 'question'] as const)
      for (const number of [1, 2]) waiting.add(due(`${urgency} ${number}`, urgency));
    expect(all(waiting)).toEqual([
      'question 1',
      'question 2',
      'failure 1',
      'failure 2',
      'result 1',
      'result 2',
      'note 1',
      'note 2',
      'again',
    ]);
  });

  it('are made stale by newer words about the same task', () => {
    const waiting = createWaitingSentences();
    waiting.add(due('two jobs started', 'note', { traceId: 'a' }));
    waiting.add(due('other', 'note', { traceId: 'b' }));
    expect(texts(waiting.add(due('approve?', 'question', { traceId: 'a' })))).toEqual(['two jobs started']);
    expect(texts(waiting.add(due('one failed', 'failure', { traceId: 'a' })))).toEqual([]);
    expect(texts(waiting.add(due('done', 'result', { traceId: 'a', final: true })))).toEqual(['approve?']);
    expect(all(waiting)).toEqual(['one failed', 'done', 'other']);
  });

  it('about no task never make each other stale', () => {
    const waiting = createWaitingSentences();
    waiting.add(due('one', 'note'));
    waiting.add(due('two', 'note', { final: true }));
    expect(all(waiting)).toEqual(['one', 'two']);
  });

  it('are bounded: old notes go first, then old results, never a question or a failure for them', () => {
    const waiting = createWaitingSentences();
    for (let i = 0; i < 3; i += 1) waiting.add(due(`note ${i}`, 'note'));
    for (let i = 0; i < 3; i += 1) waiting.add(due(`result ${i}`, 'result'));
    const gone: string[] = [];
    for (let i = 0; i < 20; i += 1) gone.push(...texts(waiting.add(due(`question ${i}`, 'question'))));
    expect(gone).toEqual(['note 0', 'note 1', 'note 2', 'result 0', 'result 1', 'result 2']);
    expect(texts(waiting.add(due('news', 'note')))).toEqual(['news']);
    expect(waiting.size).toBe(20);
  });

  it('are bounded even where all are urgent: the oldest failures go, then the oldest questions', () => {
    const waiting = createWaitingSentences();
    for (let i = 0; i < 31; i += 1) waiting.add(due(`question ${i}`, 'question'));
    waiting.add(due('failure', 'failure'));
    expect(texts(waiting.add(due('one more', 'question')))).toEqual(['failure']);
    expect(texts(waiting.add(due('and one', 'question')))).toEqual(['question 0']);
    expect(waiting.size).toBe(32);
  });

  it('can be taken away', () => {
    const waiting = createWaitingSentences();
    waiting.add(due('a', 'question', { key: 'k' }));
    waiting.add(due('b', 'note'));
    expect(texts(waiting.remove(({ sentence }) => sentence.key === 'k'))).toEqual(['a']);
    expect(all(waiting)).toEqual(['b']);
    expect(waiting.take()).toBeUndefined();
  });
});
