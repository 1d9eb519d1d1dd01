import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findProgramVoice } from '../../../rehearsal/adapters/program-voice.ts';
import type { Synthesise } from '../../../rehearsal/realtime/reply.ts';

const SYSTEM = '/usr/bin:/bin';
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dual-voice-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const program = async (script: string): Promise<Synthesise> => {
  await writeFile(join(folder, 'espeak-ng'), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, 'espeak-ng'), 0o755);
  const voice = await findProgramVoice([folder, SYSTEM].join(delimiter));
  if (!voice) throw new Error('the program was not found');
  return voice;
};
const said = async (voice: Synthesise, signal = new AbortController().signal): Promise<number[]> => {
  const samples: number[] = [];
  for await (const piece of voice('two jobs started', signal)) samples.push(...piece);
  return samples;
};

describe('a voice that is a program', () => {
  it('is null where there is none', async () => {
    expect(await findProgramVoice(folder)).toBeNull();
  });

  it('comes at 24 kHz, whatever the program speaks', async () => {
    const head = Buffer.alloc(44);
    head.write('RIFF', 0).toString();
    head.write('WAVEfmt ', 8);
    head.writeUInt32LE(16, 16);
    head.writeUInt16LE(1, 20);
    head.writeUInt16LE(1, 22);
    head.writeUInt32LE(16_000, 24);
    head.writeUInt16LE(16, 34);
    head.write('data', 36);
    await writeFile(join(folder, 'wave'), Buffer.concat([head, Buffer.from(Int16Array.of(0, 300, 600, 900).buffer)]));
    // The file's name is the last of the arguments.
    const voice = await program(`for file; do :; done; cat "${join(folder, 'wave')}" > "$file"`);
    expect(await said(voice)).toEqual([0, 200, 400, 600, 800, 900]);
  });

  it('says why it is silent', async () => {
    await expect(said(await program('exit 3'))).rejects.toThrow('espeak-ng: the voice ended with code 3');
    await expect(said(await program('exit 0'))).rejects.toThrow('espeak-ng: ENOENT');
    await expect(said(await program('for file; do :; done; echo hello > "$file"'))).rejects.toThrow('no WAV file');
  });

  it('ends at once when nobody wants it any more', async () => {
    const voice = await program('exec sleep 60');
    const silence = new AbortController();
    setTimeout(() => silence.abort(new Error('enough')), 100);
    expect(await said(voice, silence.signal)).toEqual([]);
  });

  it('speaks with the real program', async () => {
    const voice = await findProgramVoice(process.env['PATH'] ?? '');
    if (!voice) {
      console.warn('SKIPPED: neither espeak-ng nor flite is installed');
      return;
    }
    const samples = await said(voice);
    expect(samples.length).toBeGreaterThan(12_000);
    expect(samples.some((sample) => Math.abs(sample) > 1_000)).toBe(true);
  });
});
