import { rmSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { createSessionStore } from '../../../../activities/coding/session-store.ts';
import { takeSlot } from '../../../../activities/coding/slots.ts';
import { JOB, makeFolder } from './coding-fixture.ts';

it('all places taken: busy, and to be asked again in a second', async () => {
  const folder = makeFolder();
  try {
    const store = createSessionStore(folder);
    const { signal } = new AbortController();
    const about = { jobId: JOB, generation: 1, attempt: 1 };
    const take = (): Promise<{ id: string }> => takeSlot(store, 2, about, signal, Date.now, 150);
    const first = await take();
    await take();
    await expect(take()).rejects.toMatchObject({ type: 'EnvironmentBusy', retryable: true, retryAfterMs: 1_000 });
    const waiting = take();
    await store.remove(first.id);
    expect((await waiting).id).not.toBe(first.id);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
