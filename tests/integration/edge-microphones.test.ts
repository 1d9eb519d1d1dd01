import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';
import { createRecorderMicrophone } from '../../edge/adapters/recorder-microphone.ts';
import { levelDbfs } from '../../edge/level.ts';
import { REPOSITORY_ROOT } from '../../platform/env.ts';
import { delay } from '../../platform/lifecycle.ts';
import { accounted, startHearing } from '../fakes/hearing-log.ts';
import { createRecorderProgram } from '../fakes/recorder-program.ts';
import { until } from '../fakes/until.ts';
import { amplitudeAt } from '../fakes/wav-file.ts';

const DEMO = join(REPOSITORY_ROOT, 'examples', 'speech', 'refactor-and-validate.wav');
const PATH = process.env['PATH'] ?? '';
const folder = mkdtempSync(join(tmpdir(), 'dual-microphones-'));
afterAll(() => rmSync(folder, { recursive: true }));

const runs = (command: string, ...args: string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore' }).status === 0;

const onPosix = process.platform === 'win32' ? it.skip : it;

describe('a microphone program', () => {
  onPosix('that is killed in the middle of a sentence is started again, and the next sentence is heard', async () => {
    const program = createRecorderProgram(`
      const sound = require('node:fs').readFileSync(${JSON.stringify(DEMO)}).subarray(44);
      const start = Date.now();
      let at = 0;
      setInterval(() => {
        const due = Math.floor((Date.now() - start) / 20) * 640;
        if (due > at) write(sound.subarray(at, Math.min(sound.length, due)));
        if (due > at && at >= sound.length) write(new Uint8Array(due - at));
        at = Math.max(at, due);
      }, 5);`);
    const { heard, stop, utterances, states } = startHearing({
      microphone: createRecorderMicrophone({
        program: 'rec',
        command: program.command,
        device: null,
        platform: 'linux',
        env: { PATH },
      }),
    });
    try {
      await until(() => (utterances.length === 1 ? true : undefined));
      await delay(500);
      process.kill(program.notes().pid, 'SIGKILL');
      await until(() => (utterances.length === 2 && utterances[1]?.end ? true : undefined), 20_000);
      expect(utterances.map(({ end }) => (typeof end === 'object' ? end.reason : end))).toEqual(['gap', 'silence']);
      expect(states).toEqual(['capturing', 'waiting: rec stopped recording: ended by SIGKILL', 'capturing']);
      stop.abort();
      await heard.done;
      expect(program.isRunning()).toBe(false);
      expect(heard.counts.lost).toBe(0);
      expect(accounted(heard)).toBe(heard.counts.captured);
    } finally {
      stop.abort();
      program.remove();
    }
  });

  /** ALSA as a microphone: a file of a second of 1 kHz, at 48 kHz in stereo, as fast as it is read. */
  const alsaMicrophone = (): string => {
    const raw = join(folder, 'tone.raw');
    const samples = Int16Array.from({ length: 2 * 48_000 }, (_, i) =>
      Math.round(8_000 * Math.sin((2 * Math.PI * 1_000 * Math.floor(i / 2)) / 48_000)),
    );
    writeFileSync(raw, samples);
    const config = join(folder, 'asound.conf');
    writeFileSync(
      config,
      `pcm.!default { type plug slave.pcm { type file slave.pcm { type null } file "/dev/null" infile "${raw}" format "raw" } }`,
    );
    return config;
  };
  const hasAlsa = process.platform === 'linux';
  const withSox = hasAlsa && runs('sox', '--version') ? it : it.skip;
  const withArecord = hasAlsa && runs('arecord', '--version') ? it : it.skip;

  const recorded = async (program: 'sox' | 'rec' | 'arecord'): Promise<Int16Array> => {
    const microphone = createRecorderMicrophone({
      program,
      device: null,
      platform: 'linux',
      env: { PATH, ALSA_CONFIG_PATH: alsaMicrophone(), AUDIODRIVER: 'alsa' },
    });
    const pieces: Int16Array[] = [];
    const stop = new AbortController();
    await microphone.capture((samples) => {
      pieces.push(samples);
      if (pieces.reduce((total, { length }) => total + length, 0) >= 16_000) stop.abort();
    }, stop.signal);
    return Int16Array.from(pieces.flatMap((piece) => [...piece]));
  };
  withSox('sox records: 16 kHz, mono, at the level of the source (needs sox, with ALSA)', async () => {
    const sound = await recorded('sox');
    expect(amplitudeAt(sound.subarray(2_000, 14_000), 1_000)).toBeCloseTo(8_000, -3);
    expect(amplitudeAt(sound.subarray(2_000, 14_000), 3_000)).toBeLessThan(200);
  });
  withSox('rec records (needs sox, with ALSA)', async () => {
    expect(levelDbfs(await recorded('rec'))).toBeGreaterThan(-40);
  });
  withArecord('arecord records, without an error in its own words (needs arecord)', async () => {
    expect(levelDbfs(await recorded('arecord'))).toBeGreaterThan(-40);
  });
});

describe('the native microphone', () => {
  const probe = join(REPOSITORY_ROOT, 'edge', 'adapters', 'native-microphone.ts');
  /** In a process of its own: the sound library writes to standard error, and stays loaded. */
  const heardNatively = spawnSync(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `const { createNativeMicrophone, loadNativeInput } = await import(${JSON.stringify(pathToFileURL(probe).href)});
       const input = await loadNativeInput().catch(() => null);
       const id = input?.devices().find(({ id }) => id === 'alsa:null')?.id;
       if (!id) { console.log('null'); process.exit(0); }
       const stop = new AbortController();
       let samples = 0;
       setTimeout(() => stop.abort(), 300);
       await createNativeMicrophone({ input, device: id }).capture((piece) => { samples += piece.length; }, stop.signal);
       const lost = await createNativeMicrophone({ input, device: 'no such device' })
         .capture(() => undefined, new AbortController().signal).catch(({ name, retryable }) => ({ name, retryable }));
       console.log(JSON.stringify({ samples, lost }));`,
    ],
    { encoding: 'utf8', timeout: 20_000 },
  ).stdout.trim();
  const withNative = heardNatively === 'null' || heardNatively === '' ? it.skip : it;

  withNative(
    'records from ALSA, lets go of it, and knows a device that is not there (needs decibri, with ALSA)',
    () => {
      const { samples, lost } = JSON.parse(heardNatively) as { samples: number; lost: unknown };
      expect(samples).toBeGreaterThan(1_000);
      expect(lost).toEqual({ name: 'MicrophoneError', retryable: true });
    },
  );
});
