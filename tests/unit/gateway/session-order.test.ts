import { describe, expect, it } from '@jest/globals';
import { createSessionOrder, MAX_WAITING } from '../../../gateway/session-order.ts';

const finishAll = (promises: Promise<unknown>[]): Promise<unknown> => Promise.all(promises);

/** Work that says when it began and ends when told. */
const record = (order: string[], name: string) => async (): Promise<string> => {
  order.push(`${name}+`);
  await new Promise((resolve) => setImmediate(resolve));
  order.push(`${name}-`);
  return name;
};

describe('session order', () => {
  it('runs finals of one session one after the other, by arrival', async () => {
    const order: string[] = [];
    const session = createSessionOrder();
    const done = ['a', 'b', 'c'].map((name) => session.run('s', undefined, record(order, name)));
    expect(await Promise.all(done)).toEqual(['a', 'b', 'c']);
    expect(order).toEqual(['a+', 'a-', 'b+', 'b-', 'c+', 'c-']);
    expect(session.size).toBe(0);
  });

  it('lets other sessions pass', async () => {
    const order: string[] = [];
    const session = createSessionOrder();
    let release = (): void => undefined;
    const blocked = session.run('slow', undefined, () => new Promise<void>((resolve) => (release = resolve)));
    await session.run('quick', undefined, record(order, 'q'));
    expect(order).toEqual(['q+', 'q-']);
    release();
    await blocked;
  });

  it('puts finals that came in the wrong order right', async () => {
    const order: string[] = [];
    const session = createSessionOrder(60_000);
    await session.run('s', 1, record(order, '1'));
    await finishAll([4, 3, 2].map((n) => session.run('s', n, record(order, String(n)))));
    expect(order.filter((step) => step.endsWith('+'))).toEqual(['1+', '2+', '3+', '4+']);
  });

  it('goes on without one that never comes, and takes it when it does', async () => {
    const order: string[] = [];
    const session = createSessionOrder(30);
    await session.run('s', 1, record(order, '1'));
    await session.run('s', 3, record(order, '3'));
    await session.run('s', 2, record(order, '2'));
    expect(order.filter((step) => step.endsWith('+'))).toEqual(['1+', '3+', '2+']);
  });

  it('counts what needs no turn as no gap', async () => {
    const order: string[] = [];
    const session = createSessionOrder(60_000);
    await session.run('s', 1, record(order, '1'));
    session.pass('s', 3);
    session.pass('s', 2);
    await session.run('s', 4, record(order, '4'));
    expect(order).toContain('4-');
  });

  it('wakes one that waits when its gap is passed', async () => {
    const session = createSessionOrder(60_000);
    await session.run('s', 0, async () => undefined);
    const waiting = session.run('s', 2, async () => 'through');
    session.pass('s', 1);
    expect(await waiting).toBe('through');
  });

  it('keeps going after work that failed', async () => {
    const session = createSessionOrder();
    await expect(session.run('s', 1, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await session.run('s', 2, async () => 'yes')).toBe('yes');
  });

  it('refuses more than it can hold, at once', async () => {
    const session = createSessionOrder();
    let release = (): void => undefined;
    const first = session.run('s', undefined, () => new Promise<void>((resolve) => (release = resolve)));
    const waiting = Array.from({ length: MAX_WAITING }, () => session.run('s', undefined, async () => undefined));
    await expect(session.run('s', undefined, async () => undefined)).rejects.toMatchObject({
      problem: 'too-many',
      retryAfterS: 1,
    });
    release();
    await finishAll([first, ...waiting]);
  });
});
