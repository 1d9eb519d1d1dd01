import { PassThrough, Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { createConsole, readable } from '../../../dev/console.ts';

const collect = (): { stream: PassThrough; text: () => string } => {
  const stream = new PassThrough();
  return { stream, text: () => String(stream.read() ?? '') };
};

describe('readable', () => {
  it('shows message and fields of a log line, and the level unless it is info', () => {
    const line = JSON.stringify({
      level: 30,
      time: 't',
      pid: 1,
      name: 'worker',
      msg: 'polling',
      queues: 4,
      who: 'a b',
    });
    expect(readable(line)).toEqual({ level: 'info', text: 'polling queues=4 who="a b"' });
    expect(readable('{"level":50,"msg":"broken","err":{"message":"no\\nway","stack":"..."}}')).toEqual({
      level: 'error',
      text: 'error broken err="no way"',
    });
    expect(readable('{"level":"warn","ts":"t","msg":"slow"}').text).toBe('warn slow');
  });

  it('passes other lines on without their control characters, whole objects and broken JSON included', () => {
    expect(readable('plain \u001b[31mtext').text).toBe('plain [31mtext');
    expect(readable('{"no":"message"}').text).toBe('{"no":"message"}');
    expect(readable('{broken').text).toBe('{broken');
  });

  it('shows at most six fields, each cut', () => {
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`f${n}`, 'x'.repeat(1_000)]));
    const { text } = readable(JSON.stringify({ msg: 'm', ...many }));
    expect(text.split(' ')).toHaveLength(7);
    expect(text.length).toBeLessThan(1_100);
  });
});

describe('console', () => {
  it('prefixes lines of children on standard error and prints results on standard output', () => {
    const out = collect();
    const err = collect();
    const console_ = createConsole({ out: out.stream, err: err.stream, json: false });
    console_.child('gateway', '{"level":30,"msg":"listening"}');
    console_.child('gateway', '   ');
    console_.say('note');
    console_.print('ready {}');
    expect(err.text()).toBe('gateway  | listening\nnote\n');
    expect(out.text()).toBe('ready {}\n');
  });

  it('colours on request only, an error in red', () => {
    const err = collect();
    createConsole({ out: collect().stream, err: err.stream, json: false, colour: true }).child(
      'worker',
      '{"level":50,"msg":"broken"}',
    );
    expect(err.text()).toBe('\u001b[36mworker   |\u001b[0m \u001b[31merror broken\u001b[0m\n');
  });

  it('keeps JSON as JSON, with the child named', () => {
    const err = collect();
    const console_ = createConsole({ out: collect().stream, err: err.stream, json: true });
    console_.child('site', '{"level":30,"msg":"m"}');
    console_.child('site', 'plain');
    console_.say('note');
    expect(
      err
        .text()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      { child: 'site', level: 30, msg: 'm' },
      { child: 'site', msg: 'plain' },
      { child: 'dev', msg: 'note' },
    ]);
  });

  it('drops lines that nobody reads instead of queueing them, and says how many', async () => {
    let release: (() => void) | undefined;
    const chunks: string[] = [];
    const stuck = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        chunks.push(chunk.toString());
        if (release) done();
        else release = done;
      },
    });
    const console_ = createConsole({ out: collect().stream, err: stuck, json: false });
    for (let n = 0; n < 3_000; n += 1) console_.child('worker', 'x'.repeat(1_000));
    expect(stuck.writableLength).toBeLessThan(1_100_000);
    release?.();
    while (stuck.writableLength > 0) await new Promise((resolve) => setImmediate(resolve));
    console_.child('worker', 'again');
    while (stuck.writableLength > 0) await new Promise((resolve) => setImmediate(resolve));
    const shown = chunks.filter((chunk) => chunk.includes('xxx')).length;
    expect(chunks.at(-2)).toBe(`(${3_000 - shown} lines were dropped: nobody read them)\n`);
    expect(chunks.at(-1)).toBe('worker   | again\n');
  });

  it('survives a reader who goes away', () => {
    const out = collect();
    createConsole({ out: out.stream, err: collect().stream, json: false });
    expect(() => out.stream.emit('error', new Error('EPIPE'))).not.toThrow();
  });
});
