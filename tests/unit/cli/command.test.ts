import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { helpOf, parseArguments } from '../../../cli/command.ts';
import { nearest } from '../../../platform/text.ts';
import type { Command } from '../../../cli/command.ts';
import { COMMANDS, findCommand } from '../../../cli/commands.ts';
import { idIn, jobIdIn, traceIdIn } from '../../../cli/ids.ts';
import { sinceOf } from '../../../cli/since.ts';
import { loadCliSettings } from '../../../cli/settings.ts';
import { durationOf, moneyOf, printable, tableOf } from '../../../cli/words.ts';
import { dual } from '../../fakes/dual.ts';
import { JOB_ID, TRACE_ID } from '../../fakes/gateway-server.ts';

const usage = expect.objectContaining({ code: 2 }) as unknown;
const trace = COMMANDS.get('trace') as Command;
const sayCommand = COMMANDS.get('say') as Command;

describe('the verbs', () => {
  it('are those of the contract', () => {
    expect([...COMMANDS.keys()]).toEqual(
      'say,trace,traces,traces import,cancel,approve,budget,steer,open,route,skills check,skills test,skills new,doctor'.split(
        ',',
      ),
    );
  });

  it.each([...COMMANDS])('%s has a help page that names each of its options', async (name, command) => {
    const { code, out, err } = await dual([...name.split(' '), '--help']);
    expect([code, err]).toEqual([0, '']);
    expect(out).toBe(`${helpOf(command)}\n`);
    for (const option of Object.keys(command.options)) expect(out).toContain(`--${option}`);
  });

  it('two words are tried before one', () => {
    expect(findCommand(['traces', 'import', '--json'])).toMatchObject({
      rest: ['--json'],
      command: COMMANDS.get('traces import'),
    });
    expect(findCommand(['traces', '--json'])).toMatchObject({ rest: ['--json'], command: COMMANDS.get('traces') });
  });

  it.each<[string[], string]>([
    [[], 'dual say'],
    [['trac'], 'did you mean dual trace?'],
    [['skills'], 'dual skills needs one of: check, test, new'],
    [['xyzzy'], 'dual --help lists them'],
    [['trace'], 'something is missing'],
    [['trace', 'a', 'b'], 'too many words: b'],
    [['trace', 'a', '--jsno'], 'did you mean --json?'],
    [['trace', 'a', '--xyzzy'], 'known are --wait, --json, --help'],
    [['trace', 'a', '-x'], 'unknown option -x'],
    [['traces', '--limit'], 'argument missing'],
    [['traces', '--limit', 'many'], '--limit: a whole number'],
    [['traces', '--status', 'great'], '--status: one of running'],
    [['traces', '--since', 'yesterday'], '--since: "yesterday" is no moment'],
    [['trace', 'zzz'], '"zzz" is no trace id'],
    [['approve', TRACE_ID], 'is no job id'],
    [['budget', JOB_ID, '0'], 'is no amount'],
    [['budget', JOB_ID, '1e3'], 'is no amount'],
    [['steer', JOB_ID, ' '], 'a message has 1 to'],
    [['say', '  '], 'there is nothing to say'],
    [['say', 'x'.repeat(8001)], '8001 characters'],
    [['say', 'x', '--wait', '--no-wait'], 'exclude each other'],
    [['say', 'x', '--session', 'a b'], '--session: 1 to 128'],
    [['skills', 'new', 'Bad Name'], 'is no name'],
    [['skills', 'test', '/nowhere/at/all'], 'cannot be read (ENOENT)'],
  ])('%j is a usage error with a hint', async (argv, words) => {
    const { code, out, err } = await dual(argv);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(words);
  });

  it('--help is no error, and lists every verb', async () => {
    const { code, out } = await dual(['--help']);
    expect(code).toBe(0);
    for (const command of COMMANDS.values()) expect(out).toContain(`dual ${command.usage}`);
  });

  it('a bad setting names the variable, never its value', async () => {
    const { code, err } = await dual(['traces'], { env: { WSL_GATEWAY_URL: 'hunter2' } });
    expect(code).toBe(2);
    expect(err).toContain('WSL_GATEWAY_URL');
    expect(err).not.toContain('hunter2');
  });
});

describe('parseArguments', () => {
  it('behind -- everything is words', () => {
    expect(parseArguments(sayCommand, ['--json', '--', '--wait', '-x']).words).toEqual(['--wait', '-x']);
  });

  it('anything is either understood or a usage error', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string(), fc.constantFrom('--json', '--wait', '--', '-h', '--id', '--id=x', '-'))),
        (argv) => {
          try {
            const args = parseArguments(sayCommand, argv);
            const { words } = args;
            for (const word of words) expect(argv).toContain(word);
            expect(typeof args.flag('json')).toBe('boolean');
          } catch (error) {
            expect(error).toEqual(usage);
          }
        },
      ),
    );
  });

  it('knows the nearest word, or none', () => {
    expect(nearest('waait', ['wait', 'json'])).toBe('wait');
    expect(nearest('zzzzzz', ['wait', 'json'])).toBeUndefined();
    expect(parseArguments(trace, ['x', '--help'])).toMatchObject({ wantsHelp: true });
  });
});

describe('ids and moments', () => {
  it('tells traces from jobs', () => {
    expect(idIn(TRACE_ID)).toEqual({ kind: 'trace', id: TRACE_ID });
    expect(idIn(JOB_ID)).toEqual({ kind: 'job', id: JOB_ID });
    expect(traceIdIn(JOB_ID)).toBe(TRACE_ID);
    expect(() => jobIdIn(TRACE_ID)).toThrow(usage);
    expect(() => traceIdIn(`${TRACE_ID}-0`)).toThrow(usage);
  });

  const NOW = Date.UTC(2026, 10, 25, 12);
  it.each([
    ['90m', '2026-11-25T10:30:00.000Z'],
    ['2h', '2026-11-25T10:00:00.000Z'],
    ['3d', '2026-11-22T12:00:00.000Z'],
    ['2026-11-01', '2026-11-01T00:00:00.000Z'],
    ['2026-11-01T08:00:00+02:00', '2026-11-01T06:00:00.000Z'],
  ])('%s', (text, moment) => {
    expect(sinceOf(text, NOW)).toBe(moment);
  });

  it('any text gives a moment or a usage error', () => {
    const near = fc.stringMatching(/^[0-9]{1,8}[smhdwTZ:-]{0,4}[0-9]{0,4}$/);
    fc.assert(
      fc.property(fc.oneof(fc.string(), near), (text) => {
        try {
          expect(new Date(sinceOf(text, NOW)).toISOString()).toBe(sinceOf(text, NOW));
        } catch (error) {
          expect(error).toEqual(usage);
        }
      }),
    );
  });
});

describe('settings', () => {
  it.each<[Record<string, string>, string]>([
    [{}, 'http://127.0.0.1:8080'],
    [{ WSL_GATEWAY_PORT: '9000' }, 'http://127.0.0.1:9000'],
    [{ WSL_GATEWAY_PORT: '0', WSL_GATEWAY_URL: 'http://127.0.0.1:7' }, 'http://127.0.0.1:7'],
    [{ WSL_GATEWAY_HOST: '0.0.0.0' }, 'http://127.0.0.1:8080'],
    [{ WSL_GATEWAY_HOST: '::1' }, 'http://[::1]:8080'],
    [{ WSL_GATEWAY_URL: 'https://gateway.example/', WSL_GATEWAY_PORT: '9000' }, 'https://gateway.example'],
  ])('%j', (environment, url) => {
    expect(loadCliSettings(environment).gatewayUrl).toBe(url);
  });

  it('any free port is no address', () => {
    expect(() => loadCliSettings({ WSL_GATEWAY_PORT: '0' })).toThrow(/^WSL_GATEWAY_PORT: 0 is any free port/);
  });

  it('without a token there is none, and that is no error yet', () => {
    expect(loadCliSettings({ GATEWAY_TOKEN_FILE: '/nowhere/token' }).token()).toBeNull();
    expect(loadCliSettings({ GATEWAY_TOKEN: 'abc', GATEWAY_TOKEN_FILE: '/nowhere/token' }).token()).toBe('abc');
  });
});

describe('words', () => {
  it('nothing that could steer a terminal is shown', () => {
    expect(printable('a\u001b[31mb\u0007\u009b2Jc\r\nd\te\u0000')).toBe('a[31mb2Jc\nd\te');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => expect(printable(text)).not.toMatch(/(?![\n\t])\p{Cc}/u)),
    );
  });

  it('money and time read well', () => {
    expect([
      moneyOf(null, false),
      moneyOf(0, true),
      moneyOf(0, false),
      moneyOf(0.0042, false),
      moneyOf(1.5, true),
    ]).toEqual(['unknown cost', '$0 (rehearsal)', '$0.00', '$0.0042', '$1.50 (partly rehearsal)']);
    expect([400, 59_600, 200_000, 7_500_000].map(durationOf)).toEqual(['0 s', '1 min', '3 min 20 s', '2 h 5 min']);
    expect(
      tableOf([
        ['A', 'B'],
        ['long', 'x'],
      ]),
    ).toBe('A     B\nlong  x');
  });
});
