import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { arecordDevices, listInputDevices } from '../../../../edge/adapters/input-devices.ts';
import { createNativeMicrophone, loadNativeInput } from '../../../../edge/adapters/native-microphone.ts';
import type { NativeInput, NativeStream } from '../../../../edge/adapters/native-microphone.ts';
import { MicrophoneError } from '../../../../edge/microphone.ts';
import { until } from '../../../fakes/until.ts';

class FakeStream extends EventEmitter implements NativeStream {
  overrunCount = 0;
  stops = 0;
  isDeaf = false;
  stop(): void {
    this.stops += 1;
    if (!this.isDeaf) setImmediate(() => this.emit('close'));
  }
  destroy(error?: Error): this {
    if (error) this.emit('error', error);
    setImmediate(() => this.emit('close'));
    return this;
  }
}
const withCode = (code: string, message: string): Error => Object.assign(new Error(message), { code });

const native = (open: (options: unknown) => FakeStream | Error) => {
  const streams: FakeStream[] = [];
  const asked: unknown[] = [];
  const input: NativeInput = {
    open: async (options) => {
      asked.push(options);
      const made = open(options);
      if (made instanceof Error) throw made;
      streams.push(made);
      return made;
    },
    devices: () => [],
  };
  return { input, streams, asked };
};

describe('the native microphone', () => {
  it('is opened for 20 ms of 16 kHz mono, by name, by id, or as the default', async () => {
    for (const [device, asked] of [
      [null, {}],
      ['USB', { device: 'USB' }],
      ['wasapi:{0.0.1}.{2}', { device: { id: 'wasapi:{0.0.1}.{2}' } }],
    ] as const) {
      const fake = native(() => new FakeStream());
      const stop = new AbortController();
      const heard: number[] = [];
      const capturing = createNativeMicrophone({ input: fake.input, device }).capture(
        (samples) => heard.push(...samples),
        stop.signal,
      );
      await until(() => fake.streams[0]);
      fake.streams[0]?.emit('data', Buffer.of(1, 0, 2, 0));
      stop.abort();
      fake.streams[0]?.emit('data', Buffer.of(3, 0));
      await capturing;
      expect(heard).toEqual([1, 2]);
      expect(fake.asked).toEqual([{ sampleRate: 16_000, channels: 1, framesPerBuffer: 320, ...asked }]);
      expect(fake.streams[0]?.stops).toBe(1);
    }
  });

  it('that is unplugged may come back; one that may not be heard will not', async () => {
    for (const [error, retryable, words] of [
      [withCode('DEVICE_FAILED', 'audio device error: gone'), true, /gone/],
      [withCode('MICROPHONE_NOT_FOUND', 'No microphone found matching "x"'), true, /No microphone found/],
      [withCode('PERMISSION_DENIED', 'denied'), false, /Privacy & security, Microphone/],
      [withCode('MULTIPLE_DEVICES_MATCH', 'several'), false, /--devices lists them/],
      [new RangeError('sample rate must be'), false, /sample rate/],
    ] as const)
      for (const when of ['opening', 'recording'] as const) {
        const fake = native(() => (when === 'opening' ? error : new FakeStream()));
        const capturing = createNativeMicrophone({ input: fake.input, device: null }).capture(
          () => undefined,
          new AbortController().signal,
        );
        if (when === 'recording') {
          const stream = await until(() => fake.streams[0]);
          stream.destroy(error);
        }
        const failure: unknown = await capturing.catch((caught: unknown) => caught);
        expect(failure).toBeInstanceOf(MicrophoneError);
        expect(failure).toMatchObject({ retryable, message: expect.stringMatching(words) as unknown });
      }
  });

  it('that does not let go of its device is let go', async () => {
    const stream = new FakeStream();
    stream.isDeaf = true;
    const stop = new AbortController();
    const capturing = createNativeMicrophone({ input: native(() => stream).input, device: null }).capture(
      () => undefined,
      stop.signal,
    );
    await until(() => (stream.listenerCount('data') > 0 ? true : undefined));
    stop.abort();
    await capturing;
  });

  it('tells what its device threw away', async () => {
    const stream = new FakeStream();
    const stop = new AbortController();
    const overruns: number[] = [];
    const capturing = createNativeMicrophone({
      input: native(() => stream).input,
      device: null,
      onOverrun: (pieces) => void overruns.push(pieces),
    }).capture(() => undefined, stop.signal);
    await until(() => (stream.listenerCount('data') > 0 ? true : undefined));
    for (const count of [0, 2, 2, 5]) {
      stream.overrunCount = count;
      stream.emit('data', Buffer.alloc(640));
    }
    stop.abort();
    await capturing;
    expect(overruns).toEqual([2, 3]);
  });
});

describe('the list of inputs', () => {
  const env = { PATH: '' };
  const knowing = (devices: ReturnType<NativeInput['devices']>) => () =>
    Promise.resolve({ ...native(() => new FakeStream()).input, devices: () => devices });
  const device = (name: string, id: string, more: object = {}) => ({
    ...{ name, id, isDefault: false, maxInputChannels: 1 },
    ...more,
  });

  it('names devices so that --device finds them: by id where a name fits several', async () => {
    const list = await listInputDevices({
      platform: 'win32',
      env,
      loadNative: knowing([
        device('Headset', 'wasapi:1', { isDefault: true }),
        device('Microphone', 'wasapi:2'),
        device('Microphone', 'wasapi:3'),
        device('Headset Pro', 'wasapi:4'),
        device('Loudspeaker', 'wasapi:5', { maxInputChannels: 0 }),
      ]),
    });
    expect(list).toEqual({
      devices: [
        { name: 'wasapi:1', isDefault: true, by: 'native' },
        { name: 'wasapi:2', isDefault: false, by: 'native' },
        { name: 'wasapi:3', isDefault: false, by: 'native' },
        { name: 'Headset Pro', isDefault: false, by: 'native' },
      ],
      hints: [],
    });
  });

  it('says what to do where nothing can be listed', async () => {
    const none = await listInputDevices({ platform: 'win32', env, loadNative: knowing([]) });
    expect(none.devices).toEqual([]);
    expect(none.hints).toEqual([
      expect.stringContaining('is one plugged in'),
      expect.stringContaining('0 is the first'),
    ]);
    const failing = await listInputDevices({
      platform: 'linux',
      env,
      loadNative: () => Promise.reject(new MicrophoneError('not for this machine', { retryable: false })),
    });
    expect(failing).toEqual({ devices: [], hints: ['not for this machine', expect.stringContaining('arecord -L')] });
  });

  it('of arecord is read', () => {
    expect(
      arecordDevices(`**** List of CAPTURE Hardware Devices ****
card 1: PCH [HDA Intel PCH], device 0: ALC257 Analog [ALC257 Analog]
  Subdevices: 1/1
  Subdevice #0: subdevice #0
card 2: Webcam [HD Webcam], device 3: USB Audio [USB Audio]
`),
    ).toEqual([
      { name: 'plughw:1,0', isDefault: false, by: 'arecord' },
      { name: 'plughw:2,3', isDefault: false, by: 'arecord' },
    ]);
    expect(arecordDevices('arecord: device_list:274: no soundcards found...')).toEqual([]);
  });

  it('never fails on this machine', async () => {
    const list = await listInputDevices({ platform: process.platform, env: { PATH: process.env['PATH'] ?? '' } });
    expect(list.devices.length + list.hints.length).toBeGreaterThan(0);
  });
});

describe('the package behind it', () => {
  it('has what is needed of it, or says why it cannot be used', async () => {
    const loaded: unknown = await loadNativeInput().catch((error: unknown) => error);
    if (loaded instanceof MicrophoneError) expect(loaded.message).toMatch(/MICROPHONE=sox/);
    else
      expect([typeof (loaded as NativeInput).open, typeof (loaded as NativeInput).devices]).toEqual([
        'function',
        'function',
      ]);
  });
});
