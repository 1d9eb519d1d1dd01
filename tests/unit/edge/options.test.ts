import { describe, expect, it } from '@jest/globals';
import { HELP, OptionsError, parseOptions } from '../../../edge/options.ts';

const DEFAULTS = {
  input: null,
  devices: false,
  device: null,
  mode: 'transcribe',
  json: false,
  once: false,
  quiet: false,
  help: false,
};

describe('the words on the command line', () => {
  it('mean a microphone, transcribed and spoken to, when there are none', () => {
    expect(parseOptions([])).toEqual(DEFAULTS);
  });

  it('are taken as the help page says', () => {
    expect(parseOptions(['--input', 'a.wav', '--mode', 'converse', '--json', '--once', '--quiet'])).toEqual({
      ...DEFAULTS,
      input: 'a.wav',
      mode: 'converse',
      json: true,
      once: true,
      quiet: true,
    });
    expect(parseOptions(['--device', 'USB', '-h'])).toEqual({ ...DEFAULTS, device: 'USB', help: true });
    expect(parseOptions(['--input=-']).input).toBe('-');
    for (const name of Object.keys(DEFAULTS)) expect(HELP).toContain(`--${name}`);
  });

  it.each([
    [['--inputt', 'a.wav'], /did you mean --input\?/],
    [['--mode', 'sing'], /--mode is one of transcribe, converse/],
    [['--once'], /--once needs --input FILE/],
    [['--input', 'a.wav', '--device', 'x'], /exclude each other/],
    [['--device='], /--device needs a value/],
    [['a.wav'], /a\.wav/],
    [['--input'], /--help lists the options/],
  ])('%j is refused with what to do', (argv, message) => {
    expect(() => parseOptions(argv)).toThrow(OptionsError);
    expect(() => parseOptions(argv)).toThrow(message);
  });
});
