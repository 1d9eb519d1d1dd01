import { z } from 'zod';
import type { ArtifactStore } from '../../platform/artifacts.ts';
import { sha256Of } from '../../platform/artifacts.ts';
import type { Recipe } from './recipe.ts';
import type { Sandbox } from './sandbox.ts';

/** What a command may do beyond the workspace. */
export interface Reach {
  /** The sandbox lets it onto the network. */
  network: boolean;
  /** It may leave something behind that no reset takes back: it is tried once. */
  lasting: boolean;
}

/** Whether the operator lets this recipe's `deploy` command reach the network: by naming it, or by `*`. */
export const mayDeploy = ({ deploy }: Pick<Recipe, 'deploy'>, allow: readonly string[]): boolean =>
  deploy !== undefined && (allow.includes('*') || allow.includes(deploy));

/**
 * The recipe's `deploy` command, where CODING_DEPLOY_ALLOW names it (or `*`), reaches the network. Single addresses
 * (`network`) cannot be let through by the sandbox; without a sandbox every command reaches them, and counts as lasting.
 */
export const reachOf = (
  command: string,
  recipe: Recipe,
  sandbox: Sandbox,
  allow: { network: readonly string[]; deploy: readonly string[] },
): Reach => {
  const deploy = command.trim() === recipe.deploy?.trim() && mayDeploy(recipe, allow.deploy);
  const open = sandbox.kind === 'off' && recipe.network.some((target) => allow.network.includes(target));
  return { network: deploy, lasting: deploy || open };
};

/** What is known of an effect after it was tried. */
export const Effect = z.strictObject({
  text: z.string(),
  summary: z.string(),
  is_error: z.boolean(),
  /** Checkpoint right after it: a reset must not take back what it brought into the workspace. */
  checkpoint: z.string(),
});
export type Effect = z.infer<typeof Effect>;

/**
 * Claims on effects that cannot be taken back, in the artifact store: durable, shared by all hosts, and only the first
 * to claim gets it. A claim without an outcome means that nobody knows whether it happened.
 */
export interface EffectClaims {
  /** `mine`: do it now. `done`: it was done, this came of it. `unknown`: it was tried and may have happened. */
  take(call: string): Promise<{ state: 'mine' } | { state: 'done'; effect: Effect } | { state: 'unknown' }>;
  settle(call: string, effect: Effect): Promise<void>;
}

/** Claims of one turn; `call` is what was called, place in the batch included. */
export const createEffectClaims = (artifacts: ArtifactStore, jobId: string, turn: number): EffectClaims => {
  const keyOf = (call: string): string => `effects/${jobId}-t${turn}-${sha256Of(call).slice(0, 32)}`;
  return {
    take: async (call) => {
      if (await artifacts.claimRef(keyOf(call), { call: sha256Of(call) })) return { state: 'mine' };
      const settled = Effect.safeParse(await artifacts.getRef(`${keyOf(call)}-done`));
      return settled.success ? { state: 'done', effect: settled.data } : { state: 'unknown' };
    },
    settle: (call, effect) => artifacts.setRef(`${keyOf(call)}-done`, effect),
  };
};
