import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLocalVoice, SAPI_SCRIPT, SYNTHESISERS } from '../../../../edge/adapters/local-voice.ts';
import type { Synthesiser } from '../../../../edge/adapters/local-voice.ts';
import { findProgram } from '../../../../edge/adapters/sound-programs.ts';
import { samplesOfWave } from '../../../../edge/adapters/wave-stream.ts';

const env = { PATH: process.env['PATH'] ?? '' };
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'voice-test-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const speak = async (synthesiser: Synthesiser, text: string, signal = new AbortController().signal) => {
  const pieces: Int16Array[] = [];
  for await (const piece of createLocalVoice(synthesiser, env).speak(text, signal)) pieces.push(piece);
  const samples = Int16Array.from(pieces.flatMap((piece) => [...piece]));
  const rms = Math.sqrt(samples.reduce((sum, value) => sum + value ** 2, 0) / Math.max(1, samples.length));
  return { seconds: samples.length / 24_000, rms, pieces: pieces.length, samples };
};

/** A synthesiser that is a script of ours: `body` has `text`, `head(hz)` and `out(bytes)`. */
const scripted = (name: string, body: string, writesTo: Synthesiser['writesTo'] = 'pipe'): Synthesiser => {
  const script = join(folder, `${name}.cjs`);
  writeFileSync(
    script,
    `const { writeFileSync, appendFileSync } = require('node:fs');
const head = (hz, size = 0x7ffff000) => { const h = Buffer.alloc(44); h.write('RIFF'); h.writeUInt32LE(0x7ffff024, 4); h.write('WAVEfmt ', 8); h.writeUInt32LE(16, 16); h.writeUInt16LE(1, 20); h.writeUInt16LE(1, 22); h.writeUInt32LE(hz, 24); h.writeUInt32LE(hz * 2, 28); h.writeUInt16LE(2, 32); h.writeUInt16LE(16, 34); h.write('data', 36); h.writeUInt32LE(size, 40); return h; };
const out = (bytes) => ${writesTo === 'pipe' ? 'process.stdout.write(bytes)' : 'appendFileSync(process.argv[2], bytes)'};
let text = '';
process.stdin.setEncoding('utf8').on('data', (t) => { text += t; }).on('end', () => { ${body} });
`,
  );
  return { name, command: process.execPath, args: (file) => [script, file], writesTo };
};
const SOUND =
  'const s = Buffer.alloc(16_000); for (let i = 0; i < 8_000; i++) s.writeInt16LE(Math.round(8000 * Math.sin(i / 5)), i * 2);';

for (const name of ['espeak-ng', 'flite'] as const) {
  const command = findProgram(name, { platform: process.platform, env });
  if (command === null) console.warn(`SKIPPED: ${name} is not installed here`);
  (command === null ? describe.skip : describe)(`${name}, for real`, () => {
    const synthesiser = SYNTHESISERS[name](command ?? '');

    it('speaks, at the rate of the wire, more the longer the text is', async () => {
      const short = await speak(synthesiser, 'Two jobs started.');
      expect(short.seconds).toBeGreaterThan(0.7);
      expect(short.seconds).toBeLessThan(3);
      expect(short.rms).toBeGreaterThan(300);
      const long = await speak(synthesiser, 'Tests pass; two findings on staging, the worst is a broken link.');
      expect(long.seconds).toBeGreaterThan(short.seconds + 1);
    });

    it('takes any text as text', async () => {
      for (const text of [
        '--version',
        '-h; rm -rf / & $(id) `id` "x" \'y\' %PATH%',
        '<speak>&lt;[[_^_]]',
        'Ünïcode “…” 日本',
      ])
        expect((await speak(synthesiser, text)).seconds).toBeLessThan(20);
      expect((await speak(synthesiser, '--version')).seconds).toBeGreaterThan(0.3);
    });

    it('ends with the signal', async () => {
      const controller = new AbortController();
      const said = createLocalVoice(synthesiser, env).speak('One two three. '.repeat(30), controller.signal);
      let count = 0;
      for await (const piece of said) {
        count += piece.length;
        controller.abort();
      }
      expect(count).toBeLessThan(24_000 * 3);
    });
  });
}

describe('a program that speaks', () => {
  it('is given the text on its standard input alone, as one line', async () => {
    const log = join(folder, 'said.json');
    const echo = scripted(
      'echo',
      `writeFileSync(${JSON.stringify(log)}, JSON.stringify([text, process.argv.slice(2)])); ${SOUND} out(head(16_000)); out(s);`,
    );
    const text = 'secret "words"\n$(id)\u0000 `x`; & | %PATH% é';
    expect((await speak(echo, text)).seconds).toBeCloseTo(0.5, 2);
    expect(JSON.parse(readFileSync(log, 'utf8'))).toEqual(['secret "words" $(id) `x`; & | %PATH% é\n', ['']]);
  });

  it.each([8_000, 16_000, 22_050, 24_000, 44_100])('is brought from %i Hz to the rate of the wire', async (hz) => {
    const tone = scripted(
      `tone-${hz}`,
      `const s = Buffer.alloc(${hz * 2}); for (let i = 0; i < ${hz}; i++) s.writeInt16LE(Math.round(8000 * Math.sin(2 * Math.PI * 440 * i / ${hz})), i * 2); out(head(${hz})); out(s);`,
    );
    const { samples, seconds } = await speak(tone, 'x');
    expect(seconds).toBeCloseTo(1, 3);
    const middle = samples.subarray(2_400, -2_400);
    const crossings = middle.subarray(1).reduce((n, value, i) => n + (value >= 0 && (middle[i] ?? 0) < 0 ? 1 : 0), 0);
    expect(Math.abs(crossings / (middle.length / 24_000) - 440)).toBeLessThan(3);
    expect(Math.max(...middle)).toBeGreaterThan(7_800);
    expect(Math.max(...middle)).toBeLessThan(8_200);
  });

  it('may write a file instead, which is gone afterwards', async () => {
    const log = join(folder, 'file.txt');
    const filing = scripted(
      'filing',
      `writeFileSync(${JSON.stringify(log)}, process.argv[2]); ${SOUND} out(head(16_000, 16_000)); out(s);`,
      'file',
    );
    expect((await speak(filing, 'x')).seconds).toBeCloseTo(0.5, 2);
    expect(() => readdirSync(join(readFileSync(log, 'utf8'), '..'))).toThrow('ENOENT');
  });

  it.each([
    ['fails', "console.error('no voice data\\nmore'); process.exit(2);", 'fails cannot speak: no voice data'],
    ['silent', 'process.exit(0);', 'silent made no sound'],
    ['headless', "out(Buffer.from('this is no sound'));", 'it is not a WAV file'],
    ['cut', 'out(head(16_000).subarray(0, 20));', 'its format chunk is too short'],
    [
      'endless',
      'out(head(24_000)); setInterval(() => out(Buffer.alloc(480_000)), 1);',
      'endless does not come to an end',
    ],
  ])('that %s says so', async (name, body, message) => {
    await expect(speak(scripted(name, body), 'x')).rejects.toThrow(message);
  });

  it('that is missing says so, both ways', async () => {
    for (const make of [SYNTHESISERS['espeak-ng'], SYNTHESISERS.flite])
      await expect(speak(make('/nowhere/voice'), 'x')).rejects.toThrow('is not installed or not on PATH');
  });

  it('is not started for nothing, or when it is to stop already', async () => {
    const missing = SYNTHESISERS.flite('/nowhere/voice');
    expect((await speak(missing, ' \n')).pieces).toBe(0);
    expect((await speak(missing, 'x', AbortSignal.abort())).pieces).toBe(0);
  });

  it('is ended when nobody listens any more', async () => {
    const log = join(folder, 'alive.txt');
    const slow = scripted(
      'slow',
      `${SOUND} out(head(16_000)); out(s); setInterval(() => appendFileSync(${JSON.stringify(log)}, 'x'), 20);`,
    );
    for await (const piece of createLocalVoice(slow, env).speak('x', new AbortController().signal)) {
      void piece;
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    const { length } = readFileSync(log, { encoding: 'utf8', flag: 'a+' });
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(readFileSync(log, { encoding: 'utf8', flag: 'a+' })).toHaveLength(length);
  });
});

describe('speech of the system', () => {
  it('of Windows takes no text on its command line, and a script that survives it', () => {
    const { args, writesTo } = SYNTHESISERS.sapi('powershell.exe');
    expect(args('')).toEqual(['-NoLogo', '-NoProfile', '-NonInteractive', '-Command', SAPI_SCRIPT]);
    expect(writesTo).toBe('pipe');
    expect(SAPI_SCRIPT).not.toMatch(/["\n%]|\$\(/);
    expect(SAPI_SCRIPT.split('; ')).toHaveLength(15);
    expect(SAPI_SCRIPT).toContain('OpenStandardInput(), [System.Text.Encoding]::UTF8');
  });

  it('of macOS reads from its standard input, and writes a file', () => {
    const { args, writesTo } = SYNTHESISERS.say('say');
    expect(args('/tmp/x.wav')).toEqual([
      ...['-o', '/tmp/x.wav', '--file-format=WAVE', '--data-format=LEI16@24000', '-f', '-'],
    ]);
    expect(writesTo).toBe('file');
  });
});

it('reads a WAV file however it is cut, and no further than its sound', async () => {
  const head = Buffer.alloc(44);
  head.write('RIFF');
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(16_000, 24);
  head.writeUInt32LE(32_000, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(10_000, 40);
  const sound = Buffer.alloc(10_000);
  for (let i = 0; i < 5_000; i += 1) sound.writeInt16LE(i, i * 2);
  const whole = Buffer.concat([head, sound, Buffer.from('LIST\u0004\u0000\u0000\u0000trash')]);
  for (const size of [1, 7, 43, 1_000, 4_097, 100_000]) {
    const cut = async function* () {
      for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size);
    };
    const heard: number[] = [];
    for await (const { hz, samples } of samplesOfWave(cut())) {
      expect(hz).toBe(16_000);
      heard.push(...[...samples].map((value) => Math.round(value * 32_768)));
    }
    expect(heard).toEqual(Array.from({ length: 5_000 }, (_, i) => i));
  }
});
