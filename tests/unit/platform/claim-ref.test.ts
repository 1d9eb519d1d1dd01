import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { createArtifactStore } from '../../../platform/artifacts.ts';

it('a reference can be claimed by one caller only, and keeps what that one said', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'claim-'));
  try {
    const stores = [createArtifactStore(dir), createArtifactStore(dir)];
    const claims = await Promise.all(
      Array.from({ length: 20 }, (_, caller) => stores[caller % 2]?.claimRef('effects/one', { caller })),
    );
    const winner = claims.indexOf(true);
    expect(claims.filter(Boolean)).toHaveLength(1);
    expect(await stores[0]?.getRef('effects/one')).toEqual({ caller: winner });
    expect(readdirSync(join(dir, 'refs/effects'))).toEqual(['one.json']);
    await stores[0]?.setRef('effects/one', 'settled');
    expect(await stores[1]?.claimRef('effects/one', 'late')).toBe(false);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
