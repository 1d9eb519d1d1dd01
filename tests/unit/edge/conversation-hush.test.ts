import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hushes } from '../../../edge/conversation-hush.ts';

describe('a word to be silent', () => {
  it.each([
    'stop',
    'Stop.',
    'STOP!',
    'Stop, stop, stop!',
    'Okay, stop.',
    'No, stop it please.',
    'please be quiet',
    'Be quiet now',
    'Quiet, please.',
    'Shut up!',
    'Oh, shut up already'.replace(' already', ''),
    'halt',
    'Hush.',
    'That’s enough.',
    "that's enough, thank you",
    'Cancel that.',
    'Never mind.',
    'stop talking',
  ])('%s', (text) => expect(hushes(text)).toBe(true));

  it.each([
    '',
    '   ',
    'please',
    'okay',
    'cancel',
    'Stop the build.',
    'stop the second job',
    'Don’t stop.',
    'do not stop',
    'never mind the tests, refactor the API',
    'be quiet about the tests',
    'how do I stop it',
    'stopover',
    'nonstop',
    'halting problem',
    'cancel that job',
    'enough tests for today',
    'start',
  ])('not: %s', (text) => expect(hushes(text)).toBe(false));

  it('is decided at once, whatever is said', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('stop', 'now', 'please', 'no', 'okay', 'it', 'that', 'x'), { maxLength: 40 }),
        (words) => {
          const since = performance.now();
          hushes(words.join(' '));
          expect(performance.now() - since).toBeLessThan(200);
        },
      ),
    );
    fc.assert(fc.property(fc.string({ maxLength: 10_000 }), (text) => typeof hushes(text) === 'boolean'));
  });
});
