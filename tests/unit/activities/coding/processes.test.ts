import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { endGroup, endMarked, identify, isAlive, SELF } from '../../../../activities/coding/processes.ts';
import { until } from './coding-fixture.ts';

const start = (command: string, env: Record<string, string> = {}) =>
  spawn('sh', ['-c', command], { detached: true, stdio: 'ignore', env: { PATH: '/usr/bin:/bin', ...env } });

describe('processes of an earlier attempt', () => {
  it('are told apart from later ones with the same number', () => {
    expect(isAlive(SELF)).toBe(true);
    expect(isAlive({ ...SELF, start: '1' })).toBe(false);
    expect(isAlive({ ...SELF, boot: 'another' })).toBe(false);
    expect(identify(2 ** 22 + 5)).toBeNull();
  });

  it('are ended as a group, also when their leader is gone', async () => {
    const leader = spawn('sh', ['-c', 'sleep 600 & echo $!; exec sleep 600'], {
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [said] = (await once(leader.stdout, 'data')) as [Buffer];
    const [id, member] = [identify(leader.pid ?? 0), identify(Number(said.toString()))];
    if (!id || !member) throw new Error('no process');
    leader.kill('SIGKILL');
    await once(leader, 'exit');
    expect(isAlive(member)).toBe(true);
    await endGroup(id);
    expect(isAlive(member)).toBe(false);
  });

  it('are let be when the number belongs to somebody else now', async () => {
    const other = start('exec sleep 600');
    const id = identify(other.pid ?? 0);
    if (!id) throw new Error('no process');
    await endGroup({ ...id, start: '1' });
    await endGroup({ ...id, boot: 'another' });
    expect(isAlive(id)).toBe(true);
    await endGroup(id);
    expect(isAlive(id)).toBe(false);
  });

  it('are found by their mark when they left their group', async () => {
    const marker = `marked-${process.pid}`;
    const marked = start('exec sleep 600', { DUAL_SESSION: marker });
    const spared = start('exec sleep 600', { DUAL_SESSION: `${marker}-not` });
    const [id, other] = [identify(marked.pid ?? 0), identify(spared.pid ?? 0)];
    if (!id || !other) throw new Error('no process');
    await until(() => {
      endMarked(marker); // the mark shows once the program runs
      return !isAlive(id);
    });
    expect(isAlive(other)).toBe(true);
    await endGroup(other);
  });
});
