import { describe, expect, it } from '@jest/globals';
import { findProgram, findSpeakers, findVoices } from '../../../../edge/adapters/sound-programs.ts';
import type { Machine } from '../../../../edge/adapters/sound-programs.ts';

const machine = (platform: NodeJS.Platform, env: Record<string, string>, ...files: string[]): Machine => ({
  platform,
  env,
  isProgram: (file) => files.includes(file),
});
const open = async () => {
  throw new Error('not opened here');
};

describe('programs', () => {
  it('are looked for along the path, in its order', () => {
    const linux = machine('linux', { PATH: '/a::/b' }, '/b/sox', '/a/sox', '/b/aplay');
    expect([findProgram('sox', linux), findProgram('aplay', linux), findProgram('ffplay', linux)]).toEqual([
      '/a/sox',
      '/b/aplay',
      null,
    ]);
  });

  it('are found on Windows under its names, and where installers put them', () => {
    const windows = machine(
      'win32',
      { Path: 'C:\\tools;C:\\more' },
      'C:\\more\\ffplay.exe',
      'C:\\Program Files (x86)\\sox-14-4-1\\sox.exe',
      'C:\\tools\\espeak-ng.cmd',
    );
    expect([findProgram('ffplay', windows), findProgram('sox', windows), findProgram('espeak-ng', windows)]).toEqual([
      'C:\\more\\ffplay.exe',
      'C:\\Program Files (x86)\\sox-14-4-1\\sox.exe',
      null,
    ]);
  });

  it('of this machine are real files that may be run', () => {
    const env = { PATH: process.env['PATH'] ?? '' };
    expect(findProgram('node', { platform: process.platform, env })).toMatch(/node/);
    expect(findProgram('node', { platform: process.platform, env: {} })).toBeNull();
  });
});

describe('what plays and speaks', () => {
  const labels = async (one: Machine, native: boolean): Promise<string[][]> => [
    (await findSpeakers(one, async () => (native ? open : null))).map(({ label }) => label),
    findVoices(one).map(({ label }) => label),
  ];

  it('is offered best first', async () => {
    const all = ['sox', 'aplay', 'ffplay', 'espeak-ng', 'flite', 'say'].map((name) => `/bin/${name}`);
    expect(await labels(machine('linux', { PATH: '/bin' }, ...all), true)).toEqual([
      ['sox', 'aplay', 'ffplay', 'native'],
      ['espeak-ng', 'flite'],
    ]);
    expect(await labels(machine('darwin', { PATH: '/bin' }, ...all), true)).toEqual([
      ['sox', 'native', 'ffplay'],
      ['say', 'espeak-ng', 'flite'],
    ]);
    const powershell = 'C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe';
    expect(await labels(machine('win32', {}, powershell), true)).toEqual([['native'], ['sapi']]);
  });

  it('may be nothing', async () => {
    expect(await labels(machine('freebsd', { PATH: '/bin' }), false)).toEqual([[], []]);
  });
});
