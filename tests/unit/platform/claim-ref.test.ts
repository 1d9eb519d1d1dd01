import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { createArtifactStore } from '../../../platform/artifacts.ts';

it('a reference can be claimed by one caller only, and keeps what that one said', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'claim-'));
  try {
    const [one, other] = [createArtifactStore(dir), createArtifactStore(dir)];
    const claims = await Promise.all(
      Array.from({ length: 20 }, (_, caller) => (caller % 2 === 0 ? one : other).claimRef('effects/one', { caller })),
    );
    const winner = claims.indexOf(true);
    expect(claims.filter(Boolean)).toHaveLength(1);
    expect(await one.getRef('effects/one')).toEqual({ caller: winner });
    expect(readdirSync(join(dir, 'refs/effects'))).toEqual(['one.json']);
    await one.setRef('effects/one', 'settled');
    expect(await other.claimRef('effects/one', 'late')).toBe(false);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
