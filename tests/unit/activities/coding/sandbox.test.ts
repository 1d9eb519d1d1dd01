import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runCommand } from '../../../../activities/coding/run-command.ts';
import type { CommandResult } from '../../../../activities/coding/run-command.ts';
import { findRuntime, SYSTEM_PATH } from '../../../../activities/coding/runtime.ts';
import { alternatesText, createSandbox } from '../../../../activities/coding/sandbox.ts';
import type { Surroundings } from '../../../../activities/coding/sandbox.ts';
import { git, makeFolder, makeRepository, until } from './coding-fixture.ts';

const runtime = findRuntime(process.execPath, process.env['PATH'] ?? SYSTEM_PATH);
const kinds = ['bubblewrap', 'off'] as const;

/** Processes with `marker` on their command line, this test's own left out. */
const processesWith = (marker: string): string[] =>
  readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(marker);
    } catch {
      return false;
    }
  });

let folder: string;
let around: Surroundings;
const secret = 'sk-test-0123456789abcdef';

const run = (
  kind: 'bubblewrap' | 'off',
  command: string,
  about: { signal?: AbortSignal; timeoutMs?: number; maxChars?: number; network?: boolean } = {},
): Promise<CommandResult> => {
  const sandbox = createSandbox(kind, { runtime, bwrapPath: null });
  return runCommand(sandbox.launch(around, command, { network: about.network ?? false }), {
    signal: about.signal ?? new AbortController().signal,
    timeoutMs: about.timeoutMs ?? 20_000,
    maxChars: about.maxChars ?? 30_000,
  });
};

beforeEach(() => {
  folder = makeFolder();
  const repository = join(folder, 'repository');
  makeRepository(repository, { 'a.txt': 'a' });
  const session = join(folder, 'session');
  for (const name of ['tree', 'tmp/home']) mkdirSync(join(session, name), { recursive: true });
  git(folder, 'clone', '-q', '--bare', '--shared', repository, join(session, 'git'));
  writeFileSync(join(session, 'tree/.git'), 'gitdir: ../git\n');
  writeFileSync(join(session, 'tree/a.txt'), 'a');
  const objects = [join(repository, '.git/objects')];
  writeFileSync(join(session, 'alternates'), alternatesText(objects));
  writeFileSync(join(session, 'empty'), '');
  around = {
    sessionId: `test-${process.pid}-${Date.now()}`,
    tree: join(session, 'tree'),
    tmp: join(session, 'tmp'),
    gitDir: join(session, 'git'),
    objects,
    alternatesFile: join(session, 'alternates'),
    emptyFile: join(session, 'empty'),
    shares: [],
    env: { CI: '1', PATH: '/nonsense' },
  };
  process.env['TEST_API_KEY'] = secret;
});
afterEach(() => {
  delete process.env['TEST_API_KEY'];
  rmSync(folder, { recursive: true, force: true });
});

describe.each(kinds)('a command (%s)', (kind) => {
  it('runs in the tree, on our Node, with npm, git and a home of its own', async () => {
    const { exitCode, text } = await run(
      kind,
      'cat a.txt; echo; node -p process.version; npm --version >/dev/null 2>&1 && echo npm; git --version >/dev/null && echo git; touch "$HOME/x" && echo home; echo "$CI"',
    );
    expect(exitCode).toBe(0);
    expect(text).toBe(`a\n${process.version}\nnpm\ngit\nhome\n1\n`);
  });

  it('sees nothing of the worker’s environment', async () => {
    const { text } = await run(kind, 'env; cat /proc/self/environ /proc/1/environ 2>/dev/null | tr "\\0" "\\n"');
    expect(text).toContain('DUAL_SESSION=');
    if (kind === 'bubblewrap') expect(text).not.toContain(secret);
    const { text: own } = await run(kind, 'env');
    expect(own).not.toContain(secret);
  });

  it('answers its exit code and both outputs in order; standard input is empty', async () => {
    expect(await run(kind, 'echo 1; echo 2 >&2; echo 3; cat; exit 7')).toEqual({
      exitCode: 7,
      text: '1\n2\n3\n',
      timedOut: false,
    });
    expect((await run(kind, 'kill -SEGV $$')).exitCode).toBe(139);
    expect((await run(kind, "echo 'it'\"'\"'s $HOME' \"$(echo '`x`')\"")).text).toBe("it's $HOME `x`\n");
  });

  it('is ended at its time limit with everything it started', async () => {
    const marker = `31.${process.pid}1`;
    const started = Date.now();
    const result = await run(kind, `sleep ${marker} & setsid sleep ${marker} & (trap '' TERM; sleep ${marker})`, {
      timeoutMs: 300,
    });
    expect(result).toMatchObject({ exitCode: 124, timedOut: true });
    expect(Date.now() - started).toBeLessThan(2_300);
    await until(() => processesWith(marker).length === 0, 2_000);
  });

  it('leaves nothing behind when it ends, its background work included', async () => {
    const marker = `32.${process.pid}2`;
    const { exitCode } = await run(kind, `sleep ${marker} & setsid sleep ${marker} & echo started`);
    expect(exitCode).toBe(0);
    await until(() => processesWith(marker).length === 0, 2_000);
  });

  it('ends within two seconds on abort', async () => {
    const marker = `33.${process.pid}3`;
    const controller = new AbortController();
    const running = run(kind, `sleep ${marker}`, { signal: controller.signal });
    await until(() => processesWith(marker).length > 0);
    const reason = new Error('cancelled');
    controller.abort(reason);
    const started = Date.now();
    await expect(running).rejects.toBe(reason);
    expect(Date.now() - started).toBeLessThan(2_000);
    await until(() => processesWith(marker).length === 0, 2_000);
  });

  it('ends when the worker is killed with -9', async () => {
    const marker = `34.${process.pid}4`;
    const root = join(import.meta.dirname, '../../../..');
    const script = `
      import { runCommand } from ${JSON.stringify(join(root, 'activities/coding/run-command.ts'))};
      import { createSandbox } from ${JSON.stringify(join(root, 'activities/coding/sandbox.ts'))};
      const sandbox = createSandbox(${JSON.stringify(kind)}, ${JSON.stringify({ runtime, bwrapPath: null })});
      await runCommand(sandbox.launch(${JSON.stringify(around)}, 'sleep ${marker} & bash -c "sleep ${marker}"', { network: false }),
        { signal: new AbortController().signal, timeoutMs: 60000, maxChars: 1000 });`;
    const worker = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' });
    await until(() => processesWith(`sleep\0${marker}`).length >= 2);
    worker.kill('SIGKILL');
    await once(worker, 'exit');
    await until(() => processesWith(`sleep\0${marker}`).length === 0, 2_000);
  });

  it('may write any amount: beginning and end are kept', async () => {
    const { text } = await run(kind, 'echo first; head -c 5000000 /dev/zero | tr "\\0" x; echo; echo last', {
      maxChars: 1_000,
    });
    expect(text.length).toBeLessThan(1_100);
    expect(text).toMatch(/^first\nx+\n\[\.\.\. \d+ characters cut here \.\.\.\]\nx+\nlast\n$/);
  });
});

describe('bubblewrap', () => {
  it('lets nothing be written but the tree and /tmp, and git’s folder not at all', async () => {
    const { text } = await run(
      'bubblewrap',
      'for path in / /usr /etc /git /git/hooks /objects/0 /workspace/.git /opt/node/bin /home /root /proc/sys/kernel; do (mkdir -p $path; echo x > $path/x) 2>/dev/null && echo "wrote $path"; done; rm -rf .git; mv .git g; echo "gitdir: /tmp" > .git; echo done; echo x > ok; echo x > /tmp/ok',
    );
    expect(text).not.toContain('wrote');
    expect(readFileSync(join(around.tree, '.git'), 'utf8')).toBe('gitdir: ../git\n');
    expect(existsSync(join(around.tree, 'ok'))).toBe(true);
    expect(existsSync(join(around.tmp, 'ok'))).toBe(true);
  });

  it('hides the host: its files, processes and capabilities', async () => {
    const { text } = await run(
      'bubblewrap',
      `ls ${folder} /home /root /work /var 2>&1; ls /proc | grep -c '^[0-9]'; grep Cap /proc/self/status; hostname`,
    );
    expect(text).not.toContain('session');
    expect(text.match(/No such file or directory/g)?.length).toBe(5);
    expect(Number(/^(\d+)$/m.exec(text)?.[1])).toBeLessThan(12);
    expect(text.match(/0000000000000000/g)?.length).toBe(5);
    expect(text).toMatch(/workspace$/m);
  });

  it('shows certificates, and no folder that holds private keys beside them', async () => {
    const { args } = createSandbox('bubblewrap', { runtime, bwrapPath: null }).launch(around, 'true', {
      network: true,
    });
    for (const folder of ['/etc', '/etc/ssl', '/etc/pki', '/etc/pki/tls', '/etc/java-17-openjdk'])
      expect(args).not.toContain(folder);
    expect(args.filter((arg) => /private|nssdb|shadow|management/.test(arg))).toEqual([]);
    const { text } = await run('bubblewrap', 'ls /etc/ssl /etc/pki 2>/dev/null; ls /etc/ssl/certs | head -1 | wc -l');
    expect(text).not.toContain('private');
    expect(text).toMatch(/certs\n[^]*1\n$/);
  });

  it('hides a private key that root could read', async () => {
    if (process.getuid?.() !== 0) {
      process.stderr.write('NOT TESTED, only root can: a key in /etc/ssl/private is not seen in the sandbox\n');
      return;
    }
    const isNew = !existsSync('/etc/ssl/private');
    const key = `/etc/ssl/private/dual-test-${process.pid}.key`;
    mkdirSync('/etc/ssl/private', { recursive: true, mode: 0o710 });
    writeFileSync(key, secret, { mode: 0o600 });
    try {
      const { exitCode, text } = await run('bubblewrap', `cat ${key}; cat /etc/ssl/private/*; ls -a /etc/ssl/private`);
      expect(exitCode).not.toBe(0);
      expect(text).not.toContain(secret);
    } finally {
      rmSync(isNew ? '/etc/ssl/private' : key, { recursive: true });
    }
  });

  it('gives no network: neither the loopback of the host nor beyond', async () => {
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      socket.end('hello');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const command = `exec 3<>/dev/tcp/127.0.0.1/${port} && cat <&3`;
    try {
      expect((await run('bubblewrap', command)).exitCode).toBe(1);
      expect(connections).toBe(0);
      expect((await run('bubblewrap', command, { network: true })).text).toBe('hello'); // what an allowed deploy gets
      expect((await run('off', command)).text).toBe('hello');
    } finally {
      server.close();
    }
  });

  it('shows shared folders read-only', async () => {
    const source = join(folder, 'shared');
    mkdirSync(source);
    mkdirSync(join(around.tree, 'node_modules'));
    writeFileSync(join(source, 'index.js'), 'module.exports = 1');
    around = { ...around, shares: [{ source, path: 'node_modules' }] };
    const { text } = await run(
      'bubblewrap',
      'cat node_modules/index.js; echo x > node_modules/x; rm node_modules/index.js',
    );
    expect(text.match(/Read-only file system/g)?.length).toBe(2);
    expect(readdirSync(source)).toEqual(['index.js']);
  });

  it('lets git be read', async () => {
    const { text } = await run('bubblewrap', 'git log --format=%s; git show HEAD:a.txt');
    expect(text).toBe('first\na');
  });

  it('says what to type when it is missing or cannot work', async () => {
    const { signal } = new AbortController();
    const missing = createSandbox('bubblewrap', { runtime, bwrapPath: join(folder, 'bwrap') });
    await expect(missing.check(signal)).rejects.toMatchObject({ type: 'EnvironmentUnavailable' });
    await expect(missing.check(signal)).rejects.toThrow(/apt install bubblewrap.*CODING_SANDBOX=off/);
    const broken = createSandbox('bubblewrap', { runtime, bwrapPath: '/bin/false' });
    await expect(broken.check(signal)).rejects.toThrow(/cannot make a sandbox here/);
    await createSandbox('bubblewrap', { runtime, bwrapPath: null }).check(signal);
    await createSandbox('off', { runtime, bwrapPath: join(folder, 'bwrap') }).check(signal);
  });
});

describe('Node and npm of the worker', () => {
  it('are found beside each other, or npm on PATH', () => {
    const prefix = join(folder, 'nvm');
    for (const name of ['bin', 'lib/node_modules/npm/bin']) mkdirSync(join(prefix, name), { recursive: true });
    writeFileSync(join(prefix, 'bin/node'), '');
    writeFileSync(join(prefix, 'bin/npm'), '');
    const beside = findRuntime(join(prefix, 'bin/node'), '');
    expect(beside.mounts[0]).toEqual([join(prefix, 'bin/node'), '/opt/node/bin/node']);
    expect(beside.hostPath).toEqual([join(prefix, 'bin'), join(prefix, 'bin')]);
  });
});
