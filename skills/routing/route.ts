import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import type { Registry, RegistrySnapshot } from '../registry.ts';
import type { Target } from '../targets.ts';
import { decide, declined } from './decide.ts';
import type { Embedder } from './embedder.ts';
import { RULES, learn } from './learn.ts';
import type { Learnt } from './learn.ts';
import type { RouteResult } from './router.ts';
import { logTraining } from './training.ts';
import type { TrainedRouter } from './training.ts';

export interface RouterOptions {
  registry: Pick<Registry, 'current' | 'onChange'>;
  /** Sites with names of their own; default: none. */
  targets?: readonly Target[];
  /** Lines that are no order; default: the shipped ones. */
  noneLines?: readonly string[];
  /** A second scorer by sentence vectors; default: none. */
  embedder?: Embedder;
  /** Told after each learning how well the skills are told apart; default: nobody. */
  log?: Pick<Log, 'info' | 'warn'>;
}

/** Lines that are no order, one each; `#` starts a comment line. */
export const parseNoneLines = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));

/**
 * A router over the registry's skills. It follows the registry's changes: while it learns the new skills the old ones
 * answer. The first `route` waits until it has learnt.
 */
export const createRouter = (options: RouterOptions): TrainedRouter => {
  const { registry, targets = [], log, embedder } = options;
  const noneLines =
    options.noneLines ?? parseNoneLines(readFileSync(join(import.meta.dirname, 'none-lines.txt'), 'utf8'));
  let vectors: Promise<void> = Promise.resolve();
  const study = async (from: RegistrySnapshot): Promise<Learnt> => {
    const learnt = await learn({ snapshot: from, noneLines, targets, embedder });
    if (log) logTraining(log, learnt.training);
    // They take seconds; until then words alone decide.
    vectors = learnt
      .learnVectors()
      .catch((error: unknown) => log?.warn({ error: messageOf(error) }, 'no sentence vectors for the skills'));
    return learnt;
  };
  let snapshot = registry.current();
  let latest: Learnt | undefined;
  let ready = study(snapshot).then((learnt) => (latest ??= learnt));
  ready.catch(() => undefined); // each `route` says it
  registry.onChange((next) => {
    if (next.version === snapshot.version) return;
    snapshot = next;
    const following = study(next).then((learnt) => {
      if (snapshot === next) latest = learnt;
      return learnt;
    });
    following.catch(() => undefined);
    ready = following;
  });

  return {
    get version() {
      return latest?.version ?? `${RULES}-untrained`;
    },
    training: async () => {
      const { training } = await ready;
      await vectors;
      return training;
    },
    route: async (text, signal) => {
      let started = performance.now();
      const end = (result: Omit<RouteResult, 'router_version' | 'latency_ms'>, version: string): RouteResult => ({
        ...result,
        router_version: version,
        latency_ms: Math.round((performance.now() - started) * 1000) / 1000,
      });
      try {
        const learnt = latest ?? (await ready);
        started = performance.now(); // learning is no part of routing
        return end(await decide(text, learnt, signal), learnt.version);
      } catch (error) {
        return end(declined(text, `could not be read: ${messageOf(error)}`), latest?.version ?? `${RULES}-untrained`);
      }
    },
  };
};
