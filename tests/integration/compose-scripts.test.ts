import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { REPOSITORY_ROOT } from '../../platform/env.ts';
import { freePorts } from '../../platform/ports.ts';

/** The scripts of the compose file's one-shot services, run natively where their tools exist. */
const script = (name: string): string => join(REPOSITORY_ROOT, 'ops', 'temporal', name);
const temporal = process.env['TEMPORAL_CLI_PATH'] ?? 'temporal';
const PATH = `${dirname(temporal)}${delimiter}${process.env['PATH'] ?? ''}`;

interface Ended {
  code: number | null;
  output: string;
}
const run = (file: string, args: string[], environment: Record<string, string> = {}): Promise<Ended> =>
  new Promise((resolve) => {
    const child = spawn(file, args, {
      env: { ...process.env, PATH, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('close', (code) => resolve({ code, output }));
  });
const freePort = async (): Promise<number> => (await freePorts(1, '127.0.0.1'))[0] ?? 0;
const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.on('close', () => resolve());
  });

describe('prepare-namespace.sh on a real server', () => {
  let server: ChildProcess;
  let address = '';
  let firstRun: Promise<Ended>;
  const prepare = (namespace: string): Promise<Ended> =>
    run('/bin/sh', [script('prepare-namespace.sh')], {
      TEMPORAL_ADDRESS: address,
      TEMPORAL_NAMESPACE: namespace,
      TRIES: '60',
    });
  const cli = (...args: string[]): Promise<Ended> => run(temporal, [...args, '--address', address]);

  beforeAll(async () => {
    const port = await freePort();
    address = `127.0.0.1:${port}`;
    // The script comes first, as it may in containers: it waits for a server.
    firstRun = prepare('voice');
    server = spawn(temporal, ['server', 'start-dev', '--headless', '--ip', '127.0.0.1', '--port', String(port)], {
      stdio: 'ignore',
    });
  });
  afterAll(async () => {
    server.kill('SIGTERM');
    await ended(server);
  });

  it('waits for the server, makes the namespace and registers every search attribute', async () => {
    const { code, output: said } = await firstRun;
    expect([code, said]).toEqual([0, expect.stringContaining('namespace voice ready')]);
    expect((await cli('operator', 'namespace', 'describe', '--namespace', 'voice')).output).toMatch(
      /WorkflowExecutionRetentionTtl\s+720h/,
    );
    const { output } = await cli('operator', 'search-attribute', 'list', '--namespace', 'voice');
    for (const name of ['TraceId', 'SessionId', 'Agent', 'Outcome', 'Utterance'])
      expect(output).toMatch(new RegExp(`${name}\\s+Keyword`));
    expect(output).toMatch(/CostUsd\s+Double/);
  }, 60_000);

  it('changes nothing when it runs again, and lengthens the retention of an old namespace', async () => {
    expect((await prepare('voice')).code).toBe(0);
    expect((await prepare('default')).code).toBe(0);
    expect((await cli('operator', 'namespace', 'describe', '--namespace', 'default')).output).toMatch(
      /WorkflowExecutionRetentionTtl\s+720h/,
    );
  }, 60_000);

  it('says so when a search attribute has another type', async () => {
    expect((await cli('operator', 'namespace', 'create', '--namespace', 'taken')).code).toBe(0);
    const create = [
      'operator',
      'search-attribute',
      'create',
      '--namespace',
      'taken',
      '--name',
      'Agent',
      '--type',
      'Int',
    ];
    let made = await cli(...create);
    for (let tries = 0; made.code !== 0 && tries < 100; tries++) made = await cli(...create);
    expect(made.code).toBe(0);
    const refused = await prepare('taken');
    expect(refused.code).toBe(1);
    expect(refused.output).toContain('search attribute Agent is Int on this server, not Keyword');
  }, 60_000);
});

/** Debian keeps PostgreSQL's programs outside PATH. */
const programs = (names: string[]): string | null => {
  const look =
    'for d in $(echo "$PATH" | tr : " ") /usr/lib/postgresql/*/bin; do [ -x "$d/$1" ] && echo "$d" && exit; done';
  const places = names.map((name) =>
    spawnSync('/bin/sh', ['-c', look, 'sh', name], { encoding: 'utf8' }).stdout.trim(),
  );
  return places.every(Boolean) ? [...new Set(places)].join(delimiter) : null;
};
const needed = programs(['temporal-sql-tool', 'initdb', 'pg_ctl', 'psql']);

/** Skipped, and counted as such, where there is no temporal-sql-tool or PostgreSQL. */
(needed ? describe : describe.skip)('prepare-schema.sh on a real PostgreSQL (needs temporal-sql-tool, initdb)', () => {
  let folder = '';
  let port = 0;
  const path = { PATH: `${needed ?? ''}${delimiter}${PATH}` };
  // PostgreSQL refuses to run as root.
  const asPostgres = (command: string): Promise<Ended> =>
    process.getuid?.() === 0
      ? run('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', 'sh', '-c', command], path)
      : run('sh', ['-c', command], path);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dual-postgres-'));
    port = await freePort();
    if (process.getuid?.() === 0) await run('chown', ['65534:65534', folder]);
    const made = await asPostgres(`initdb -D ${folder}/data -U temporal -A trust >/dev/null`);
    expect(made).toEqual({ code: 0, output: '' });
    const options = `-c listen_addresses=127.0.0.1 -c port=${port} -c unix_socket_directories=${folder} -c fsync=off`;
    const started = await asPostgres(`pg_ctl -D ${folder}/data -w -l ${folder}/log -o '${options}' start >/dev/null`);
    expect(started).toEqual({ code: 0, output: '' });
  }, 60_000);
  afterAll(async () => {
    await asPostgres(`pg_ctl -D ${folder}/data -m immediate -w stop`);
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  it('makes both databases with the schema of this server, and again without harm', async () => {
    const prepare = (): Promise<Ended> =>
      run('/bin/sh', [script('prepare-schema.sh')], {
        ...path,
        POSTGRES_SEEDS: '127.0.0.1',
        DB_PORT: String(port),
        POSTGRES_USER: 'temporal',
        SQL_PASSWORD: 'any',
      });
    const versions = (): Promise<Ended[]> =>
      Promise.all(
        ['temporal', 'temporal_visibility'].map((database) =>
          run(
            'psql',
            [
              '-h',
              '127.0.0.1',
              '-p',
              String(port),
              '-U',
              'temporal',
              '-d',
              database,
              '-Atc',
              'select curr_version from schema_version',
            ],
            path,
          ),
        ),
      );
    const first = await prepare();
    expect([first.code, first.output]).toEqual([0, expect.stringContaining('schema ready')]);
    const before = await versions();
    for (const { output } of before) expect(output.trim()).toMatch(/^1\.\d+$/);
    expect((await prepare()).code).toBe(0);
    expect(await versions()).toEqual(before);
  }, 120_000);
});
