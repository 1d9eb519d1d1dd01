import { describe, expect, it } from '@jest/globals';
import { keyOf, keysOf } from '../../../../activities/browser/keys.ts';

describe('keys', () => {
  it.each([
    ['enter', 'Enter'],
    ['RETURN', 'Enter'],
    ['Esc', 'Escape'],
    ['PageDown', 'PageDown'],
    ['page_down', 'PageDown'],
    ['left', 'ArrowLeft'],
    ['command', 'Control'],
    ['F11', 'F11'],
    ['a', 'a'],
    ['?', '?'],
    [' ', 'Space'],
  ])('%s is %s', (name, key) => expect(keyOf(name)).toBe(key));

  it.each(['', 'F13', 'nonsense', 'é', 'constructor', '__proto__'])('"%s" is none', (name) =>
    expect(() => keyOf(name)).toThrow('no key is called'),
  );

  it.each([
    ['Control+Shift+T', ['Control', 'Shift', 'T']],
    ['control++', ['Control', '+']],
    ['+', ['+']],
    ['ctrl + a', ['Control', 'a']],
    [
      ['CTRL', 'A'],
      ['Control', 'A'],
    ],
    ['Enter', ['Enter']],
  ])('%j is %j', (given, keys) => expect(keysOf(given)).toEqual(keys));

  it('has a limit', () => {
    expect(() => keysOf('a+b+c+d+e+f')).toThrow('between one and five');
    expect(() => keysOf([])).toThrow('between one and five');
  });
});
