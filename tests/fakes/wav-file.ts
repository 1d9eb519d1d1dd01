/** How a WAV file of a test is written. */
export interface WavShape {
  hz?: number;
  channels?: number;
  /** Default: signed 16. */
  encoding?: 'unsigned 8' | 'signed 16' | 'signed 24' | 'signed 32' | 'float 32';
  isExtensible?: boolean;
  /** Chunks before the samples, as name and content. */
  before?: readonly (readonly [string, Uint8Array])[];
  /** What the sizes say, where they do not tell the truth. */
  dataSize?: number;
  riffSize?: number;
  /** Bytes behind the samples. */
  behind?: Uint8Array;
}

const WIDTHS = { 'unsigned 8': 1, 'signed 16': 2, 'signed 24': 3, 'signed 32': 4, 'float 32': 4 } as const;

const write = (bytes: Buffer, at: number, value: number, encoding: NonNullable<WavShape['encoding']>): void => {
  const whole = (bits: number): number => {
    const most = 2 ** (bits - 1);
    return Math.max(-most, Math.min(most - 1, Math.round(value * most)));
  };
  if (encoding === 'unsigned 8') bytes.writeUInt8(whole(8) + 128, at);
  else if (encoding === 'float 32') bytes.writeFloatLE(value, at);
  else bytes.writeIntLE(whole(WIDTHS[encoding] * 8), at, WIDTHS[encoding]);
};

const chunk = (name: string, content: Uint8Array, size = content.length): Buffer => {
  const head = Buffer.alloc(8);
  head.write(name, 'latin1');
  head.writeUInt32LE(size, 4);
  return Buffer.concat([head, content, Buffer.alloc(content.length % 2)]);
};

/** A WAV file; `samples` (-1 to 1) are interleaved where there are several channels. */
export const wavFile = (samples: ArrayLike<number>, shape: WavShape = {}): Buffer => {
  const { hz = 16_000, channels = 1, encoding = 'signed 16', isExtensible = false, before = [] } = shape;
  const width = WIDTHS[encoding];
  const tag = encoding === 'float 32' ? 3 : 1;
  const format = Buffer.alloc(isExtensible ? 40 : 16);
  format.writeUInt16LE(isExtensible ? 0xfffe : tag, 0);
  format.writeUInt16LE(channels, 2);
  format.writeUInt32LE(hz, 4);
  format.writeUInt32LE(hz * channels * width, 8);
  format.writeUInt16LE(channels * width, 12);
  format.writeUInt16LE(width * 8, 14);
  if (isExtensible) {
    format.writeUInt16LE(22, 16);
    format.writeUInt16LE(width * 8, 18);
    format.writeUInt16LE(tag, 24);
    Buffer.from('000000001000800000aa00389b71', 'hex').copy(format, 26);
  }
  const data = Buffer.alloc(samples.length * width);
  for (let i = 0; i < samples.length; i += 1) write(data, i * width, samples[i] ?? 0, encoding);
  const body = Buffer.concat([
    Buffer.from('WAVE'),
    ...before.map(([name, content]) => chunk(name, content)),
    chunk('fmt ', format),
    chunk('data', data, shape.dataSize),
    shape.behind ?? Buffer.alloc(0),
  ]);
  return Buffer.concat([chunk('RIFF', Buffer.alloc(0), shape.riffSize ?? body.length), body]);
};

/** A sine, -1 to 1. */
export const tone = (hz: number, seconds: number, about: { hz?: number; amplitude?: number } = {}): Float32Array => {
  const { hz: rate = 16_000, amplitude = 0.5 } = about;
  return Float32Array.from(
    { length: Math.round(rate * seconds) },
    (_, i) => amplitude * Math.sin((2 * Math.PI * hz * i) / rate),
  );
};

/** How loud one frequency is in sound, as an amplitude. */
export const amplitudeAt = (samples: ArrayLike<number>, hz: number, rate = 16_000): number => {
  let cosines = 0;
  let sines = 0;
  let weight = 0;
  for (let i = 0; i < samples.length; i += 1) {
    const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / (samples.length - 1));
    const turn = (2 * Math.PI * hz * i) / rate;
    cosines += window * (samples[i] ?? 0) * Math.cos(turn);
    sines += window * (samples[i] ?? 0) * Math.sin(turn);
    weight += window;
  }
  return (2 * Math.hypot(cosines, sines)) / weight;
};
