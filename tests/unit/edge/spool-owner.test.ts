import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { createTakeName } from '../../../edge/spool-owner.ts';
import { REPOSITORY_ROOT } from '../../../platform/env.ts';

const holder = (platform: string): string =>
  `import { createTakeName } from './edge/spool-owner.ts';
   const release = await createTakeName(${JSON.stringify(platform)})(process.argv[1]);
   process.stdout.write(release ? 'held' : 'not');
   setInterval(() => undefined, 1000);`;

// A socket file is what other systems get; it works here as well.
const platforms = process.platform === 'linux' ? (['linux', 'darwin'] as const) : ([process.platform] as const);

describe.each(platforms)('a name on %s', (platform) => {
  const takeName = createTakeName(platform);

  it('has one holder, until it is released', async () => {
    const name = randomBytes(8).toString('hex');
    const release = await takeName(name);
    expect(release).not.toBeNull();
    expect(await takeName(name)).toBeNull();
    expect(await takeName(`${name}x`)).not.toBeNull();
    await release?.();
    const again = await takeName(name);
    expect(again).not.toBeNull();
    await again?.();
  });

  it('is free again when its holder was killed, and not while it only stands still', async () => {
    const name = randomBytes(8).toString('hex');
    const child = spawn(process.execPath, ['--input-type=module', '-e', holder(platform), name], {
      cwd: REPOSITORY_ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      expect(String((await once(child.stdout, 'data'))[0])).toBe('held');
      expect(await takeName(name)).toBeNull();
      child.kill('SIGSTOP');
      expect(await takeName(name)).toBeNull();
    } finally {
      child.kill('SIGKILL');
    }
    await once(child, 'exit');
    const release = await takeName(name);
    expect(release).not.toBeNull();
    await release?.();
  });
});
