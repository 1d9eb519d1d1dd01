import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createConversation } from '../../../activities/conversation.ts';
import type { Entry } from '../../../activities/models/model.ts';
import { createArtifactStore, sha256Of } from '../../../platform/artifacts.ts';
import type { ArtifactStore } from '../../../platform/artifacts.ts';
import { createScrub } from '../../../platform/secrets.ts';

const SECRET = 'correct-horse-battery';
const scrub = createScrub([SECRET]);

let dir: string;
let artifacts: ArtifactStore;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dual-conversation-'));
  artifacts = createArtifactStore(dir);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const said = (text: string): Entry => ({ role: 'user', content: [{ type: 'text', text }] });
const answer = (text: string, raw: unknown = null): Entry => ({
  role: 'assistant',
  provider: 'anthropic',
  model: 'm',
  text,
  tool_calls: [],
  raw,
});
const results = (text: string): Entry => ({
  role: 'tools',
  results: [
    {
      call_id: 'a',
      name: 'bash',
      content: [{ type: 'text', text }],
      is_error: false,
      unknown: false,
      summary: text,
      url: null,
      confirmed: false,
    },
  ],
});

/** Counts what is read from disk. */
const counting = (store: ArtifactStore): { store: ArtifactStore; reads: () => number } => {
  let reads = 0;
  return {
    reads: () => reads,
    store: {
      ...store,
      get: (sha256) => {
        reads += 1;
        return store.get(sha256);
      },
    },
  };
};

describe('conversation', () => {
  it('is a chain: each link names the one before it by content, and reading starts at the beginning', async () => {
    const conversation = createConversation({ artifacts, scrub });
    expect(await conversation.read(null)).toEqual([]);
    const first = await conversation.append(null, [said('one'), answer('two')]);
    const second = await conversation.append(first, [results('three')]);
    const other = await conversation.append(first, [results('another branch')]);
    expect(await conversation.read(second)).toEqual([said('one'), answer('two'), results('three')]);
    expect(await conversation.read(other)).toEqual([said('one'), answer('two'), results('another branch')]);
    expect(await conversation.read(first)).toEqual([said('one'), answer('two')]);
    const bytes = await artifacts.get(second);
    expect(JSON.parse(bytes.toString())).toEqual({ v: 1, prev: first, entries: [results('three')] });
    expect(sha256Of(bytes)).toBe(second);
  });

  it('the same link twice is one artifact with one name', async () => {
    const conversation = createConversation({ artifacts, scrub });
    expect(await conversation.append(null, [said('one')])).toBe(await conversation.append(null, [said('one')]));
  });

  it('another process reads it from disk, and checks what it reads', async () => {
    const head = await createConversation({ artifacts, scrub }).append(null, [said('one')]);
    expect(await createConversation({ artifacts: createArtifactStore(dir), scrub }).read(head)).toEqual([said('one')]);
    const foreign = await artifacts.put('{"v":1,"prev":null,"entries":[{"role":"system"}]}', about);
    const noJson = await artifacts.put('hello', about);
    for (const bad of [foreign.sha256, noJson.sha256]) {
      await expect(createConversation({ artifacts, scrub }).read(bad)).rejects.toMatchObject({
        type: 'Internal',
        retryable: false,
      });
    }
    await expect(createConversation({ artifacts, scrub }).read('f'.repeat(64))).rejects.toMatchObject({
      type: 'NotFound',
    });
  });
  const about = { name: 'x', mediaType: 'text/plain' };

  it('keeps no secret on disk, whatever the entry; what was read back is what is on disk', async () => {
    const conversation = createConversation({ artifacts, scrub });
    const entries: Entry[] = [
      said(`use ${SECRET}`),
      {
        role: 'assistant',
        provider: 'gemini',
        model: 'm',
        text: SECRET,
        tool_calls: [{ id: 'a', name: 'bash', input: { [SECRET]: { deep: [`echo ${SECRET}`] } }, confirm: SECRET }],
        raw: { parts: [{ functionCall: { name: 'bash', args: { data: SECRET, command: `echo ${SECRET}` } } }] },
      },
      results(`token: ${SECRET}`),
    ];
    const head = await conversation.append(null, entries);
    const onDisk = await readFile(join(dir, head.slice(0, 2), head), 'utf8');
    expect(onDisk).not.toContain(SECRET);
    expect(onDisk.match(/\[secret\]/g)).toHaveLength(9);
    const fresh = await createConversation({ artifacts, scrub }).read(head);
    expect(await conversation.read(head)).toEqual(fresh);
    expect(fresh).toEqual(conversation.scrub(entries));
    expect(conversation.scrub(fresh)).toEqual(fresh);
  });

  it('leaves untouched what a provider sealed, even where chance spells a credential in it', async () => {
    const sealed = `QUJD+AIza${'x'.repeat(30)}==`; // looks like a Google key
    const raw = [
      { type: 'thinking', thinking: 'hm', signature: sealed },
      { type: 'redacted_thinking', data: sealed },
      { type: 'tool_use', id: 'a', name: 'bash', input: { signature: sealed } },
      { functionCall: { name: 'x', args: { data: sealed } }, thoughtSignature: sealed },
    ];
    const conversation = createConversation({ artifacts, scrub });
    const [entry] = await conversation.read(await conversation.append(null, [answer('x', raw)]));
    const clean = 'QUJD+[secret]==';
    expect(entry).toMatchObject({
      raw: [
        { signature: sealed },
        { data: sealed },
        { input: { signature: clean } },
        { functionCall: { args: { data: clean } }, thoughtSignature: sealed },
      ],
    });
  });

  it('a long job reads each link once, not once a turn', async () => {
    const { store, reads } = counting(artifacts);
    const writer = createConversation({ artifacts: store, scrub });
    const reader = createConversation({ artifacts: store, scrub });
    let head: string | null = null;
    for (let turn = 0; turn < 100; turn += 1) {
      head = await writer.append(head, [said(`turn ${turn}`)]);
      expect(await reader.read(head)).toHaveLength(turn + 1);
    }
    expect(reads()).toBe(100);
    expect(await writer.read(head)).toHaveLength(100);
    expect(reads()).toBe(100); // the writer had them all in memory
  });

  it('its memory is bounded by bytes; what fell out is read again', async () => {
    const { store, reads } = counting(artifacts);
    const conversation = createConversation({ artifacts: store, scrub, cacheBytes: 40_000 });
    let head: string | null = null;
    for (let turn = 0; turn < 20; turn += 1)
      head = await conversation.append(head, [said(`${turn}${'x'.repeat(4_000)}`)]);
    expect(await conversation.read(head)).toHaveLength(20);
    expect(reads()).toBeGreaterThanOrEqual(11);
    const large = await conversation.append(null, [said('x'.repeat(6_000))]);
    const before = reads();
    await conversation.read(large);
    expect(reads()).toBe(before + 1); // too large a share to throw out the others for
  });
});
