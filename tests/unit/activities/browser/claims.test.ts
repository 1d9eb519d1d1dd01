import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClaims } from '../../../../activities/browser/claims.ts';
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
  it('outlive the process: begun without a result, then with it', async () => {
    const key = { jobId: 'job-1', turn: 3, callId: 'any id / at "all"' };
    const here = createClaims(createArtifactStore(folder));
    const elsewhere = createClaims(createArtifactStore(folder));
    expect(await here.find(key)).toEqual({ state: 'new' });
    await here.begin(key);
    expect(await elsewhere.find(key)).toEqual({ state: 'begun' });
    here.acted(key, 'Clicked.');
    expect(await here.find(key)).toEqual({ state: 'acted', text: 'Clicked.' });
    expect(await elsewhere.find(key)).toEqual({ state: 'begun' });
    await here.finish(key, result);
    expect(await here.find(key)).toEqual({ state: 'done', result });
    expect(await elsewhere.find(key)).toEqual({ state: 'done', result });
    expect(await here.find({ ...key, turn: 4 })).toEqual({ state: 'new' });
    expect(await here.find({ ...key, callId: 'other' })).toEqual({ state: 'new' });
    expect((await readdir(join(folder, 'refs', 'claims')))[0]).toMatch(/^job-1\.3\.[0-9a-f]{32}\.json$/);
  });
});
