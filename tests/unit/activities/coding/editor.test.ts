import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EditorInput, MAX_RESULT_CHARS, runEditor } from '../../../../activities/coding/editor.ts';
import { findPlaces, linesOfPlaces } from '../../../../activities/coding/find-places.ts';
import { makeFolder, writeFiles } from './coding-fixture.ts';

describe('the editor', () => {
  let tree: string;
  const run = async (input: Record<string, unknown>): Promise<string> =>
    (await runEditor({ tree, shares: [] }, EditorInput.parse(input), () => undefined)).text;
  const read = (path: string): string => readFileSync(join(tree, path), 'utf8');

  beforeEach(() => {
    tree = makeFolder();
    writeFiles(tree, { 'a.txt': 'one\ntwo\nthree\ntwo\n', 'src/deep/x.ts': 'x', 'src/y.ts': 'y' });
  });
  afterEach(() => rmSync(tree, { recursive: true, force: true }));

  it('shows a file with line numbers, and a part of it', async () => {
    expect(await run({ command: 'view', path: 'a.txt' })).toBe('     1\tone\n     2\ttwo\n     3\tthree\n     4\ttwo');
    expect(await run({ command: 'view', path: '/workspace/a.txt', view_range: [2, 3] })).toBe(
      '     2\ttwo\n     3\tthree',
    );
    expect(await run({ command: 'view', path: 'a.txt', view_range: [4, -1] })).toBe('     4\ttwo');
    expect(await run({ command: 'view', path: 'a.txt', view_range: [3, 99] })).toBe('     3\tthree\n     4\ttwo');
  });

  it.each([[[0, 2]], [[5, 6]], [[3, 2]]])('refuses view_range %j', async (range) => {
    await expect(run({ command: 'view', path: 'a.txt', view_range: range })).rejects.toThrow(/has 4 lines/);
  });

  it('lists a folder two levels deep', async () => {
    expect(await run({ command: 'view', path: '.' })).toBe('a.txt\nsrc/\nsrc/deep/\nsrc/y.ts');
    expect(await run({ command: 'view', path: 'src' })).toBe('deep/\ndeep/x.ts\ny.ts');
  });

  it('says where it stopped in a long file, and names binary ones', async () => {
    writeFiles(tree, {
      'long.txt': 'line\n'.repeat(20_000),
      'b.bin': Buffer.from([1, 0, 2]),
      'l1.txt': Buffer.from([0xe9]),
    });
    const text = await run({ command: 'view', path: 'long.txt' });
    expect(text.length).toBeLessThan(MAX_RESULT_CHARS + 200);
    expect(text).toMatch(/\[cut after line \d+ of 20000; go on with view_range\]$/);
    await expect(run({ command: 'view', path: 'b.bin' })).rejects.toThrow(/not UTF-8 text \(3 bytes/);
    await expect(run({ command: 'str_replace', path: 'l1.txt', old_str: 'a', new_str: 'b' })).rejects.toThrow(/UTF-8/);
  });

  it('replaces the one place that matches', async () => {
    expect(await run({ command: 'str_replace', path: 'a.txt', old_str: 'three\n', new_str: 'drei\nvier\n' })).toContain(
      '     3\tdrei\n     4\tvier',
    );
    expect(read('a.txt')).toBe('one\ntwo\ndrei\nvier\ntwo\n');
    await run({ command: 'str_replace', path: 'a.txt', old_str: 'drei\n' });
    expect(read('a.txt')).toBe('one\ntwo\nvier\ntwo\n');
  });

  it('takes $ and back-references for what they are', async () => {
    await run({ command: 'str_replace', path: 'a.txt', old_str: 'one', new_str: '$& $1 $$' });
    expect(read('a.txt')).toBe('$& $1 $$\ntwo\nthree\ntwo\n');
  });

  it.each([
    ['occurs 2 times in a.txt, beginning in lines 2, 4', 'two'],
    ['does not occur in a.txt', 'zwei'],
    ['needs old_str', ''],
  ])('leaves the file alone and says why: %s', async (why, old) => {
    await expect(run({ command: 'str_replace', path: 'a.txt', old_str: old, new_str: 'x' })).rejects.toThrow(why);
    expect(read('a.txt')).toBe('one\ntwo\nthree\ntwo\n');
  });

  it('counts overlapping places: any of them could be meant', async () => {
    writeFiles(tree, { 'b.txt': 'aaa' });
    await expect(run({ command: 'str_replace', path: 'b.txt', old_str: 'aa', new_str: 'x' })).rejects.toThrow(
      '2 times',
    );
  });

  it.each([
    [
      'one letter again and again',
      'aaa',
      /occurs more than 10 times in big.txt, the first 10 beginning in line 1\. Give/,
    ],
    ['a long text that almost fits everywhere', `${'a'.repeat(10)}b${'a'.repeat(20_000)}`, /old_str does not occur/],
    ['line after line', 'a\na', /more than 10 times in lines.txt, the first 10 beginning in lines 1, 2, 3, .* 9, 10\./],
  ])('answers at once, in few words, about 5 MB of %s', async (_what, old, why) => {
    const path = old.includes('\n') ? 'lines.txt' : 'big.txt';
    writeFiles(tree, { [path]: (path === 'big.txt' ? 'aa' : 'a\n').repeat(2_500_000) });
    const started = performance.now();
    const message = await run({ command: 'str_replace', path, old_str: old, new_str: 'x' }).catch(String);
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(message).toMatch(why);
    expect(message.length).toBeLessThan(300);
  });

  it('finds the one place, and its line, in a large file', async () => {
    writeFiles(tree, { 'big.txt': `${'aab\n'.repeat(1_000_000)}aaab\n` });
    expect(await run({ command: 'str_replace', path: 'big.txt', old_str: 'aaab', new_str: 'here' })).toContain(
      '1000001\there',
    );
  });

  it.each([
    ['abcabcab', 'abcab', [0, 3]],
    ['aabaabaaab', 'aabaaab', [3]],
    ['abababab', 'abab', [0, 2, 4]],
    ['x', 'xx', []],
    ['é€𝄞é€𝄞', '€𝄞', [1, 5]],
    ['anything', '', []],
  ])('finds in %j every place of %j', (text, part, places) => {
    expect(findPlaces(text, part, 100)).toEqual(places);
    expect(findPlaces(text, part, 1)).toEqual(places.slice(0, 1));
  });

  it('finds what indexOf finds, in arbitrary texts', () => {
    let seed = 7;
    const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
    const word = (length: number): string => Array.from({ length }, () => 'ab\n'[random(3)]).join('');
    for (let round = 0; round < 2_000; round += 1) {
      const [text, part] = [word(random(40)), word(1 + random(6))];
      const places: number[] = [];
      for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + 1)) places.push(at);
      expect([text, part, findPlaces(text, part, 100)]).toEqual([text, part, places]);
      expect(linesOfPlaces(text, places)).toEqual(places.map((place) => text.slice(0, place).split('\n').length));
    }
  });

  it('lists a folder of long names in few words', async () => {
    for (let n = 0; n < 300; n += 1) writeFiles(tree, { [`long/${n}-${'n'.repeat(240)}`]: '' });
    const text = await run({ command: 'view', path: 'long' });
    expect(text.length).toBeLessThan(MAX_RESULT_CHARS + 100);
    expect(text).toMatch(/\n\[\d+ more; view a folder below, or use bash\]$/);
  });

  it('keeps CRLF, and a byte order mark', async () => {
    writeFiles(tree, { 'w.txt': '\uFEFFone\r\ntwo\r\nthree\r\n' });
    await run({ command: 'str_replace', path: 'w.txt', old_str: 'one\ntwo', new_str: 'eins\nzwei' });
    await run({ command: 'insert', path: 'w.txt', insert_line: 2, insert_text: 'mitte' });
    expect(read('w.txt')).toBe('\uFEFFeins\r\nzwei\r\nmitte\r\nthree\r\n');
  });

  it.each([
    [0, 'x', 'x\none\ntwo\nthree\ntwo\n'],
    [2, 'x\ny\n', 'one\ntwo\nx\ny\nthree\ntwo\n'],
    [4, 'x', 'one\ntwo\nthree\ntwo\nx\n'],
  ])('inserts after line %i', async (line, text, expected) => {
    await run({ command: 'insert', path: 'a.txt', insert_line: line, insert_text: text });
    expect(read('a.txt')).toBe(expected);
  });

  it('inserts into what has no last line end, and into nothing', async () => {
    writeFiles(tree, { 'open.txt': 'a\nb', 'empty.txt': '' });
    await run({ command: 'insert', path: 'open.txt', insert_line: 2, insert_text: 'c' });
    await run({ command: 'insert', path: 'empty.txt', insert_line: 0, insert_text: 'first' });
    expect(read('open.txt')).toBe('a\nb\nc\n');
    expect(read('empty.txt')).toBe('first\n');
    await expect(run({ command: 'insert', path: 'a.txt', insert_line: 9, insert_text: 'x' })).rejects.toThrow(
      /4 lines/,
    );
    await expect(run({ command: 'insert', path: 'a.txt', insert_line: 1 })).rejects.toThrow(/insert_text/);
  });

  it('creates files and replaces them, exactly as given', async () => {
    await run({ command: 'create', path: 'n/e/w.txt', file_text: 'no end' });
    await run({ command: 'create', path: 'a.txt', file_text: '' });
    expect(read('n/e/w.txt')).toBe('no end');
    expect(read('a.txt')).toBe('');
    expect(await run({ command: 'view', path: 'a.txt' })).toBe('(empty file)');
    await expect(run({ command: 'create', path: 'x.txt' })).rejects.toThrow(/file_text/);
  });
});
