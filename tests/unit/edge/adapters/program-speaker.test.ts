import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createProgramSpeaker, PLAYERS } from '../../../../edge/adapters/program-speaker.ts';
import { playerProgram, tone } from '../../../fakes/edge-speaker.ts';
import { until } from '../../../fakes/until.ts';

const env = { PATH: process.env['PATH'] ?? '' };
const now = (): number => performance.timeOrigin + performance.now();
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'player-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a program that plays', () => {
  it('is given everything, no more than it needs ahead of time, and is heard to its end', async () => {
    const { player, periods } = playerProgram(folder);
    const started = performance.now();
    let taken = 0;
    const ahead: number[] = [];
    const counted = async function* () {
      for await (const piece of tone(600)) {
        taken += piece.length / 24;
        ahead.push(taken - (performance.now() - started));
        yield piece;
      }
    };
    const heardMs = await createProgramSpeaker(player, env).play(counted(), new AbortController().signal);
    expect(heardMs).toBe(600);
    // What is on its way is heard to its end where only a wrapper is killed.
    expect(Math.max(...ahead)).toBeLessThan(player.openingMs + 120 + 60);
    expect(performance.now() - started).toBeGreaterThan(500);
    expect(periods().reduce((sum, { bytes }) => sum + bytes, 0)).toBe(600 * 48);
  });

  it('is silent within 150 ms of a signal, and tells no more than was heard', async () => {
    for (const cutAfterMs of [300, 450, 620]) {
      const { player, periods } = playerProgram(folder);
      const controller = new AbortController();
      const speaker = createProgramSpeaker(player, env);
      const startedAt = now();
      const playing = speaker.play(tone(10_000), controller.signal);
      await until(() => (periods().length > 0 ? true : undefined));
      await new Promise((resolve) => setTimeout(resolve, cutAfterMs));
      const cutAt = now();
      controller.abort();
      const heardMs = await playing;
      expect(now() - cutAt).toBeLessThan(150);
      await new Promise((resolve) => setTimeout(resolve, 250));
      const all = periods();
      expect((all.at(-1)?.atMs ?? Infinity) - cutAt).toBeLessThan(150);
      // Real time since the start, less what a player takes to open its device.
      const elapsedMs = cutAt - startedAt - player.openingMs;
      expect(heardMs).toBeLessThanOrEqual(elapsedMs + 25);
      expect(heardMs).toBeGreaterThan(50);
    }
  });

  it('stops at once when it was to stop before it began', async () => {
    const { player, periods } = playerProgram(folder);
    expect(await createProgramSpeaker(player, env).play(tone(500), AbortSignal.abort())).toBe(0);
    expect(periods()).toEqual([]);
  });

  it('is stopped when its sound fails, whose failure it is', async () => {
    const { player } = playerProgram(folder);
    const failing = async function* () {
      yield* tone(60);
      throw new Error('the voice broke');
    };
    await expect(createProgramSpeaker(player, env).play(failing(), new AbortController().signal)).rejects.toThrow(
      'the voice broke',
    );
  });

  it('is stopped while its sound is stuck', async () => {
    const { player } = playerProgram(folder);
    const stuck = async function* () {
      yield* tone(100);
      await new Promise(() => undefined);
    };
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 300);
    expect(await createProgramSpeaker(player, env).play(stuck(), controller.signal)).toBeLessThanOrEqual(100);
  });
});

describe('a program that cannot play', () => {
  const play = (how: Parameters<typeof playerProgram>[1], lengthMs = 2_000): Promise<number> =>
    createProgramSpeaker(playerProgram(folder, how).player, env).play(tone(lengthMs), AbortSignal.timeout(20_000));

  it('says what it died of, and what a person can do', async () => {
    await expect(play('has no device')).rejects.toThrow(
      'player cannot play: no default audio device configured; is a loudspeaker or headset connected?',
    );
    await expect(play('dies after 200 ms')).rejects.toThrow('player cannot play: it ended with code 3');
    await expect(play('closes its input')).rejects.toThrow('player cannot play: it ended with code 4');
  });

  it('is missing', async () => {
    const missing = createProgramSpeaker({ ...PLAYERS.sox('/nowhere/sox', 'linux') }, env);
    await expect(missing.play(tone(100), new AbortController().signal)).rejects.toThrow(
      'sox is not installed or not on PATH',
    );
  });

  it('that hangs is ended', async () => {
    await expect(play('hangs', 100)).rejects.toThrow('player did not come to its end, and was stopped');
  }, 15_000);
});

it('knows how to make each program play raw sound from its standard input', () => {
  expect(PLAYERS.sox('C:\\sox\\sox.exe', 'win32')).toMatchObject({
    command: 'C:\\sox\\sox.exe',
    args: [
      ...['-q', '--buffer', '1024', '-t', 'raw', '-r', '24000', '-e', 'signed-integer', '-b', '16', '-c', '1', '-L'],
      ...['-', '-t', 'waveaudio', 'default'],
    ],
  });
  expect(PLAYERS.sox('sox', 'linux').args.at(-1)).toBe('-d');
  expect(PLAYERS.aplay('aplay', 'linux').args).toEqual([
    ...['-q', '-t', 'raw', '-f', 'S16_LE', '-r', '24000', '-c', '1', '--buffer-time=100000', '-'],
  ]);
  expect(PLAYERS.ffplay('ffplay', 'win32').args.slice(-6)).toEqual(['-f', 's16le', '-ar', '24000', '-i', 'pipe:0']);
});
