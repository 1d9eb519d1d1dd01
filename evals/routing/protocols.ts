import { keyOf, trainClassifier } from '../../skills/routing/classify.ts';
import type { Embedder } from '../../skills/routing/embedder.ts';
import { createRouter } from '../../skills/routing/route.ts';
import { createRandom, drawSkills, readLines, registryOf, shuffled } from './public-data.ts';

/** Shares between 0 and 1. `rejected`: true orders not carried out; `asked`: those of them that are asked about. */
export interface OpenWorld {
  rejected: number;
  asked: number;
  /** Open speech carried out, and asked about. */
  accepted: number;
  askedInVain: number;
  /** Of the true orders carried out, those given to the right skill. */
  right: number;
}

const share = (count: number, of: number): number => count / Math.max(1, of);

/**
 * Six CLINC150 intents of 20 examples as the only skills, through the router as shipped: its own none-lines, the bars
 * it sets itself. Validation lines of the six are true orders; those of the other 144 and the out-of-scope ones are
 * open speech.
 */
export const openWorld = async (seed: number, embedder?: Embedder): Promise<OpenWorld> => {
  const train = readLines('clinc150_train');
  const random = createRandom(seed);
  const chosen = shuffled([...new Set(train.map(({ labels }) => labels[0] ?? ''))], random).slice(0, 6);
  const skills = drawSkills(train, chosen, 20, random);
  const router = createRouter({ registry: registryOf(skills), ...(embedder && { embedder }) });
  await router.training();
  const said = [...readLines('clinc150_val'), ...readLines('clinc150_oos_val')];
  const counts = { orders: 0, dispatched: 0, asked: 0, right: 0, others: 0, accepted: 0, askedInVain: 0 };
  for (const { labels, text } of said) {
    const { decision, clauses } = await router.route(text);
    if (chosen.includes(labels[0] ?? '')) {
      counts.orders += 1;
      if (decision === 'clarify') counts.asked += 1;
      if (decision !== 'dispatch') continue;
      counts.dispatched += 1;
      if (clauses.every(({ skill }) => skill === labels[0])) counts.right += 1;
    } else {
      counts.others += 1;
      if (decision === 'dispatch') counts.accepted += 1;
      if (decision === 'clarify') counts.askedInVain += 1;
    }
  }
  return {
    rejected: 1 - share(counts.dispatched, counts.orders),
    asked: share(counts.asked, counts.orders),
    accepted: share(counts.accepted, counts.others),
    askedInVain: share(counts.askedInVain, counts.others),
    right: share(counts.right, counts.dispatched),
  };
};

/** Accuracy over all 150 CLINC150 intents of 10 examples on the validation lines: the classifier alone, no none-lines. */
export const closedSet = async (seed: number, embedder?: Embedder): Promise<number> => {
  const train = readLines('clinc150_train');
  const skills = drawSkills(train, [...new Set(train.map(({ labels }) => labels[0] ?? ''))], 10, createRandom(seed));
  const classifier = await trainClassifier(skills, []);
  const lines = readLines('clinc150_val');
  if (embedder) await classifier.learnVectors((texts) => embedder.embed(texts));
  const vectors = embedder ? await embedder.embed(lines.map(({ text }) => keyOf(text))) : [];
  const right = lines.filter(
    ({ labels, text }, i) => classifier.rank(text, { vector: vectors[i] }).ranked[0]?.skill === labels[0],
  ).length;
  return share(right, lines.length);
};

/** Exact sets of skills on MixSNIPS, from 20 single examples an intent; every sentence is orders, so no none-lines. */
export const severalOrders = async (seed: number): Promise<number> => {
  const train = readLines('snips_train');
  const skills = drawSkills(train, [...new Set(train.map(({ labels }) => labels[0] ?? ''))], 20, createRandom(seed));
  const router = createRouter({ registry: registryOf(skills), noneLines: [] });
  const lines = readLines('mixsnips_dev');
  let right = 0;
  for (const { labels, text } of lines) {
    const { clauses } = await router.route(text);
    const got = [...new Set(clauses.flatMap(({ skill }) => skill ?? []))].sort().join();
    if (got === [...labels].sort().join()) right += 1;
  }
  return share(right, lines.length);
};
