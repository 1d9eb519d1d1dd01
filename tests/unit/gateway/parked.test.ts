import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AcceptedReply } from '../../../contracts/replies.ts';
import { openParked } from '../../../gateway/parked.ts';
import type { Parked } from '../../../gateway/parked.ts';
import { createArtifactStore } from '../../../platform/artifacts.ts';
import { createLog } from '../../../platform/log.ts';
import { clauseOf, routeOf } from '../../fakes/scripted-router.ts';

let dir: string;
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), 'parked-'))));
afterEach(() => rm(dir, { recursive: true, force: true }));

const lines: string[] = [];
const log = createLog(
  'test',
  (text) => text,
  'info',
  (line) => lines.push(line),
);
const waiting = (sessionId: string, utterance = 'open it'): Parked => ({
  trace_id: 'a'.repeat(32),
  session_id: sessionId,
  utterance,
  body_hash: 'h',
  route: routeOf('clarify', [clauseOf(utterance, { ask: true })]),
  context: '',
});
const accepted: AcceptedReply = {
  status: 'accepted',
  trace_id: 'a'.repeat(32),
  workflow_id: `voice-${'a'.repeat(32)}`,
  jobs: [{ job_id: `${'a'.repeat(32)}-1`, agent: 'coding', skill: 'coding', instruction: 'x', depends_on: [] }],
  links: { trace: '/t', events: '/e', temporal_ui: 'http://x' },
};

describe('parked transcripts', () => {
  it('keeps one question a session, and another gateway finds it', async () => {
    const store = createArtifactStore(dir);
    const first = await openParked(store, log);
    await first.park(waiting('s', 'old'));
    await first.park(waiting('s', 'new'));
    await first.park(waiting('t'));
    const second = await openParked(store, log);
    expect(second.of('s')).toEqual(waiting('s', 'new'));
    expect(second.of('t')?.session_id).toBe('t');
    expect(second.of('u')).toBeNull();
  });

  it('forgets an answered question, and remembers the answer', async () => {
    const store = createArtifactStore(dir);
    const first = await openParked(store, log);
    await first.park(waiting('s'));
    await first.settle('s', { utteranceId: 'answer', bodyHash: 'b', reply: accepted });
    const second = await openParked(store, log);
    expect(second.of('s')).toBeNull();
    expect(second.answered('answer')).toEqual({ bodyHash: 'b', reply: accepted, until: expect.any(Number) as unknown });
  });

  it('lets a question go after its time, also over a restart', async () => {
    const store = createArtifactStore(dir);
    const parked = await openParked(store, log, 0);
    await parked.park(waiting('s'));
    expect(parked.of('s')).toBeNull();
    expect((await openParked(store, log, 0)).of('s')).toBeNull();
  });

  it('starts empty from a file it cannot read', async () => {
    const store = createArtifactStore(dir);
    await store.setRef('gateway/parked', { parked: [{ expires_at: 'soon', parked: 7 }], answers: [] });
    expect((await openParked(store, log)).of('s')).toBeNull();
  });

  it('goes on in memory when nothing can be written, and says so', async () => {
    const parked = await openParked(
      { getRef: async () => null, setRef: () => Promise.reject(new Error('disk full')) },
      log,
    );
    await parked.park(waiting('s'));
    expect(parked.of('s')).toEqual(waiting('s'));
    expect(lines.join()).toContain('disk full');
  });
});
