import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createRecorderMicrophone, recorderEnvironment } from '../../../../edge/adapters/recorder-microphone.ts';
import type { RecorderMicrophoneOptions } from '../../../../edge/adapters/recorder-microphone.ts';
import { MicrophoneError } from '../../../../edge/microphone.ts';
import { REPOSITORY_ROOT } from '../../../../platform/env.ts';
import { createRecorderProgram } from '../../../fakes/recorder-program.ts';
import type { RecorderProgram } from '../../../fakes/recorder-program.ts';
import { until } from '../../../fakes/until.ts';

const onPosix = process.platform === 'win32' ? describe.skip : describe;
const PATH = process.env['PATH'] ?? '';

let program: RecorderProgram | undefined;
afterEach(() => {
  program?.remove();
  program = undefined;
});

const microphoneOf = (body: string, more: Partial<RecorderMicrophoneOptions> = {}) => {
  program = createRecorderProgram(body);
  const microphone = createRecorderMicrophone({
    program: 'rec',
    command: program.command,
    device: null,
    platform: 'linux',
    env: { PATH },
    ...more,
  });
  return { microphone, started: program };
};
/** Sound of every 5 ms, for ever. */
const TALKS = 'setInterval(() => write(new Uint8Array(640).fill(1)), 5);';

onPosix('a recording program', () => {
  it('is heard as it speaks, however its bytes are cut, and ends when it is told to', async () => {
    const { microphone, started } = microphoneOf(
      'write([1, 0, 2]); setTimeout(() => write([0, 255, 255]), 50); setInterval(() => undefined, 1000);',
    );
    const heard: number[] = [];
    const stop = new AbortController();
    const capturing = microphone.capture((samples) => heard.push(...samples), stop.signal);
    await until(() => (heard.length === 3 ? true : undefined));
    expect(heard).toEqual([1, 2, -1]);
    expect(started.isRunning()).toBe(true);
    stop.abort();
    await capturing;
    expect(started.isRunning()).toBe(false);
    expect(microphone).toMatchObject({ label: 'rec, default device', finite: false });
  });

  it('is asked for raw sound, and given an environment of its own', async () => {
    const { microphone, started } = microphoneOf(TALKS, {
      program: 'sox',
      device: 'hw:1',
      env: { PATH, SOX_OPTS: '-V1' },
    });
    const stop = new AbortController();
    const heard: number[] = [];
    const capturing = microphone.capture((samples) => heard.push(...samples), stop.signal);
    await until(() => (heard.length > 0 ? true : undefined));
    stop.abort();
    await capturing;
    const { args, env } = started.notes();
    expect(args.join(' ')).toBe(
      '--default-device --no-show-progress --rate 16000 --channels 4 --encoding signed-integer --bits 16 --type raw -',
    );
    expect(env).toMatchObject({ AUDIODEV: 'hw:1', SOX_OPTS: '-V1 --buffer 512' });
    expect(Object.keys(env).filter((name) => name.startsWith('npm_') || name === 'HOME')).toEqual([]);
    expect(process.env['AUDIODEV']).toBeUndefined();
  });

  it('sox in four channels is one: their mean', async () => {
    const { microphone } = microphoneOf('write([4,0, 8,0, 0,0, 0,0]); setInterval(() => undefined, 1000);', {
      program: 'sox',
    });
    const stop = new AbortController();
    const heard: number[] = [];
    const capturing = microphone.capture((samples) => heard.push(...samples), stop.signal);
    await until(() => (heard.length > 0 ? true : undefined));
    stop.abort();
    await capturing;
    expect(heard).toEqual([3]);
  });

  it('that is killed was lost: worth another try', async () => {
    const { microphone, started } = microphoneOf(TALKS);
    const heard: Int16Array[] = [];
    const capturing = microphone.capture((samples) => heard.push(samples), new AbortController().signal);
    await until(() => (heard.length > 0 ? true : undefined));
    process.kill(started.notes().pid, 'SIGKILL');
    await expect(capturing).rejects.toMatchObject({
      name: 'MicrophoneError',
      retryable: true,
      message: 'rec stopped recording: ended by SIGKILL',
    });
  });

  it('that complains is quoted; that just ends too', async () => {
    const complains = microphoneOf(
      'process.stderr.write("sox FAIL formats: can\'t open input\\n`default\'\\n"); process.exitCode = 2;',
    );
    await expect(complains.microphone.capture(() => undefined, new AbortController().signal)).rejects.toMatchObject({
      retryable: true,
      message: "rec stopped recording: sox FAIL formats: can't open input `default'",
    });
    complains.started.remove();
    const ends = microphoneOf('');
    await expect(ends.microphone.capture(() => undefined, new AbortController().signal)).rejects.toThrow(
      'rec stopped recording: ended with code 0',
    );
  });

  it('that is deaf is killed', async () => {
    const { microphone, started } = microphoneOf(`process.on('SIGTERM', () => undefined); ${TALKS}`);
    const heard: Int16Array[] = [];
    const stop = new AbortController();
    const capturing = microphone.capture((samples) => heard.push(samples), stop.signal);
    await until(() => (heard.length > 0 ? true : undefined));
    stop.abort();
    await capturing;
    expect(started.isRunning()).toBe(false);
  });

  it('is not started when all is over already', async () => {
    const { microphone, started } = microphoneOf(TALKS);
    await microphone.capture(() => undefined, AbortSignal.abort());
    expect(() => started.notes()).toThrow('ENOENT');
  });

  it('dies with us, also when we are killed', async () => {
    const { started } = microphoneOf(TALKS);
    const adapter = pathToFileURL(join(REPOSITORY_ROOT, 'edge', 'adapters', 'recorder-microphone.ts')).href;
    const code = `
      const { createRecorderMicrophone } = await import(${JSON.stringify(adapter)});
      const options = { program: 'sox', command: ${JSON.stringify(started.command)}, device: null, platform: 'linux', env: {} };
      await createRecorderMicrophone(options).capture(() => undefined, new AbortController().signal);`;
    const ours = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'ignore' });
    await until(() => (started.isRunning() ? true : undefined));
    ours.kill('SIGKILL');
    await once(ours, 'exit');
    await until(() => (started.isRunning() ? undefined : true), 2_000);
  });
});

describe('a recording program that is not installed', () => {
  it.each([
    ['sox', 'win32', /^sox is not installed; to record: sox-14\.4\.1-win32\.exe .* folder on PATH$/],
    ['sox', 'darwin', /^sox is not installed; to record: brew install sox$/],
    ['sox', 'linux', /^sox is not installed; to record: sudo apt-get install sox /],
    ['arecord', 'linux', /^arecord is not installed; to record: sudo apt-get install alsa-utils$/],
    [
      'arecord',
      'win32',
      /^arecord is not installed; to record: arecord is not to be had here; choose another MICROPHONE$/,
    ],
  ] as const)('%s on %s: says what to install, and that no waiting helps', async (name, platform, words) => {
    const microphone = createRecorderMicrophone({
      program: name,
      command: join(REPOSITORY_ROOT, 'no-such-folder', name),
      device: null,
      platform,
      env: { PATH },
    });
    const failure: unknown = await microphone
      .capture(() => undefined, new AbortController().signal)
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(MicrophoneError);
    expect(failure).toMatchObject({ retryable: false, message: expect.stringMatching(words) as unknown });
  });
});

describe('the environment of a recording program', () => {
  it('names the driver on Windows, unless a person did, and leaves that of arecord alone', () => {
    const of = (program: 'sox' | 'arecord', platform: NodeJS.Platform, env: Record<string, string> = {}) =>
      recorderEnvironment({ program, device: '2', platform, env });
    expect(of('sox', 'win32')).toEqual({ AUDIODRIVER: 'waveaudio', AUDIODEV: '2', SOX_OPTS: '--buffer 512' });
    expect(of('sox', 'win32', { AUDIODRIVER: 'other' })['AUDIODRIVER']).toBe('other');
    expect(of('sox', 'linux')['AUDIODRIVER']).toBeUndefined();
    expect(of('arecord', 'linux', { HOME: '/x' })).toEqual({ HOME: '/x' });
  });
});
