import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { SEARCH_ATTRIBUTES } from '../../contracts/names.ts';
import { REPOSITORY_ROOT } from '../../platform/env.ts';

/** The `temporal` binary that set-up found. @throws when there is none: every test that needs it fails, none is skipped. */
export const temporalCli = (): string => {
  const found = join(REPOSITORY_ROOT, '.toolchain/found.json');
  const candidates = [
    process.env['TEMPORAL_CLI_PATH'],
    existsSync(found) ? (JSON.parse(readFileSync(found, 'utf8')) as { temporal?: string }).temporal : undefined,
    join(REPOSITORY_ROOT, '.toolchain/bin/temporal'),
  ];
  const path = candidates.find((candidate) => candidate !== undefined && existsSync(candidate));
  if (!path) throw new Error('no Temporal CLI: run make test, which sets it up');
  return path;
};

/** A real dev server of one's own on a free port, in memory, tuned as `make dev` does, with our search attributes. */
export const startTemporal = (): Promise<TestWorkflowEnvironment> =>
  TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path: temporalCli() },
      extraArgs: ['--dynamic-config-value', 'history.transferProcessorMaxPollRPS=1000'],
      searchAttributes: Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) =>
        type === 'DOUBLE'
          ? defineSearchAttributeKey(name, SearchAttributeType.DOUBLE)
          : defineSearchAttributeKey(name, SearchAttributeType.KEYWORD),
      ),
    },
  });
