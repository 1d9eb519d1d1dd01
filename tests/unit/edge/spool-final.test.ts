import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  decodeFinal,
  encodeFinal,
  fileName,
  folderName,
  parseFileName,
  parseFolderName,
  temporaryName,
} from '../../../edge/spool-final.ts';
import { traceIdOf } from '../../../edge/utterance.ts';

const id = fc.stringMatching(/^[A-Za-z0-9._:-]{1,128}$/);
const finals = fc.record({
  sessionId: id,
  utteranceId: id,
  sequence: fc.nat(),
  text: fc.string({ unit: 'binary', maxLength: 200 }),
  saidAt: fc.string({ maxLength: 30 }),
  latencyMs: fc.double({ noNaN: true, noDefaultInfinity: true }).map((ms) => ms + 0),
});

describe('a spooled final', () => {
  it('comes back as it was written, and never in part', () => {
    fc.assert(
      fc.property(finals, fc.nat(), (final, cut) => {
        const text = encodeFinal(final);
        // What JSON cannot hold (a lone half of a character) is replaced once, when it is first written.
        expect(decodeFinal(text)).toEqual(JSON.parse(JSON.stringify(final)));
        // Without its last character, the line end, it is whole.
        expect(decodeFinal(text.slice(0, cut % (text.length - 1)))).toBeNull();
      }),
    );
  });

  it('is not found in what is none', () => {
    fc.assert(fc.property(fc.string(), (text) => expect(decodeFinal(text)).toBeNull()));
    fc.assert(fc.property(fc.json(), (text) => expect(decodeFinal(text)).toBeNull()));
    for (const change of [{ v: 2 }, { more: 1 }, { utterance_id: 'no spaces' }, { sequence: -1 }, { text: 7 }]) {
      const good: unknown = JSON.parse(
        encodeFinal({ sessionId: 's', utteranceId: 'u', sequence: 1, text: 't', saidAt: '', latencyMs: 1 }),
      );
      expect(decodeFinal(JSON.stringify({ ...(good as object), ...change }))).toBeNull();
    }
  });

  it('has a name that sorts as it was spoken, and says what it is', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), id, id, (a, b, one, two) => {
        const [first, second] = [fileName(a, traceIdOf(one)), fileName(b, traceIdOf(two))];
        if (a !== b) expect(first < second).toBe(a < b);
        expect(parseFileName(first)).toEqual({ name: first, key: traceIdOf(one), whole: true });
        expect(parseFileName(temporaryName(first))).toEqual({ name: first, key: traceIdOf(one), whole: false });
      }),
    );
    const name = fileName(1, traceIdOf('u'));
    for (const other of ['', 'x.json', `.${name}`, `${name}.tmp`, `a${name}`, name.toUpperCase()])
      expect(parseFileName(other)).toBeNull();
  });

  it('lies in a folder whose name sorts by start', () => {
    expect(folderName(12, '0123456789abcdef')).toBe('00000012-0123456789abcdef');
    expect(parseFolderName('00000012-0123456789abcdef')).toEqual({ start: 12, life: '0123456789abcdef' });
    for (const other of ['bad', 'refused', '12-0123456789abcdef', '00000012-0123456789abcde'])
      expect(parseFolderName(other)).toBeNull();
  });
});
