import { describe, expect, it } from '@jest/globals';
import type { DecoderEvents } from '../../../rehearsal/speech/decoder.ts';
import { createSpeechRecogniser } from '../../../rehearsal/speech/recogniser.ts';

/** A decoder that writes down what it is told, and answers when the test says so. */
const bench = () => {
  const told: string[] = [];
  let events: DecoderEvents | undefined;
  const recogniser = createSpeechRecogniser({
    label: 'fake',
    write: (heard) => heard.replace('api', 'API'),
    openDecoder: (given) => {
      events = given;
      return Promise.resolve({
        begin: () => void told.push('begin'),
        sound: (samples) => void told.push(`sound ${samples.length}`),
        finish: () => void told.push('finish'),
        close: () => (told.push('close'), Promise.resolve()),
      });
    },
  });
  return { told, recogniser, decoder: (): DecoderEvents => events as DecoderEvents };
};

describe('a recogniser on one decoder', () => {
  it('opens it once, hands the sound on, and writes as people do', async () => {
    const { told, recogniser, decoder } = bench();
    const stream = await recogniser.open();
    const stable: string[] = [];
    stream.onStable((text) => stable.push(text));
    stream.push(new Int16Array(320));
    decoder().heard('refactor the');
    decoder().heard('refactor the api and');
    const text = stream.finish();
    decoder().finished('refactor the api and more');
    await expect(text).resolves.toBe('refactor the API and more');
    expect(stable).toEqual(['refactor the']);
    expect(told).toEqual(['begin', 'sound 320', 'finish']);
  });

  it('decodes streams one after the other, and keeps the sound of those that wait', async () => {
    const { told, recogniser, decoder } = bench();
    const [first, second] = [await recogniser.open(), await recogniser.open()];
    second.push(new Int16Array(2));
    const later = second.finish();
    first.push(new Int16Array(1));
    const sooner = first.finish();
    decoder().finished('one');
    decoder().finished('two');
    await expect(Promise.all([sooner, later])).resolves.toEqual(['one', 'two']);
    expect(told).toEqual(['begin', 'sound 1', 'finish', 'begin', 'sound 2', 'finish']);
  });

  it('goes on with the next when one is discarded, whichever', async () => {
    const { told, recogniser, decoder } = bench();
    const [first, second, third] = [await recogniser.open(), await recogniser.open(), await recogniser.open()];
    third.push(new Int16Array(3));
    second.discard();
    first.discard();
    const text = third.finish();
    decoder().finished('three');
    await expect(text).resolves.toBe('three');
    expect(told).toEqual(['begin', 'begin', 'sound 3', 'finish']);
  });

  it('fails every stream when the decoder does, and those that come later', async () => {
    const { recogniser, decoder } = bench();
    const stream = await recogniser.open();
    const text = stream.finish();
    decoder().failed(new Error('its thread ended'));
    await expect(text).rejects.toThrow('its thread ended');
    await expect(recogniser.open()).rejects.toThrow('its thread ended');
  });

  it('closes the decoder, and leaves nobody waiting', async () => {
    const { told, recogniser } = bench();
    const stream = await recogniser.open();
    const text = stream.finish();
    await recogniser.close();
    await expect(text).rejects.toThrow('closed');
    expect(told.at(-1)).toBe('close');
  });
});
