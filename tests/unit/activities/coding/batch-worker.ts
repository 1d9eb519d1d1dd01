/** A worker of its own for one batch, to be killed or frozen by a test: `node batch-worker.ts <JSON>`. */
import { createCodingEnvironment } from '../../../../activities/coding/index.ts';
import type { ToolBatch } from '../../../../activities/environment.ts';
import { createArtifactStore } from '../../../../platform/artifacts.ts';
import { createLog } from '../../../../platform/log.ts';
import { control } from './coding-fixture.ts';

export interface BatchWork {
  repository: string;
  dataDir: string;
  artifacts: string;
  sandbox: 'bubblewrap' | 'off';
  attempt: number;
  batch: ToolBatch;
}

const work = JSON.parse(process.argv[2] ?? '') as BatchWork;
const environment = await createCodingEnvironment({
  repository: work.repository,
  dataDir: work.dataDir,
  sandbox: work.sandbox,
  bwrapPath: null,
  artifacts: createArtifactStore(work.artifacts),
  log: createLog('batch-worker', (text) => text, 'error'),
  scrub: (text) => text,
  networkAllow: [],
  deployAllow: [],
});
try {
  const { checkpoint } = await environment.runTools(work.batch, control(work.attempt));
  console.log(JSON.stringify({ checkpoint }));
} catch (error) {
  console.log(JSON.stringify({ error: error instanceof Error ? error.message : String(error) }));
}
