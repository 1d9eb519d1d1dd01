import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { DeterminismViolationError } from '@temporalio/workflow';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { bundleWorkflows } from '../../workers/bundle-workflows.ts';
import { fromRoot } from '../../platform/env.ts';

const folder = join(import.meta.dirname, 'histories');
const files = readdirSync(folder).filter((name) => name.endsWith('.json.gz'));
const read = (name: string): unknown => JSON.parse(gunzipSync(readFileSync(join(folder, name))).toString('utf8'));

let workflowBundle: { codePath: string };
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  workflowBundle = await bundleWorkflows(fromRoot('.cache'));
});

describe('every history ever recorded', () => {
  it('covers the paths a job can take', () => {
    for (const path of [
      'two-jobs',
      'depends-on',
      'approvals-budget-steer',
      'budget-exceeded',
      'lost-session-and-verification',
      'cancelled',
      'failed',
      'long',
    ])
      expect(files.some((file) => file.includes(`.${path}.`))).toBe(true);
  });

  it.each(files)('%s replays with the workflows as they are', async (name) => {
    await Worker.runReplayHistory({ workflowBundle }, read(name));
  });

  it('is not replayed by workflows that do something else (this test can fail)', async () => {
    const name = files.find((file) => file.includes('two-jobs.job-1')) ?? '';
    const changed = JSON.parse(JSON.stringify(read(name)).replaceAll('"modelTurn"', '"modelTurnOfOld"')) as unknown;
    await expect(Worker.runReplayHistory({ workflowBundle }, changed)).rejects.toThrow(DeterminismViolationError);
  });

  it('can be read at all: a second protobufjs breaks this without a word', () => {
    expect(historyToJSON({ events: [] })).toContain('{');
    expect(historyFromJSON({ events: [] }).events).toEqual([]);
  });
});
