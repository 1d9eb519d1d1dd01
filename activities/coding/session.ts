import { join } from 'node:path';
import { z } from 'zod';
import { Sha256 } from '../../contracts/task.ts';
import { ProcessId } from './processes.ts';
import { Recipe } from './recipe.ts';

const GitId = z.string().regex(/^[0-9a-f]{40,64}$/);

/** `session.json`: written once when a session is complete, outside everything that is reset. */
export const SessionRecord = z.strictObject({
  v: z.literal(1),
  session_id: z.string(),
  job_id: z.string(),
  generation: z.number().int(),
  /** Milliseconds since the epoch. */
  opened_at: z.number(),
  repository_root: z.string(),
  /** What the job's changes are measured against; parent of its commit. */
  base_commit: GitId,
  /** The tree the model found: the base, or what the recipe's setup made of it. */
  start_tree: GitId,
  start_checkpoint: Sha256,
  /** Commits of the user's own that everything here builds on. */
  roots: z.array(GitId),
  /** Submodules: left alone, never looked into. */
  gitlinks: z.array(z.string()),
  objects: z.array(z.string()),
  shares: z.array(z.strictObject({ source: z.string(), path: z.string() })),
  recipe: Recipe,
  verify_command: z.string().nullable(),
  /** Said to the model with its first tool result. */
  notices: z.array(z.string()),
});
export type SessionRecord = z.infer<typeof SessionRecord>;

/** A session and where its pieces lie. */
export interface Session {
  record: SessionRecord;
  dir: string;
  gitDir: string;
}

export const sessionAt = (dir: string, record: SessionRecord): Session => ({ record, dir, gitDir: join(dir, 'git') });

/** One attempt at one turn: the newest wins. */
export interface Order {
  turn: number;
  attempt: number;
}

export const isOlder = (a: Order, b: Order): boolean => a.turn < b.turn || (a.turn === b.turn && a.attempt < b.attempt);

/** `state.json` of a workspace: who works in it, and whether it is what its checkpoint says. */
export const WorkspaceState = z.strictObject({
  v: z.literal(1),
  turn: z.number().int(),
  attempt: z.number().int(),
  /** `running`: somebody works, or died at it: nothing can be said about the tree. */
  phase: z.enum(['running', 'clean']),
  checkpoint: Sha256,
  tree: GitId,
  /** The worker process that holds it, and the process group of the command it runs. */
  holder: ProcessId,
  group: ProcessId.nullable(),
  /** Finished batches so far, in this workspace and those before it. */
  batches: z.number().int(),
});
export type WorkspaceState = z.infer<typeof WorkspaceState>;

/** The checkpoint artifact of a coding session. */
export const CodingCheckpoint = z.strictObject({
  v: z.literal(1),
  kind: z.literal('coding'),
  base_commit: GitId,
  /** SHA-256 of the patch artifact from the base to `tree`; null: no change. */
  patch: Sha256.nullable(),
  tree: GitId,
});
export type CodingCheckpoint = z.infer<typeof CodingCheckpoint>;

/** Branch a job's work ends on, in the user's repository. */
export const branchOf = (jobId: string): string => `dual/${jobId}`;
