import { createWavSamples, readWavFormat } from '../wav.ts';

/** Headers of synthesisers have 44 to 80 bytes; so much is waited for before one is read, or the end. */
const HEAD_BYTES = 2_048;
/** Bytes worked on at a time: less than 1 ms of work, however much a pipe brings at once. */
const PIECE_BYTES = 2_048;

/**
 * The sound of a WAV file while it is being written, one channel, -1 to 1: what its header says about lengths is not
 * known yet, so it ends where the bytes end. @throws WavError
 */
export async function* samplesOfWave(
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<{ hz: number; samples: Float32Array }, void> {
  let head = Buffer.alloc(0);
  let sound: { hz: number; bytesLeft: number; read: (bytes: Uint8Array) => Float32Array } | null = null;

  const begin = async (): Promise<Buffer> => {
    const format = await readWavFormat(async (offset, length) => head.subarray(offset, offset + length), Infinity);
    sound = { hz: format.hz, bytesLeft: format.dataBytes, read: createWavSamples(format) };
    return head.subarray(format.dataOffset);
  };
  function* pieces(bytes: Buffer): Generator<{ hz: number; samples: Float32Array }, void> {
    for (let from = 0; sound && from < bytes.length && sound.bytesLeft > 0; from += PIECE_BYTES) {
      const piece = bytes.subarray(from, from + Math.min(PIECE_BYTES, sound.bytesLeft));
      sound.bytesLeft -= piece.length;
      yield { hz: sound.hz, samples: sound.read(piece) };
    }
  }

  for await (const chunk of chunks) {
    if (!sound) head = Buffer.concat([head, chunk]);
    if (sound) yield* pieces(chunk);
    else if (head.length >= HEAD_BYTES) yield* pieces(await begin());
  }
  if (!sound && head.length > 0) yield* pieces(await begin());
}
