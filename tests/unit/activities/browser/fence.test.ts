import { describe, expect, it } from '@jest/globals';
import { createFence } from '../../../../activities/browser/fence.ts';
import { aborted } from '../../../../platform/lifecycle.ts';

const never = new AbortController().signal;

describe('fence', () => {
  it('lets the newer attempt begin only when the older one is over', async () => {
    const fence = createFence();
    const events: string[] = [];
    const first = fence
      .run({ turn: 3, attempt: 1 }, never, async (signal) => {
        await aborted(signal);
        events.push('first aborted');
        await new Promise((done) => setImmediate(done));
        events.push('first over');
        signal.throwIfAborted();
      })
      .catch((error: Error) => error.message);
    await fence.run({ turn: 3, attempt: 2 }, never, async () => void events.push('second'));
    expect(await first).toBe('a newer attempt took over');
    expect(events).toEqual(['first aborted', 'first over', 'second']);
  });

  it('refuses late ones, also when the newer is long over', async () => {
    const fence = createFence();
    await fence.run({ turn: 3, attempt: 2 }, never, async () => undefined);
    for (const order of [
      { turn: 3, attempt: 1 },
      { turn: 2, attempt: 9 },
    ])
      await expect(fence.run(order, never, async () => 'ran')).rejects.toMatchObject({ type: 'SessionLost' });
    expect(await fence.run({ turn: 4, attempt: 1 }, never, async () => 'ran')).toBe('ran');
  });

  it('of several that wait, runs only the newest', async () => {
    const fence = createFence();
    const ran: number[] = [];
    const work = (attempt: number) =>
      fence.run({ turn: 1, attempt }, never, async (signal) => {
        ran.push(attempt);
        if (attempt < 4) await aborted(signal);
        signal.throwIfAborted();
      });
    const results = await Promise.allSettled([work(1), work(2), work(3), work(4)]);
    expect(ran).toEqual([1, 4]);
    expect(results.map((result) => result.status)).toEqual(['rejected', 'rejected', 'rejected', 'fulfilled']);
  });

  it('shuts: what runs is aborted and awaited, nothing comes in any more', async () => {
    const fence = createFence();
    const running = fence.run({ turn: 1, attempt: 1 }, never, aborted);
    await fence.shut();
    await running;
    await expect(fence.run({ turn: 2, attempt: 1 }, never, async () => 'ran')).rejects.toMatchObject({
      type: 'SessionLost',
    });
  });

  it('passes the caller’s own abort on', async () => {
    const fence = createFence();
    const caller = new AbortController();
    const running = fence.run({ turn: 1, attempt: 1 }, caller.signal, async (signal) => {
      await aborted(signal);
      throw signal.reason as Error;
    });
    caller.abort(new Error('cancelled'));
    await expect(running).rejects.toThrow('cancelled');
    expect(await fence.run({ turn: 1, attempt: 2 }, never, async () => 'ran')).toBe('ran');
  });
});
