import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { SEARCH_ATTRIBUTES } from '../../../contracts/names.ts';
import {
  compareSearchAttributes,
  devServerArgs,
  findTemporalCli,
  minorOf,
  prepareDatabase,
  readFound,
} from '../../../dev/temporal.ts';

const dir = mkdtempSync(join(tmpdir(), 'dual-temporal-'));
afterAll(() => rmSync(dir, { recursive: true }));

describe('the Temporal CLI', () => {
  it('is looked for in the variable, then in what set-up found, then on PATH', () => {
    mkdirSync(join(dir, 'bin'));
    for (const name of ['bin/temporal', 'found']) writeFileSync(join(dir, name), '');
    const PATH = `/nowhere:${join(dir, 'bin')}`;
    expect(findTemporalCli({ TEMPORAL_CLI_PATH: '/named', PATH }, { temporal: join(dir, 'found') })).toBe('/named');
    expect(findTemporalCli({ PATH }, { temporal: join(dir, 'found') })).toBe(join(dir, 'found'));
    expect(findTemporalCli({ PATH }, { temporal: join(dir, 'gone') })).toBe(join(dir, 'bin/temporal'));
  });

  it('reads what set-up found, and nothing before set-up ran', () => {
    const file = join(dir, 'found.json');
    expect(readFound(file)).toEqual({});
    writeFileSync(file, '{"node":"/n","temporal":"/t","chromium":"/c","bwrap":null}');
    expect(readFound(file)).toEqual({ temporal: '/t', chromium: '/c', bwrap: null });
  });

  it('names the database by minor version', () => {
    expect(minorOf('temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)')).toBe('1.9');
    expect(() => minorOf('something else')).toThrow(/does not tell its version/);
  });
});

describe('the dev server', () => {
  it('is tuned, loopback-bound and durable', () => {
    const line = devServerArgs({ port: 7233, metricsPort: 9233, databaseFile: '/d/t.db', namespace: 'default' }).join(
      ' ',
    );
    for (const part of [
      'server start-dev --ip 127.0.0.1',
      '--port 7233 --ui-port 8233 --metrics-port 9233',
      '--db-filename /d/t.db --sqlite-pragma journal_mode=wal --sqlite-pragma synchronous=1',
      '--ui-disable-news-fetch',
      '--dynamic-config-value history.transferProcessorMaxPollRPS=1000',
    ])
      expect(line).toContain(part);
  });

  it('has no file and no pragma in memory', () => {
    const args = devServerArgs({ port: 7233, metricsPort: 9233, databaseFile: null, namespace: 'default' });
    expect(args.join(' ')).not.toMatch(/db-filename|pragma/);
  });

  it('makes the folder of its database, and refuses a database another process has open', () => {
    const file = join(dir, 'deep/er/t.db');
    prepareDatabase(file);
    expect(existsSync(join(dir, 'deep/er'))).toBe(true);
    const fd = openSync(file, 'w');
    try {
      if (process.platform === 'linux')
        expect(() => prepareDatabase(file)).toThrow(new RegExp(`in use by process ${process.pid} .*TEMPORAL_DB_FILE`));
    } finally {
      closeSync(fd);
    }
    expect(() => prepareDatabase(file)).not.toThrow();
  });
});

describe('search attributes', () => {
  const listed = (change: Record<string, string> = {}): string =>
    JSON.stringify({
      customAttributes: {
        ...Object.fromEntries(
          Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) => [name, `INDEXED_VALUE_TYPE_${type}`]),
        ),
        ...change,
      },
    });

  it('are well when each is there with its type', () => {
    expect(compareSearchAttributes(listed())).toEqual([]);
    expect(compareSearchAttributes(listed({ Other: 'INDEXED_VALUE_TYPE_INT' }))).toEqual([]);
  });

  it('are named when missing or of another type', () => {
    expect(compareSearchAttributes('{"systemAttributes":{}}')).toHaveLength(Object.keys(SEARCH_ATTRIBUTES).length);
    expect(compareSearchAttributes(listed({ CostUsd: 'INDEXED_VALUE_TYPE_KEYWORD' }))).toEqual([
      'search attribute CostUsd has type KEYWORD, not DOUBLE: use another database',
    ]);
  });
});
