import type { RecognitionStream, SpeechRecogniser } from '../speech-recogniser.ts';
import type { Decoder, OpenDecoder } from './decoder.ts';
import { createStableWords } from './stable-words.ts';
import type { StableWords } from './stable-words.ts';

/** Sound that waits for the decoder, in samples: two minutes of each stream behind the one being decoded. */
const MAX_WAITING = 16_000 * 120;

interface Stream {
  waiting: Int16Array[];
  waitingSamples: number;
  words: StableWords;
  listener: (text: string) => void;
  result: PromiseWithResolvers<string>;
  ended: boolean;
}

export interface RecogniserOptions {
  label: string;
  openDecoder: OpenDecoder;
  /** Heard words as people write them. */
  write: (heard: string) => string;
}

/** A recogniser on one decoder: streams are decoded one after the other, in the order they were opened. */
export const createSpeechRecogniser = ({ label, openDecoder, write }: RecogniserOptions): SpeechRecogniser => {
  const queue: Stream[] = [];
  let decoder: Decoder | null = null;
  let opening: Promise<Decoder> | null = null;
  let failure: Error | null = null;

  const fail = (error: Error): void => {
    failure = error;
    for (const stream of queue.splice(0)) stream.result.reject(error);
  };
  const feed = (stream: Stream): void => {
    for (const samples of stream.waiting.splice(0)) decoder?.sound(samples);
    stream.waitingSamples = 0;
    if (stream.ended) decoder?.finish();
  };
  const next = (): void => {
    const [stream] = queue;
    if (!stream || !decoder) return;
    decoder.begin();
    feed(stream);
  };
  const drop = (stream: Stream): void => {
    const at = queue.indexOf(stream);
    if (at < 0) return;
    queue.splice(at, 1);
    if (at === 0) next();
  };

  const open = (): Promise<Decoder> =>
    (opening ??= openDecoder({
      heard: (text) => {
        const [stream] = queue;
        const stable = stream?.words.update(write(text)) ?? null;
        if (stable !== null) stream?.listener(stable);
      },
      finished: (text) => {
        const stream = queue.shift();
        stream?.result.resolve(stream.words.finish(write(text)));
        next();
      },
      failed: fail,
    }).then((opened) => (decoder = opened)));

  return {
    label,
    open: async (): Promise<RecognitionStream> => {
      await open();
      if (failure) throw failure;
      const stream: Stream = {
        waiting: [],
        waitingSamples: 0,
        words: createStableWords(),
        listener: () => undefined,
        result: Promise.withResolvers<string>(),
        ended: false,
      };
      stream.result.promise.catch(() => undefined); // told to whoever asked to finish
      queue.push(stream);
      if (queue.length === 1) next();
      return {
        push: (samples) => {
          if (stream.ended || (queue[0] !== stream && stream.waitingSamples >= MAX_WAITING)) return;
          stream.waiting.push(samples);
          stream.waitingSamples += samples.length;
          if (queue[0] === stream) feed(stream);
        },
        onStable: (listener) => void (stream.listener = listener),
        finish: () => {
          if (failure) return Promise.reject(failure);
          if (!stream.ended) {
            stream.ended = true;
            if (queue[0] === stream) feed(stream);
          }
          return stream.result.promise;
        },
        discard: () => {
          stream.ended = true;
          drop(stream);
        },
      };
    },
    close: async () => {
      const opened = await opening?.catch(() => null);
      fail(new Error('the recogniser was closed'));
      await opened?.close();
    },
  };
};
