import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readServerEvents } from '../../../platform/server-events.ts';
import type { ServerEvent } from '../../../platform/server-events.ts';

async function* pieces(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes.length > 0 ? Math.max(1, sizes[i % sizes.length] ?? 1) : bytes.length;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}
const read = async (text: string, sizes: readonly number[] = []): Promise<ServerEvent[]> => {
  const events: ServerEvent[] = [];
  for await (const event of readServerEvents(pieces(Buffer.from(text), sizes))) events.push(event);
  return events;
};

describe('readServerEvents', () => {
  it.each<[string, string, ServerEvent[]]>([
    ['a plain event', 'data: x\n\n', [{ id: null, event: 'message', data: 'x' }]],
    ['id and name', 'id: 7\nevent: done\ndata: x\n\n', [{ id: '7', event: 'done', data: 'x' }]],
    [
      'the id stays for the next event',
      'id: 7\ndata: x\n\ndata: y\n\n',
      [
        { id: '7', event: 'message', data: 'x' },
        { id: '7', event: 'message', data: 'y' },
      ],
    ],
    [
      'the name does not',
      'event: a\ndata: x\n\ndata: y\n\n',
      [
        { id: null, event: 'a', data: 'x' },
        { id: null, event: 'message', data: 'y' },
      ],
    ],
    ['several lines of data', 'data: x\ndata:  y\ndata\n\n', [{ id: null, event: 'message', data: 'x\n y\n' }]],
    [
      'CRLF and CR',
      'data: x\r\n\r\ndata: y\r\rdata: z\n\n',
      ['x', 'y', 'z'].map((data) => ({ id: null, event: 'message', data })),
    ],
    [
      'comments and unknown fields',
      ': here\nretry: 5\nfoo: bar\ndata: x\n\n: bye\n\n',
      [{ id: null, event: 'message', data: 'x' }],
    ],
    ['no data, no event', 'id: 1\nevent: a\n\n', []],
    ['an end in the middle', 'data: x\n\ndata: y\n', [{ id: null, event: 'message', data: 'x' }]],
    ['colons in data', 'data: {"a": 1}\n\n', [{ id: null, event: 'message', data: '{"a": 1}' }]],
  ])('%s', async (_, text, events) => {
    expect(await read(text)).toEqual(events);
  });

  it('does not matter where the bytes are cut', async () => {
    const line = fc.constantFrom('data: ü€🙂', 'data: x', 'id: 3', 'event: done', ': c', '', '', 'data');
    const end = fc.constantFrom('\n', '\r\n', '\r');
    await fc.assert(
      fc.asyncProperty(
        fc
          .array(fc.tuple(line, end), { maxLength: 30 })
          .map((lines) => `${lines.map((pair) => pair.join('')).join('')}\n\n`),
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 10 }),
        async (text, sizes) => {
          expect(await read(text, sizes)).toEqual(await read(text));
        },
      ),
    );
  });

  it('drops an event that has no end instead of keeping it, and reads on', async () => {
    const huge = 'x'.repeat(5 * 1024 * 1024);
    expect(await read(`data: ${huge}\n\ndata: y\n\n`, [65_536])).toEqual([{ id: null, event: 'message', data: 'y' }]);
    expect(await read(`${`data: ${'x'.repeat(1_000_000)}\n`.repeat(6)}\ndata: y\n\n`, [65_536])).toEqual([
      { id: null, event: 'message', data: 'y' },
    ]);
  });
});
