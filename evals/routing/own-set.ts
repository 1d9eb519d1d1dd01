import { readFileSync } from 'node:fs';
import { fromRoot } from '../../platform/env.ts';
import { parseLabelled } from '../../skills/authoring/labelled.ts';
import { outcomeOf } from '../../skills/authoring/outcome.ts';
import type { Outcome } from '../../skills/authoring/outcome.ts';
import { loadSnapshot } from '../../skills/load.ts';
import { createRouter } from '../../skills/routing/route.ts';
import type { TrainedRouter } from '../../skills/routing/training.ts';

/** `development-2` was written when `development` had been worked with, by the same rules. */
export type Half = 'development' | 'development-2' | 'held-out';

/** The router as shipped: its skills, its none-lines, `staging` as the only site with a name. */
export const shippedRouter = async (): Promise<TrainedRouter> => {
  const snapshot = await loadSnapshot(fromRoot('skills'));
  const router = createRouter({
    registry: { current: () => snapshot, onChange: () => () => undefined },
    targets: [{ name: 'staging', url: 'http://127.0.0.1:4000/' }],
  });
  await router.training();
  return router;
};

/** How each sentence of one half went. */
export const ownSet = async (half: Half, router: TrainedRouter): Promise<Outcome[]> => {
  const outcomes: Outcome[] = [];
  for (const sentence of parseLabelled(readFileSync(fromRoot(`evals/routing/${half}.tsv`), 'utf8')))
    outcomes.push(outcomeOf(sentence, await router.route(sentence.text)));
  return outcomes;
};
