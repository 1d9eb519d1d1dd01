import { createHash } from 'node:crypto';
import type { RegistrySnapshot } from '../registry.ts';
import type { Target } from '../targets.ts';
import { keyOf, trainClassifier } from './classify.ts';
import { REQUEST_LIMIT_MS } from './embedder.ts';
import type { Embedder } from './embedder.ts';
import { createJudge } from './judge.ts';
import type { Judge } from './judge.ts';
import { createRespell } from './respell.ts';
import { trainingReportOf } from './training.ts';
import type { TrainingReport } from './training.ts';
import { verbsOf } from './verbs.ts';

/** Changes with the way of routing, so that a recorded decision says which rules made it. */
export const RULES = 'tfidf-2';

/** What the router knows of one state of the skills. */
export interface Learnt {
  version: string;
  training: TrainingReport;
  judge: Judge;
  /** Words that begin orders. */
  verbs: ReadonlySet<string>;
  agents: readonly string[];
  /** Agents whose steps need one session: what they opened is gone with the job. */
  continuous: ReadonlySet<string>;
  /** Learns sentence vectors as well; nothing to do without an embedder. @throws EmbedderError */
  learnVectors(): Promise<void>;
  /** Looks up clauses by their sentence vectors, where there are any and in time. */
  embed(texts: readonly string[], signal: AbortSignal | undefined): Promise<void>;
}

/** What to learn from. */
export interface Lesson {
  snapshot: RegistrySnapshot;
  noneLines: readonly string[];
  targets: readonly Target[];
  embedder: Embedder | undefined;
}

/** Learns the skills of a snapshot; the request path goes on meanwhile. */
export const learn = async ({ snapshot, noneLines, targets, embedder }: Lesson): Promise<Learnt> => {
  const hash = createHash('sha256')
    .update(JSON.stringify([snapshot.version, noneLines]))
    .digest('hex');
  const verbs = verbsOf(snapshot.skills);
  const respell = createRespell(
    snapshot.skills.flatMap(({ examples }) => examples),
    noneLines,
  );
  const version = `${RULES}${embedder ? '+vectors' : ''}-${hash.slice(0, 12)}`;
  const classifier = await trainClassifier(snapshot.skills, noneLines);
  const judge = createJudge(snapshot.skills, classifier, verbs, respell, { targets });
  let vectors = false;
  return {
    version,
    training: trainingReportOf(version, classifier),
    judge,
    learnVectors: async () => {
      if (!embedder) return;
      await classifier.learnVectors((texts) => embedder.embed(texts));
      vectors = true;
    },
    embed: async (texts, signal) => {
      if (!embedder || !vectors) return;
      const limit = AbortSignal.timeout(REQUEST_LIMIT_MS);
      const found = await embedder
        .embed(
          texts.map((text) => keyOf(text)),
          signal ? AbortSignal.any([signal, limit]) : limit,
        )
        .catch(() => []); // the words alone must do
      judge.know(new Map(found.map((vector, i) => [texts[i] ?? '', vector])));
    },
    verbs,
    agents: snapshot.agents.map(({ name }) => name),
    continuous: new Set(snapshot.agents.filter((agent) => agent.environment === 'browser').map((agent) => agent.name)),
  };
};
