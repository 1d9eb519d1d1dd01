import { describe, expect, it } from '@jest/globals';
import type { FinalReply } from '../../../contracts/replies.ts';
import { createRemembered } from '../../../gateway/remembered.ts';

const declined = (traceId = 'a'.repeat(32)): FinalReply => ({ status: 'declined', trace_id: traceId, reason: 'no' });

describe('remembered replies', () => {
  it('makes a reply once, also for two that ask at the same moment', async () => {
    const remembered = createRemembered();
    let made = 0;
    const make = async (): Promise<FinalReply> => {
      made += 1;
      return declined();
    };
    const [one, two] = await Promise.all([remembered.once('u', 'h', make), remembered.once('u', 'h', make)]);
    expect(await remembered.once('u', 'h', make)).toBe(one);
    expect(two).toBe(one);
    expect(made).toBe(1);
  });

  it('refuses the same id with another body, also while the first is being made', async () => {
    const remembered = createRemembered();
    const first = remembered.once('u', 'one', async () => declined());
    await expect(remembered.once('u', 'two', async () => declined())).rejects.toMatchObject({
      problem: 'utterance-conflict',
    });
    await first;
  });

  it('forgets what failed, so that it can be tried again', async () => {
    const remembered = createRemembered();
    await expect(remembered.once('u', 'h', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    expect(remembered.knows('u')).toBe(false);
    expect(await remembered.once('u', 'h', async () => declined())).toEqual(declined());
  });

  it('lets go after its time', async () => {
    const remembered = createRemembered(0);
    await remembered.once('u', 'one', async () => declined());
    expect(await remembered.once('u', 'two', async () => declined())).toEqual(declined());
    remembered.note(declined(), 'hello');
    expect(remembered.byTrace('a'.repeat(32))).toBeNull();
  });

  it('finds what was answered under a trace', () => {
    const remembered = createRemembered();
    remembered.note(declined(), 'hello');
    expect(remembered.byTrace('a'.repeat(32))).toMatchObject({ reply: declined(), utterance: 'hello' });
    expect(remembered.byTrace('b'.repeat(32))).toBeNull();
  });

  it('stays bounded', () => {
    const remembered = createRemembered();
    for (let n = 0; n < 10_050; n++) remembered.note(declined(n.toString(16).padStart(32, '0')), 'x');
    expect(remembered.byTrace('0'.repeat(32))).toBeNull();
    expect(remembered.byTrace((10_049).toString(16).padStart(32, '0'))).not.toBeNull();
  });
});
