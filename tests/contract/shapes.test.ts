import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { openTraceDatabase } from '../../cli/trace-database.ts';
import * as replies from '../../contracts/replies.ts';
import * as task from '../../contracts/task.ts';
import { TraceEvent } from '../../contracts/trace-event.ts';
import { TaskRequest, Transcript } from '../../contracts/transcript.ts';
import { createMetrics } from '../../platform/metrics.ts';

/**
 * What other programs read and write, key by key, as CONTRACTS.md writes it. Each line is a literal on purpose: a key
 * that is renamed here is missed somewhere else. A change needs an ADR.
 */
interface JsonSchema {
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: unknown;
  anyOf?: JsonSchema[];
  type?: string | string[];
}

const mayBeNull = ({ type, anyOf }: JsonSchema): boolean =>
  [type ?? []].flat().includes('null') || (anyOf ?? []).some(mayBeNull);

/** The keys of an object, in alphabetical order: `?` is a key that may be left out, `|null` a value that may be null. */
const keysOf = (schema: z.ZodType): string => {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input' }) as JsonSchema;
  return Object.entries(properties)
    .map(([name, value]) => `${name}${required.includes(name) ? '' : '?'}${mayBeNull(value) ? '|null' : ''}`)
    .sort()
    .join(' ');
};
const sorted = (keys: string): string => keys.trim().split(/\s+/).sort().join(' ');

const SHAPES: [string, z.ZodType, string][] = [
  [
    'JobResult',
    task.JobResult,
    `job_id trace_id agent skill status instruction summary error|null waiting|null branch|null artifacts
     verification|null turns input_tokens output_tokens cost_usd|null cost_source rehearsal started_at|null
     completed_at|null`,
  ],
  ['the error of a job', task.JobError, 'type message'],
  ['what a job waits for', task.Waiting, 'kind approval_id tool|null summary expires_at'],
  ['an artifact', task.ArtifactRef, 'sha256 name media_type bytes'],
  ['a verification', task.Verification, 'status command|null before|null after|null rounds'],
  ['a run of tests', task.TestRun, 'exit_code passed|null failed|null'],
  ['a dependency', task.Dependency, 'job_id when'],
  [
    'TaskResult',
    task.TaskResult,
    `trace_id status utterance summary jobs input_tokens output_tokens cost_usd|null artifacts started_at|null
     completed_at|null`,
  ],
  [
    'TraceEvent',
    TraceEvent,
    `v event_id ts seq trace_id span_id parent_span_id|null job_id|null workflow_id|null run_id|null attempt|null phase
     agent|null skill|null provider|null model|null input_tokens|null output_tokens|null cache_read_tokens|null
     cache_write_tokens|null cost_usd|null cost_source|null price_version|null duration_ms|null error_type|null payload`,
  ],
  ['a transcript', Transcript, 'text is_final latency_ms? timestamp? utterance_id? session_id? sequence? revision?'],
  ['a task request', TaskRequest, 'utterance metadata? context?'],
  ['the reply to a partial', replies.PartialReply, 'status'],
  ['AcceptedReply', replies.AcceptedReply, 'status trace_id workflow_id jobs links'],
  ['the links of an accepted reply', replies.AcceptedReply.shape.links, 'trace events temporal_ui'],
  ['a job of an accepted reply', replies.JobBrief, 'job_id agent skill instruction depends_on'],
  ['DeclinedReply', replies.DeclinedReply, 'status trace_id reason'],
  ['ClarifyReply', replies.ClarifyReply, 'status trace_id question candidates missing'],
  ['a candidate', replies.ClarifyReply.shape.candidates.element, 'skill text score'],
  ['ControlReply', replies.ControlReply, 'status trace_id action target|null outcome message'],
  [
    'a row of /traces',
    replies.TraceRow,
    'trace_id status utterance session_id|null jobs cost_usd|null started_at completed_at|null',
  ],
  ['the answer of /traces', replies.TraceListing, 'traces next|null'],
];

describe('shapes', () => {
  it.each(SHAPES)('%s, and no other keys', (_, schema, keys) => {
    expect(keysOf(schema)).toBe(sorted(keys));
    expect((z.toJSONSchema(schema, { io: 'input' }) as JsonSchema).additionalProperties).toBe(false);
  });

  it('of a problem: the members of RFC 9457, and whatever else helps', () => {
    expect(keysOf(replies.Problem)).toBe(sorted('type title status detail?'));
  });

  it('each reply is told by its status', () => {
    const statuses = [
      replies.PartialReply,
      replies.AcceptedReply,
      replies.DeclinedReply,
      replies.ClarifyReply,
      replies.ControlReply,
    ].map((schema) => [...schema.shape.status.values][0]);
    expect(statuses).toEqual(['partial_received', 'accepted', 'declined', 'clarify', 'control']);
    expect(replies.ControlReply.shape.outcome.options).toEqual(['done', 'nothing', 'ambiguous']);
  });

  it('status words of a task, a verification and a wait', () => {
    expect(task.TaskResult.shape.status.options).toEqual(
      'succeeded partially_succeeded failed cancelled pending running awaiting_approval declined clarify control'.split(
        ' ',
      ),
    );
    expect(task.Verification.shape.status.options).toEqual('passed failed not_worse unchanged no_command'.split(' '));
    expect(task.Waiting.shape.kind.options).toEqual(['approval', 'budget']);
  });
});

describe('SQLite', () => {
  let dir: string;
  let database: DatabaseSync;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'shapes-'));
    database = openTraceDatabase(join(dir, 'traces.db'));
  });
  afterAll(() => {
    database.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const columns = (name: string): { name: string; pk: number; notnull: number }[] =>
    database.prepare(`SELECT name, pk, "notnull" FROM pragma_table_info(?)`).all(name) as never;
  const names = (name: string): string =>
    columns(name)
      .map((column) => column.name)
      .join(' ');

  it('events: every key of a trace event is a column, its id the primary key', () => {
    expect(sorted(names('events'))).toBe(
      sorted(`v event_id ts seq trace_id span_id parent_span_id job_id workflow_id run_id attempt phase agent skill provider
        model input_tokens output_tokens cache_read_tokens cache_write_tokens cost_usd cost_source price_version
        duration_ms error_type payload`),
    );
    expect(columns('events').flatMap(({ name, pk }) => (pk > 0 ? [name] : []))).toEqual(['event_id']);
    expect(
      sorted(
        columns('events')
          .flatMap(({ name, notnull }) => (notnull ? [name] : []))
          .join(' '),
      ),
    ).toBe(sorted('event_id v ts seq trace_id phase payload'));
  });

  it.each([
    [
      'jobs',
      `job_id trace_id agent skill status instruction error_type message branch turns tool_calls failed_tool_calls
       input_tokens output_tokens cost_usd rehearsal started_at completed_at duration_ms`,
    ],
    [
      'traces',
      `trace_id status utterance jobs failed_jobs turns input_tokens output_tokens cost_usd rehearsal started_at
       completed_at`,
    ],
    ['import_errors', 'file byte_offset reason line found_at'],
  ])('view %s', (view, expected) => {
    expect(sorted(names(view))).toBe(sorted(expected));
  });

  it('holds these tables and views and no others', () => {
    const found = database.prepare(`SELECT type, name FROM sqlite_schema WHERE type IN ('table', 'view')`).all();
    expect(found.map(({ type, name }) => `${String(type)} ${String(name)}`).sort()).toEqual([
      'table bad_lines',
      'table events',
      'table files',
      'view import_errors',
      'view jobs',
      'view traces',
    ]);
  });
});

describe('metrics', () => {
  /** As the registry holds them; prom-client's types leave the label names out. */
  const held = createMetrics('test', '0').registry.getMetricsAsArray() as unknown as {
    name: string;
    type: string;
    labelNames: string[];
  }[];

  it('each with its labels, and no others', () => {
    expect(held.map(({ name, type, labelNames }) => `${type} ${name}{${labelNames.join(',')}}`).sort()).toEqual([
      'counter dual_orchestrator_cost_usd_total{agent,model}',
      'counter dual_orchestrator_router_decisions_total{decision}',
      'counter dual_orchestrator_tokens_total{agent,model,type}',
      'counter dual_orchestrator_trace_events_dropped_total{}',
      'counter dual_orchestrator_trace_events_total{phase}',
      'counter dual_orchestrator_transcripts_total{kind}',
      'gauge dual_orchestrator_build_info{process,version}',
      'gauge dual_orchestrator_jobs_in_flight{agent}',
      'histogram dual_orchestrator_job_duration_seconds{agent,outcome}',
      'histogram dual_orchestrator_router_seconds{}',
      'histogram dual_orchestrator_trace_write_seconds{}',
    ]);
  });

  it('a page of one process says what runs', async () => {
    const page = await createMetrics('worker', '1.2.3').registry.metrics();
    expect(page).toContain('dual_orchestrator_build_info{process="worker",version="1.2.3"} 1');
  });
});
