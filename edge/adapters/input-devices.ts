import { execFile } from 'node:child_process';
import { messageOf } from '../../platform/errors.ts';
import type { InputDevice } from '../microphone.ts';
import { loadNativeInput } from './native-microphone.ts';
import type { NativeInput } from './native-microphone.ts';

export interface InputDeviceList {
  devices: InputDevice[];
  /** What a person can do where nothing, or not everything, could be listed. */
  hints: string[];
}

export interface InputDevicesOptions {
  platform: NodeJS.Platform;
  /** What a program inherits (PATH and the like). */
  env: Readonly<Record<string, string>>;
  /** Default: `loadNativeInput`. */
  loadNative?: () => Promise<NativeInput>;
}

/** A program that lists devices answers at once, or hangs on a broken sound system. */
const LIST_MS = 3_000;

const SOX_HINTS: Partial<Record<NodeJS.Platform, string>> = {
  win32:
    'sox cannot list devices: with MICROPHONE=sox, --device is a number (0 is the first) or the first 31 letters of a name in Settings, System, Sound',
  darwin: 'sox cannot list devices: with MICROPHONE=sox, --device is a name from System Settings, Sound, Input',
  linux: 'sox cannot list devices: with MICROPHONE=sox, --device is a name from arecord -L',
};

/** A name that several devices share, or that is part of another's, does not say which: their ids do. */
const nativeDevices = (input: NativeInput): InputDevice[] => {
  const all = input.devices().filter(({ maxInputChannels }) => maxInputChannels > 0);
  return all.map(({ name, id, isDefault }) => {
    const like = all.filter((other) => other.name.toLowerCase().includes(name.toLowerCase()));
    return { name: like.length > 1 && id !== '' ? id : name, isDefault, by: 'native' };
  });
};

/** `card 1: PCH [HDA Intel PCH], device 0: ALC257 Analog [ALC257 Analog]` in what `arecord -l` prints. */
export const arecordDevices = (listing: string): InputDevice[] =>
  [...listing.matchAll(/^card (\d+): .*?, device (\d+): /gm)].map(([, card, device]) => ({
    name: `plughw:${card},${device}`,
    isDefault: false,
    by: 'arecord',
  }));

const arecordList = (env: Readonly<Record<string, string>>): Promise<string> =>
  new Promise((resolve) => {
    execFile('arecord', ['-l'], { env: { ...env, LC_ALL: 'C' }, timeout: LIST_MS }, (_error, stdout) =>
      resolve(stdout),
    );
  });

/** The inputs of this machine: what the native package sees, else what arecord does. Never fails. */
export const listInputDevices = async ({
  platform,
  env,
  loadNative = loadNativeInput,
}: InputDevicesOptions): Promise<InputDeviceList> => {
  const hints: string[] = [];
  try {
    const devices = nativeDevices(await loadNative());
    if (devices.length > 0) return { devices, hints };
    hints.push('the system knows no microphone; is one plugged in and switched on?');
  } catch (error) {
    hints.push(messageOf(error));
  }
  const devices = platform === 'linux' ? arecordDevices(await arecordList(env)) : [];
  const sox = SOX_HINTS[platform];
  if (sox !== undefined) hints.push(sox);
  return { devices, hints };
};
