import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'yaml';
import { importTraces, parseTraceLine } from '../../../cli/import-traces.ts';
import type { ImportSummary } from '../../../cli/import-traces.ts';
import { openTraceDatabase } from '../../../cli/trace-database.ts';
import type { TraceEvent } from '../../../contracts/trace-event.ts';
import { REPOSITORY_ROOT } from '../../../platform/env.ts';
import { dual } from '../../fakes/dual.ts';
import { traceEvent } from '../../fakes/gateway-server.ts';

let dir: string;
let traceDir: string;
let database: DatabaseSync;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dual-import-'));
  traceDir = join(dir, 'traces');
  mkdirSync(traceDir);
  database = openTraceDatabase(join(dir, 'traces.db'));
});
afterEach(() => {
  database.close();
  rmSync(dir, { recursive: true, force: true });
});

const lineOf = (event: TraceEvent): string => `${JSON.stringify(event)}\n`;
const lines = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => lineOf(traceEvent(from + i))).join('');
const write = (name: string, text: string): void => writeFileSync(join(traceDir, name), text);
const append = (name: string, text: string): void => appendFileSync(join(traceDir, name), text);
const run = (chunkBytes?: number): Promise<ImportSummary> =>
  importTraces({ traceDir, database, signal: new AbortController().signal, ...(chunkBytes ? { chunkBytes } : {}) });
const all = (sql: string): Record<string, unknown>[] => database.prepare(sql).all();
const count = (table: string): number => Number(all(`SELECT count(*) AS n FROM ${table}`)[0]?.['n']);

describe('importTraces', () => {
  it('takes each event once, and only what is new the next time', async () => {
    write('2026-11-25.worker.1-a.jsonl', lines(0, 10));
    write('2026-11-25.gateway.2-b.jsonl', lines(5, 15));
    expect(await run()).toEqual({ files: 2, events: 15, repeated: 5, unreadable: 0 });
    expect(await run()).toEqual({ files: 2, events: 0, repeated: 0, unreadable: 0 });
    append('2026-11-25.worker.1-a.jsonl', lines(15, 17));
    expect(await run()).toEqual({ files: 2, events: 2, repeated: 0, unreadable: 0 });
    expect(count('events')).toBe(17);
  });

  it('keeps every field', async () => {
    const event = traceEvent(1, {
      cost_usd: 0.25,
      input_tokens: 7,
      duration_ms: 1.5,
      payload: { 'a.b': ['ü', { c: null }] },
    });
    write('a.jsonl', lineOf(event));
    await run();
    const { payload, ...row } = all('SELECT * FROM events')[0] ?? {};
    expect({ ...row, payload: JSON.parse(String(payload)) as unknown }).toEqual(event);
  });

  it('leaves a torn tail for later', async () => {
    const whole = lineOf(traceEvent(1));
    write('a.jsonl', lines(0, 1) + whole.slice(0, 30));
    expect(await run()).toMatchObject({ events: 1, unreadable: 0 });
    append('a.jsonl', whole.slice(30));
    expect(await run()).toMatchObject({ events: 1, unreadable: 0 });
  });

  it('sets aside a line that was torn for good, says where, and reads on', async () => {
    write('a.jsonl', `${lines(0, 1)}{"v":1,"event\n${lines(1, 2)}{"v":1}\n\n${lines(2, 3)}`);
    expect(await run()).toEqual({ files: 1, events: 3, repeated: 0, unreadable: 2 });
    const [first, second] = all('SELECT * FROM import_errors ORDER BY byte_offset');
    expect(first).toMatchObject({
      file: 'a.jsonl',
      byte_offset: Buffer.byteLength(lines(0, 1)),
      line: '{"v":1,"event',
    });
    expect(first?.['reason']).toMatch(/^not valid JSON/);
    expect(second?.['reason']).toMatch(/^event_id: /);
    expect(await run()).toMatchObject({ unreadable: 0 });
  });

  it('a file without a whole line waits', async () => {
    write('a.jsonl', '{"v":1');
    write('b.jsonl', '');
    expect(await run()).toEqual({ files: 2, events: 0, repeated: 0, unreadable: 0 });
    expect(count('files')).toBe(0);
  });

  it('survives rotation: renamed, cut off and begun anew, copied', async () => {
    write('a.jsonl', lines(0, 5));
    await run();
    renameSync(join(traceDir, 'a.jsonl'), join(traceDir, 'a-old.jsonl'));
    write('a.jsonl', lines(5, 8));
    expect(await run()).toMatchObject({ events: 3 });
    truncateSync(join(traceDir, 'a.jsonl'));
    append('a.jsonl', lines(8, 20));
    expect(await run()).toMatchObject({ events: 12 });
    copyFileSync(join(traceDir, 'a.jsonl'), join(traceDir, 'a-copy.jsonl'));
    expect(await run()).toMatchObject({ events: 0, repeated: 12 });
    expect(count('events')).toBe(20);
  });

  it('two files whose first line is the same event are two files', async () => {
    write('a.jsonl', lines(0, 3));
    write('b.jsonl', lines(0, 1) + lines(10, 12));
    expect(await run()).toMatchObject({ events: 5, repeated: 1 });
  });

  it('passes over a line that is far too long', async () => {
    write('a.jsonl', `${lines(0, 1)}"${'x'.repeat(17 * 1024 * 1024)}"\n${lines(1, 2)}`);
    expect(await run()).toMatchObject({ events: 2, unreadable: 1 });
    expect(all('SELECT reason FROM import_errors')[0]?.['reason']).toMatch(/^a line of \d+ bytes/);
  });

  it('does not mind a missing folder', async () => {
    rmSync(traceDir, { recursive: true });
    expect(await run()).toEqual({ files: 0, events: 0, repeated: 0, unreadable: 0 });
  });

  it('two imports at once lose and double nothing', async () => {
    write('a.jsonl', lines(0, 500));
    const other = openTraceDatabase(join(dir, 'traces.db'));
    try {
      const signal = new AbortController().signal;
      const sums = await Promise.all([
        run(5_000),
        importTraces({ traceDir, database: other, signal, chunkBytes: 5_000 }),
      ]);
      expect(sums.reduce((sum, { events }) => sum + events, 0)).toBe(500);
      expect(count('events')).toBe(500);
    } finally {
      other.close();
    }
  });

  it('stops when asked to, at the end of a chunk, and goes on from there', async () => {
    write('a.jsonl', lines(0, 200));
    const stop = AbortSignal.abort(new Error('interrupted'));
    await expect(importTraces({ traceDir, database, signal: stop, chunkBytes: 5_000 })).rejects.toThrow('interrupted');
    const before = count('events');
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThan(200);
    expect((await run()).events).toBe(200 - before);
  });

  it('however the lines and the reading are cut, distinct events are rows', async () => {
    const piece = fc.oneof(
      fc.integer({ min: 0, max: 40 }).map((n) => lineOf(traceEvent(n))),
      fc.constantFrom('\n', 'garbage\n', '{"v":1}\n', '\u2028\n', 'ü'.repeat(50) + '\n'),
    );
    let file = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(piece, { maxLength: 12 }), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 16, max: 2_000 }),
        async (batches, chunkBytes) => {
          const name = `p${file++}.jsonl`;
          database.exec('DELETE FROM events; DELETE FROM files; DELETE FROM bad_lines');
          rmSync(traceDir, { recursive: true });
          mkdirSync(traceDir);
          for (const batch of batches) {
            append(name, batch.join(''));
            await run(chunkBytes);
          }
          const ids = readFileSync(join(traceDir, name), 'utf8')
            .split('\n')
            .map((line) => (line ? parseTraceLine(line) : { problem: '' }))
            .flatMap((parsed) => ('event' in parsed ? parsed.event.event_id : []));
          expect(all('SELECT event_id FROM events ORDER BY event_id').map((row) => row['event_id'])).toEqual(
            [...new Set(ids)].sort(),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it('any line is an event or has a reason', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
        const parsed = parseTraceLine(line);
        expect('event' in parsed || parsed.problem !== '').toBe(true);
      }),
    );
  });
});

describe('the database', () => {
  it('says what to do about a file that is none', async () => {
    const path = join(dir, 'other.db');
    writeFileSync(path, 'this is no database, whatever its name says '.repeat(50));
    const { code, err } = await dual(['traces', 'import'], { env: { TRACE_SQLITE_PATH: path, TRACE_DIR: traceDir } });
    expect(code).toBe(1);
    expect(err).toContain('name another with TRACE_SQLITE_PATH');
  });

  it('of a newer version is left alone', () => {
    database.exec('PRAGMA user_version = 99');
    expect(() => openTraceDatabase(join(dir, 'traces.db'))).toThrow(/newer version/);
  });

  it('is made where it is missing, and the command says how to open it', async () => {
    write('a.jsonl', `${lines(0, 3)}garbage\n`);
    const env = { TRACE_SQLITE_PATH: join(dir, 'new/folder/t.db'), TRACE_DIR: traceDir };
    const { code, out } = await dual(['traces', 'import'], { env });
    expect(code).toBe(0);
    expect(out).toMatch(/^3 new events from 1 files into .*t\.db \(0 repeated, 1 unreadable\)\n/);
    expect(out).toContain('make datasette');
    expect(JSON.parse((await dual(['traces', 'import', '--json'], { env })).out)).toEqual({
      files: 1,
      events: 0,
      repeated: 0,
      unreadable: 0,
      database: env.TRACE_SQLITE_PATH,
    });
  });
});

/** One trace: two jobs (one priced and failed, one rehearsed), and others that started nothing. */
const story = (): TraceEvent[] => {
  const other = { trace_id: 'f'.repeat(32), job_id: null };
  const second = { job_id: `${traceEvent(0).trace_id}-2`, agent: 'browser', skill: 'validate-site' };
  const none = { job_id: null, agent: null, skill: null };
  return [
    traceEvent(0, { ...none, phase: 'received', payload: { text: 'fix it and check it' } }),
    traceEvent(1, {
      ...none,
      phase: 'routed',
      payload: {
        clauses: [
          { text: 'fix it', skill: 'coding', score: 0.7, runner_up: { skill: 'fix-tests', score: 0.2 } },
          { text: 'hm', skill: null, score: 0 },
        ],
      },
    }),
    traceEvent(2, { phase: 'submitted', payload: { instruction: 'fix it' } }),
    traceEvent(3, { ...second, phase: 'submitted', payload: { instruction: 'check it' } }),
    traceEvent(4, { phase: 'running', payload: {} }),
    traceEvent(5, {
      phase: 'model_turn',
      model: 'm',
      cost_usd: 0.5,
      cost_source: 'priced',
      input_tokens: 100,
      output_tokens: 10,
    }),
    traceEvent(6, {
      phase: 'tool_call',
      error_type: 'ToolFailed',
      payload: { 'gen_ai.tool.name': 'bash', unknown: false },
    }),
    traceEvent(7, {
      phase: 'model_turn',
      model: 'm',
      cost_usd: 0.25,
      cost_source: 'priced',
      input_tokens: 50,
      output_tokens: 5,
    }),
    traceEvent(8, {
      phase: 'failed',
      error_type: 'ToolFailed',
      duration_ms: 4_000,
      cost_usd: 0.75,
      input_tokens: 150,
      payload: { message: 'it broke', branch: null },
    }),
    traceEvent(9, { ...second, phase: 'running', payload: {} }),
    traceEvent(10, {
      ...second,
      phase: 'model_turn',
      cost_usd: 0,
      cost_source: 'rehearsal',
      input_tokens: 1,
      output_tokens: 1,
    }),
    traceEvent(11, { ...second, phase: 'succeeded', payload: { message: 'all good', branch: null } }),
    traceEvent(12, { ...none, phase: 'completed', cost_usd: 0.75, payload: { outcome: 'partially_succeeded' } }),
    traceEvent(13, { ...other, phase: 'received', payload: { text: 'hello' } }),
    traceEvent(14, { ...other, phase: 'declined', payload: { utterance: 'hello', reason: 'no order' } }),
  ];
};

describe('the views', () => {
  it('tell of jobs and tasks what the events say', async () => {
    write('a.jsonl', story().map(lineOf).join(''));
    await run();
    expect(all('SELECT * FROM jobs ORDER BY job_id')).toEqual([
      expect.objectContaining({
        agent: 'coding',
        status: 'failed',
        error_type: 'ToolFailed',
        message: 'it broke',
        instruction: 'fix it',
        turns: 2,
        tool_calls: 1,
        failed_tool_calls: 1,
        input_tokens: 150,
        output_tokens: 15,
        cost_usd: 0.75,
        rehearsal: 0,
        duration_ms: 4_000,
      }),
      expect.objectContaining({ agent: 'browser', status: 'succeeded', cost_usd: 0, rehearsal: 1 }),
    ]);
    expect(all('SELECT * FROM traces ORDER BY started_at')).toEqual([
      expect.objectContaining({
        utterance: 'fix it and check it',
        status: 'partially_succeeded',
        jobs: 2,
        failed_jobs: 1,
        turns: 3,
        input_tokens: 151,
        cost_usd: 0.75,
        rehearsal: 1,
      }),
      expect.objectContaining({ utterance: 'hello', status: 'declined', jobs: 0, cost_usd: 0, completed_at: null }),
    ]);
  });

  it('an unknown price makes the sum unknown, and a question makes a job wait', async () => {
    write(
      'a.jsonl',
      [
        traceEvent(1, { phase: 'model_turn', cost_usd: 0.5, cost_source: 'priced' }),
        traceEvent(2, { phase: 'model_turn', cost_usd: null, cost_source: 'unknown' }),
        traceEvent(3, { phase: 'approval_requested', payload: { kind: 'budget' } }),
      ]
        .map(lineOf)
        .join(''),
    );
    await run();
    expect(all('SELECT status, cost_usd FROM jobs')).toEqual([{ status: 'awaiting_approval', cost_usd: null }]);
    expect(all('SELECT status, cost_usd FROM traces')).toEqual([{ status: 'running', cost_usd: null }]);
    append('a.jsonl', lineOf(traceEvent(4, { phase: 'approved' })));
    await run();
    expect(all('SELECT status FROM jobs')).toEqual([{ status: 'running' }]);
  });
});

describe('the canned queries', () => {
  interface Canned {
    databases: { traces: { queries: Record<string, { title: string; sql: string }> } };
  }
  const read = (file: string): Canned =>
    parse(readFileSync(join(REPOSITORY_ROOT, 'ops/datasette', file), 'utf8')) as Canned;
  const { queries } = read('metadata.yaml').databases.traces;

  it('are the same for both versions of Datasette', () => {
    expect(read('datasette.yaml').databases).toEqual(read('metadata.yaml').databases);
  });

  it.each(Object.entries(queries))(
    '%s runs, finds something in a full day, and has a title',
    async (_, { sql, title }) => {
      const waits = traceEvent(20, {
        job_id: `${'e'.repeat(32)}-1`,
        trace_id: 'e'.repeat(32),
        phase: 'approval_requested',
        payload: {},
      });
      write('a.jsonl', `${[...story(), waits].map(lineOf).join('')}garbage\n`);
      await run();
      const statement = database.prepare(sql);
      const rows = sql.includes(':trace_id') ? statement.all({ trace_id: traceEvent(0).trace_id }) : statement.all();
      expect(rows.length).toBeGreaterThan(0);
      expect(title.length).toBeGreaterThan(5);
      expect(sql).not.toMatch(/\b(INSERT|UPDATE|DELETE|ATTACH|PRAGMA)\b/i);
    },
  );
});
