import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createArtifactStore, sha256Of } from '../../../platform/artifacts.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'artifacts-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('the artifact store', () => {
  it('stores bytes under their hash, once, and gives them back', async () => {
    const store = createArtifactStore(dir);
    const [first, second] = await Promise.all([
      store.put('hello', { name: 'a.txt', mediaType: 'text/plain' }),
      store.put('hello', { name: 'a.txt', mediaType: 'text/plain' }),
    ]);
    expect(first).toEqual({ sha256: sha256Of('hello'), name: 'a.txt', media_type: 'text/plain', bytes: 5 });
    expect(second).toEqual(first);
    expect((await store.get(first.sha256)).toString()).toBe('hello');
    expect(await store.describe(first.sha256)).toEqual(first);
    expect(readdirSync(join(dir, first.sha256.slice(0, 2))).some((name) => name.endsWith('.tmp'))).toBe(false);
  });

  it('refuses what is no hash, what is missing, and what was damaged', async () => {
    const store = createArtifactStore(dir);
    await expect(store.get('../../../etc/passwd')).rejects.toMatchObject({ type: 'NotFound' });
    await expect(store.get('0'.repeat(64))).rejects.toMatchObject({ type: 'NotFound' });
    const { sha256 } = await store.put('hello', { name: 'a', mediaType: 'text/plain' });
    writeFileSync(join(dir, sha256.slice(0, 2), sha256), 'hellO');
    await expect(store.get(sha256)).rejects.toMatchObject({ type: 'Internal', retryable: false });
  });

  it('keeps references apart from content, whole or not at all', async () => {
    const store = createArtifactStore(dir);
    expect(await store.getRef('turns/one')).toBeNull();
    await store.setRef('turns/one', { answer: 42 });
    await store.setRef('turns/one', { answer: 43 });
    expect(await store.getRef('turns/one')).toEqual({ answer: 43 });
    expect(JSON.parse(readFileSync(join(dir, 'refs/turns/one.json'), 'utf8'))).toEqual({ answer: 43 });
    await expect(async () => store.setRef('../escape', 1)).rejects.toThrow();
  });
});
