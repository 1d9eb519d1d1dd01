import { describe, expect, it } from '@jest/globals';
import { createSlots } from '../../../../activities/browser/slots.ts';

const never = new AbortController().signal;

describe('slots', () => {
  it('hands a freed place to who waited longest', async () => {
    const slots = createSlots(1);
    const free = await slots.take(10_000, never);
    expect(slots.free).toBe(0);
    const order: string[] = [];
    const second = slots.take(10_000, never).then((give) => (order.push('second'), give));
    const third = slots.take(10_000, never).then((give) => (order.push('third'), give));
    free();
    free(); // once is enough
    (await second)();
    (await third)();
    expect(order).toEqual(['second', 'third']);
    expect(slots.free).toBe(1);
  });

  it('is busy after the wait, and says when to come again', async () => {
    const slots = createSlots(1);
    const free = await slots.take(0, never);
    await expect(slots.take(5, never)).rejects.toMatchObject({
      type: 'EnvironmentBusy',
      retryable: true,
      retryAfterMs: 1_000,
    });
    free();
    expect(slots.free).toBe(1);
  });

  it('forgets who stopped waiting', async () => {
    const slots = createSlots(1);
    const free = await slots.take(0, never);
    const impatient = new AbortController();
    const waiting = slots.take(10_000, impatient.signal);
    impatient.abort(new Error('cancelled'));
    await expect(waiting).rejects.toThrow('cancelled');
    await expect(slots.take(10_000, impatient.signal)).rejects.toThrow('cancelled');
    free();
    expect(slots.free).toBe(1);
  });
});
