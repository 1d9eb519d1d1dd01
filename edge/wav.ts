/** Why a file is no sound we can play. The message is for people. */
export class WavError extends Error {
  override readonly name = 'WavError';
}

/** How samples are written in a file. */
export interface WavFormat {
  readonly hz: number;
  readonly channels: number;
  readonly encoding: 'unsigned 8' | 'signed 16' | 'signed 24' | 'signed 32' | 'float 32';
  /** Where its samples begin, bytes from the start of the file. */
  readonly dataOffset: number;
  /** As many bytes of samples as are really there. */
  readonly dataBytes: number;
}

/** `length` bytes of the file from `offset`; fewer at its end. */
export type ReadBytes = (offset: number, length: number) => Promise<Uint8Array>;

/** Chunks before the samples that are looked at: real files have a handful. */
const MAX_CHUNKS = 1_000;
const MAX_CHANNELS = 32;
const RATES = { least: 1_000, most: 384_000 } as const;
/** A size that says "not known", or "see the ds64 chunk". */
const UNKNOWN_SIZE = 0xffff_ffff;
const TAGS = { pcm: 1, float: 3, extensible: 0xfffe } as const;
/** What follows the tag in the identifier of an extensible format. */
const EXTENSIBLE_TAIL = '000000001000800000aa00389b71';
const KNOWN_TAGS: Readonly<Record<number, string>> = {
  2: 'ADPCM',
  6: 'A-law',
  7: 'mu-law',
  17: 'IMA ADPCM',
  85: 'MP3',
};

export const BYTES_PER_SAMPLE: Readonly<Record<WavFormat['encoding'], number>> = {
  'unsigned 8': 1,
  'signed 16': 2,
  'signed 24': 3,
  'signed 32': 4,
  'float 32': 4,
};

const nameAt = (bytes: DataView, at: number): string =>
  String.fromCharCode(...new Uint8Array(bytes.buffer, bytes.byteOffset + at, 4));

const encodingOf = (tag: number, bits: number): WavFormat['encoding'] => {
  if (tag === TAGS.pcm && bits === 8) return 'unsigned 8';
  if (tag === TAGS.pcm && (bits === 16 || bits === 24 || bits === 32)) return `signed ${bits}`;
  if (tag === TAGS.float && bits === 32) return 'float 32';
  const what = tag === TAGS.pcm || tag === TAGS.float ? `${bits}-bit` : (KNOWN_TAGS[tag] ?? `format ${tag}`);
  throw new WavError(`${what} samples are not supported; save it as 16-bit PCM`);
};

/** The `fmt ` chunk. */
const formatIn = (chunk: DataView): Pick<WavFormat, 'hz' | 'channels' | 'encoding'> => {
  if (chunk.byteLength < 16) throw new WavError('its format chunk is too short');
  let tag = chunk.getUint16(0, true);
  const bits = chunk.getUint16(14, true);
  if (tag === TAGS.extensible) {
    if (chunk.byteLength < 40) throw new WavError('its format chunk is too short');
    const tail = Buffer.from(chunk.buffer, chunk.byteOffset + 26, 14).toString('hex');
    tag = tail === EXTENSIBLE_TAIL ? chunk.getUint16(24, true) : TAGS.extensible;
  }
  const encoding = encodingOf(tag, bits);
  const channels = chunk.getUint16(2, true);
  const hz = chunk.getUint32(4, true);
  if (channels < 1 || channels > MAX_CHANNELS) throw new WavError(`it has ${channels} channels`);
  if (hz < RATES.least || hz > RATES.most) throw new WavError(`it has ${hz} samples a second`);
  if (chunk.getUint16(12, true) !== channels * BYTES_PER_SAMPLE[encoding])
    throw new WavError('its format contradicts itself');
  return { hz, channels, encoding };
};

/**
 * Reads the head of a WAV file (RIFF or RF64). A file that was cut off, or written to a pipe with its sizes unknown,
 * has as many samples as there are bytes.
 * @throws WavError saying what is wrong
 */
export const readWavFormat = async (read: ReadBytes, fileBytes: number): Promise<WavFormat> => {
  const view = async (offset: number, length: number): Promise<DataView> => {
    const bytes = await read(offset, length);
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
  const head = await view(0, 12);
  if (head.byteLength < 12 || !['RIFF', 'RF64'].includes(nameAt(head, 0)) || nameAt(head, 8) !== 'WAVE')
    throw new WavError('it is not a WAV file');
  let format: ReturnType<typeof formatIn> | undefined;
  let wideSize: number | undefined;
  let at = 12;
  for (let count = 0; count < MAX_CHUNKS; count += 1) {
    const chunk = await view(at, 8);
    if (chunk.byteLength < 8) break;
    const name = nameAt(chunk, 0);
    const size = chunk.getUint32(4, true);
    const from = at + 8;
    if (name === 'fmt ') format = formatIn(await view(from, Math.min(size, 40)));
    if (name === 'ds64') {
      const sizes = await view(from, 16);
      if (sizes.byteLength === 16) wideSize = Number(sizes.getBigUint64(8, true));
    }
    if (name === 'data') {
      if (!format) throw new WavError('its samples come before their format');
      const there = fileBytes - from;
      // A recorder that was killed leaves both sizes at what they were with no sound at all.
      const unfinished = size === 0 && head.getUint32(4, true) <= from - 8;
      const said = size === UNKNOWN_SIZE ? (wideSize ?? there) : size;
      return { ...format, dataOffset: from, dataBytes: unfinished ? there : Math.min(said, there) };
    }
    at = from + size + (size % 2);
  }
  throw new WavError('it holds no samples');
};

/** One sample as -1 to 1. */
const reader = (encoding: WavFormat['encoding']): ((bytes: DataView, at: number) => number) => {
  switch (encoding) {
    case 'unsigned 8':
      return (bytes, at) => (bytes.getUint8(at) - 128) / 128;
    case 'signed 16':
      return (bytes, at) => bytes.getInt16(at, true) / 32_768;
    case 'signed 24':
      return (bytes, at) => (bytes.getUint16(at, true) + bytes.getInt8(at + 2) * 65_536) / 8_388_608;
    case 'signed 32':
      return (bytes, at) => bytes.getInt32(at, true) / 2_147_483_648;
    case 'float 32':
      return (bytes, at) => {
        const value = bytes.getFloat32(at, true);
        return Number.isFinite(value) ? value : 0;
      };
  }
};

/** Turns the bytes of a file, in pieces of any length, into one channel: the mean of all. */
export const createWavSamples = ({ encoding, channels }: WavFormat): ((bytes: Uint8Array) => Float32Array) => {
  const width = BYTES_PER_SAMPLE[encoding];
  const block = width * channels;
  const sample = reader(encoding);
  let rest = new Uint8Array(0);
  return (bytes) => {
    const joined = new Uint8Array(rest.length + bytes.length);
    joined.set(rest);
    joined.set(bytes, rest.length);
    const view = new DataView(joined.buffer);
    const count = Math.floor(joined.length / block);
    rest = joined.slice(count * block);
    const out = new Float32Array(count);
    for (let i = 0; i < count; i += 1) {
      let sum = 0;
      for (let channel = 0; channel < channels; channel += 1) sum += sample(view, i * block + channel * width);
      out[i] = sum / channels;
    }
    return out;
  };
};

/** -1 to 1 as 16-bit samples; what is louder is cut. */
export const toInt16 = (samples: Float32Array): Int16Array => {
  const out = new Int16Array(samples.length);
  for (let i = 0; i < samples.length; i += 1)
    out[i] = Math.max(-32_768, Math.min(32_767, Math.round((samples[i] as number) * 32_768)));
  return out;
};
