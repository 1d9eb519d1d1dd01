import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createCodingEnvironment } from '../../../../activities/coding/index.ts';
import type { CodingEnvironmentOptions } from '../../../../activities/coding/index.ts';
import type {
  BatchResult,
  ClosedSession,
  Control,
  Environment,
  OpenedSession,
} from '../../../../activities/environment.ts';
import type { ToolCall, ToolResult } from '../../../../activities/models/model.ts';
import { JobPlan } from '../../../../contracts/agent.ts';
import { createArtifactStore } from '../../../../platform/artifacts.ts';
import type { ArtifactStore } from '../../../../platform/artifacts.ts';
import { createScrub } from '../../../../platform/secrets.ts';
import { createLog } from '../../../../platform/log.ts';

export const TRACE = 'a'.repeat(32);
export const JOB = `${TRACE}-1`;

export const PLAN = JobPlan.parse({
  v: 1,
  skill: { name: 'coding', version: 1, description: 'change code' },
  agent: {
    name: 'coding',
    version: 1,
    environment: 'coding',
    model: { provider: 'anthropic', name: null, max_output_tokens: 1000 },
    instructions: ['agents/coding.md'],
    tools: ['editor', 'bash', 'search', 'report'],
    limits: { max_turns: 10, max_cost_usd: 1, timeout_ms: 60_000 },
    verify: { max_rounds: 1 },
  },
  instructions: 'Change the code.',
  utterance: 'change the code',
  instruction: 'change the code\nand more words',
  parameters: {},
  targets: [],
  context: '',
});

/** git as the user runs it: with the configuration of the repository, away from this machine's own. */
export const git = (cwd: string, ...args: string[]): string =>
  execFileSync('git', args, {
    cwd,
    encoding: 'utf8',
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: cwd,
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_AUTHOR_NAME: 'user',
      GIT_AUTHOR_EMAIL: 'user@example.com',
      GIT_COMMITTER_NAME: 'user',
      GIT_COMMITTER_EMAIL: 'user@example.com',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trimEnd();

export const makeFolder = (): string => realpathSync(mkdtempSync(join(tmpdir(), 'dual-coding-')));

/** Files by path; a value with `#!` at its start is made executable. */
export const writeFiles = (root: string, files: Record<string, string | Buffer>): void => {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
    if (content.toString().startsWith('#!')) chmodSync(join(root, path), 0o755);
  }
};

/** A repository of the user's with one commit. */
export const makeRepository = (root: string, files: Record<string, string | Buffer>): string => {
  mkdirSync(root, { recursive: true });
  git(root, 'init', '-q', '-b', 'main');
  writeFiles(root, files);
  git(root, 'add', '-A');
  git(root, 'commit', '-q', '-m', 'first');
  return git(root, 'rev-parse', 'HEAD');
};

/** Everything about the user's checkout that a job may not change. */
export const stateOf = (root: string): Record<string, string> => ({
  head: git(root, 'rev-parse', 'HEAD'),
  branch: git(root, 'symbolic-ref', 'HEAD'),
  status: git(root, 'status', '--porcelain=v2', '--untracked-files=all'),
  stash: git(root, 'stash', 'list'),
  config: git(root, 'config', '--local', '--list'),
  worktrees: git(root, 'worktree', 'list'),
  files: readdirSync(root).sort().join(' '),
});

export interface Rig {
  folder: string;
  repository: string;
  dataDir: string;
  artifacts: ArtifactStore;
  logged: string[];
  create(options?: Partial<CodingEnvironmentOptions>): Promise<Environment>;
  dispose(): Promise<void>;
}

/** A secret of the worker's, as it would be in its environment. */
export const SECRET_OF_OURS = 'worker-secret-0123456789';

/** A folder of its own with a repository, a data directory and an artifact store; `create` starts a worker's half. */
export const createRig = (files: Record<string, string | Buffer>): Rig => {
  const folder = makeFolder();
  const repository = join(folder, 'repository');
  makeRepository(repository, files);
  const artifacts = createArtifactStore(join(folder, 'artifacts'));
  const logged: string[] = [];
  const environments: Environment[] = [];
  const rig: Rig = {
    folder,
    repository,
    dataDir: join(folder, 'sessions'),
    artifacts,
    logged,
    create: async (options = {}) => {
      const environment = await createCodingEnvironment({
        repository,
        dataDir: rig.dataDir,
        sandbox: 'bubblewrap',
        bwrapPath: null,
        artifacts,
        log: createLog(
          'test',
          (text) => text,
          'info',
          (line) => void logged.push(line),
        ),
        scrub: createScrub([SECRET_OF_OURS]),
        networkAllow: [],
        deployAllow: [],
        ...options,
      });
      environments.push(environment);
      return environment;
    },
    dispose: async () => {
      for (const environment of environments) await environment.dispose();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return rig;
};

export const control = (attempt = 1, signal: AbortSignal = new AbortController().signal): Control => ({
  signal,
  attempt,
  progress: () => undefined,
});

export const openJob = (
  environment: Environment,
  about: {
    jobId?: string;
    generation?: number;
    checkpoint?: string | null;
    baseCommits?: string[];
    attempt?: number;
  } = {},
): Promise<OpenedSession> =>
  environment.open(
    {
      traceId: TRACE,
      jobId: about.jobId ?? JOB,
      plan: PLAN,
      generation: about.generation ?? 1,
      checkpoint: about.checkpoint ?? null,
      baseCommits: about.baseCommits ?? [],
    },
    control(about.attempt),
  );

let calls = 0;
export const call = (name: string, input: Record<string, unknown>): ToolCall => ({
  id: `call-${(calls += 1)}`,
  name,
  input,
  confirm: null,
});
export const bash = (command: string): ToolCall => call('bash', { command });
export const edit = (input: Record<string, unknown>): ToolCall => call('str_replace_based_edit_tool', input);

export const runCalls = (
  environment: Environment,
  session: { sessionId: string; checkpoint: string | null },
  turn: number,
  batch: ToolCall[],
  about: { attempt?: number; jobId?: string; signal?: AbortSignal } = {},
): Promise<BatchResult> =>
  environment.runTools(
    {
      sessionId: session.sessionId,
      jobId: about.jobId ?? JOB,
      turn,
      calls: batch,
      confirmed: [],
      checkpoint: session.checkpoint,
    },
    control(about.attempt, about.signal),
  );

export const closeJob = (
  environment: Environment,
  session: { sessionId: string; checkpoint: string | null },
  outcome: 'succeeded' | 'failed' | 'cancelled' = 'succeeded',
  jobId: string = JOB,
): Promise<ClosedSession> =>
  environment.close(
    { sessionId: session.sessionId, jobId, plan: PLAN, checkpoint: session.checkpoint, outcome },
    control(),
  );

export const textOf = (result: ToolResult | undefined): string =>
  (result?.content ?? []).map((part) => (part.type === 'text' ? part.text : '')).join('');

/** Folders of open sessions on disk. */
export const sessionsOnDisk = (rig: Rig): string[] => readdirSync(join(rig.dataDir, 'coding', 'open'));

/** Waits until `condition` holds. @throws when it does not within `withinMs`. */
export const until = async (condition: () => boolean, withinMs = 10_000): Promise<void> => {
  for (const giveUpAt = Date.now() + withinMs; !condition();) {
    if (Date.now() > giveUpAt) throw new Error('the condition did not come true');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};
