import { describe, expect, it } from '@jest/globals';
import { createNativeSpeaker, findNativeOutput } from '../../../../edge/adapters/native-speaker.ts';
import type { NativeOutput } from '../../../../edge/adapters/native-speaker.ts';
import { tone } from '../../../fakes/edge-speaker.ts';

/** A device with a queue that remembers what was done to it. */
class Device implements NativeOutput {
  readonly calls: string[] = [];
  bytes = 0;
  failure: Error | null = null;
  async writeAsync(bytes: Buffer): Promise<void> {
    if (this.failure) throw this.failure;
    if (this.bytes === 0) this.calls.push('write');
    this.bytes += bytes.length;
  }
  async drainAsync(): Promise<void> {
    this.calls.push('drain');
  }
  stop(): void {
    this.calls.push('stop');
  }
}

describe('the native device', () => {
  it('is given everything, played out, and kept open for the next sentence', async () => {
    const device = new Device();
    let opened = 0;
    const speaker = createNativeSpeaker(async () => {
      opened += 1;
      return device;
    });
    const signal = new AbortController().signal;
    expect(await speaker.play(tone(150), signal)).toBe(150);
    expect([device.bytes, device.calls]).toEqual([150 * 48, ['write', 'drain']]);
    expect(await speaker.play(tone(50), signal)).toBe(50);
    expect([opened, device.bytes]).toEqual([1, 200 * 48]);
    await speaker.close();
    await speaker.close();
    expect(device.calls).toEqual(['write', 'drain', 'drain', 'stop']);
  });

  it('throws away what it has at a signal, at once', async () => {
    const device = new Device();
    const controller = new AbortController();
    const playing = createNativeSpeaker(async () => device).play(tone(5_000), controller.signal);
    await new Promise((resolve) => setTimeout(resolve, 250));
    controller.abort();
    expect(device.calls).toEqual(['write', 'stop']);
    const heardMs = await playing;
    expect(heardMs).toBeGreaterThan(0);
    expect(heardMs).toBeLessThanOrEqual(device.bytes / 48);
  });

  it('that failed is opened anew the next time', async () => {
    const devices = [new Device(), new Device()];
    const [first] = devices;
    if (first) first.failure = new Error('DEVICE_FAILED');
    let opened = 0;
    const speaker = createNativeSpeaker(async () => {
      const device = devices[opened];
      opened += 1;
      if (!device) throw new Error('no third device');
      return device;
    });
    const signal = new AbortController().signal;
    await expect(speaker.play(tone(50), signal)).rejects.toThrow(
      'the sound device does not play: DEVICE_FAILED; is a loudspeaker or headset connected?',
    );
    expect(await speaker.play(tone(50), signal)).toBe(50);
    expect(await speaker.play(tone(50), AbortSignal.abort())).toBe(0);
    expect(opened).toBe(2);
  });

  it('that cannot be opened says so', async () => {
    const speaker = createNativeSpeaker(async () => {
      throw new Error('no output device');
    });
    await expect(speaker.play(tone(50), new AbortController().signal)).rejects.toThrow('no output device');
    await speaker.close();
  });

  it('comes from a package that may be missing', async () => {
    const open = await findNativeOutput();
    if (open === null)
      console.warn('NOTE: decibri is not installed here; the native speaker was tried with a fake only');
    expect(['function', 'object']).toContain(typeof open);
  });
});
