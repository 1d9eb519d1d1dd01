import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClaims } from '../../../../activities/browser/claims.ts';
import type { Claims } from '../../../../activities/browser/claims.ts';
import type { ToolResult } from '../../../../activities/models/model.ts';
import { createArtifactStore } from '../../../../platform/artifacts.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'claims-test-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const result: ToolResult = {
  call_id: 'c',
  name: 'click',
  content: [
    { type: 'text', text: 'Clicked.' },
    { type: 'image', sha256: 'f'.repeat(64), media_type: 'image/png' },
  ],
  is_error: false,
  unknown: false,
  summary: 'click',
  url: 'http://site/',
  confirmed: false,
};

describe('claims', () => {
  const twoWorkers = (): [Claims, Claims] => [
    createClaims(createArtifactStore(folder)),
    createClaims(createArtifactStore(folder)),
  ];

  it('outlive the process: begun without a result, then with it', async () => {
    const key = { jobId: 'job-1', turn: 3, callId: 'any id / at "all"' };
    const [here, elsewhere] = twoWorkers();
    expect(await here.take(key)).toEqual({ state: 'mine' });
    expect(await elsewhere.take(key)).toEqual({ state: 'unknown' });
    here.acted(key, 'Clicked.');
    expect(await here.take(key)).toEqual({ state: 'acted', text: 'Clicked.' });
    expect(await elsewhere.take(key)).toEqual({ state: 'unknown' });
    await here.finish(key, result);
    expect(await here.take(key)).toEqual({ state: 'done', result });
    expect(await elsewhere.take(key)).toEqual({ state: 'done', result });
    expect(await here.take({ ...key, turn: 4 })).toEqual({ state: 'mine' });
    expect(await here.take({ ...key, callId: 'other' })).toEqual({ state: 'mine' });
    expect((await readdir(join(folder, 'refs', 'claims')))[0]).toMatch(/^job-1\.3\.[0-9a-f]{32}(\.done)?\.json$/);
  });

  it('go to exactly one of many who want the call at the same time', async () => {
    const [here, elsewhere] = twoWorkers();
    for (let turn = 0; turn < 20; turn += 1) {
      const key = { jobId: 'job-2', turn, callId: 'click' };
      const states = await Promise.all([here, elsewhere, here, elsewhere].map((claims) => claims.take(key)));
      expect(states.map(({ state }) => state).sort()).toEqual(['mine', 'unknown', 'unknown', 'unknown']);
    }
  });
});
