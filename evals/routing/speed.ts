import { readFileSync } from 'node:fs';
import { fromRoot } from '../../platform/env.ts';
import type { Skill } from '../../contracts/skill.ts';
import { loadSnapshot } from '../../skills/load.ts';
import { quantile } from '../../skills/routing/calibrate.ts';
import { trainClassifier } from '../../skills/routing/classify.ts';
import { createRouter, parseNoneLines } from '../../skills/routing/route.ts';
import { createRandom, drawSkills, readLines, registryOf } from './public-data.ts';

export interface Speed {
  /** Milliseconds a sentence, the router's own clock. */
  p50Ms: number;
  p99Ms: number;
  /** Reading twelve of the shipped skills and learning them. */
  loadMs: number;
  /** Learning 200 skills of 20 examples. */
  manyMs: number;
  /** What 200 learnt skills keep, in MB. */
  manyMb: number;
}

const noneLines = (): string[] => parseNoneLines(readFileSync(fromRoot('skills/routing/none-lines.txt'), 'utf8'));
const collected = async (): Promise<number> => {
  // Twice, with a pause: what the first one finalises the second one frees.
  for (let round = 0; round < 2; round++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
};
/** Twelve, as the goal says; two of the fourteen are left out. */
const twelve = (skills: readonly Skill[]): Skill[] => skills.slice(0, 12);

/** 200 skills: the 150 intents of CLINC150, and 50 of them again with other examples under another name. */
const manySkills = (): Skill[] => {
  const train = readLines('clinc150_train');
  const labels = [...new Set(train.map(({ labels: [label = ''] }) => label))];
  const random = createRandom(1);
  return [
    ...drawSkills(train, labels, 20, random),
    ...drawSkills(train, labels.slice(0, 50), 20, random).map((skill) => ({ ...skill, name: `${skill.name}-too` })),
  ];
};

/** Sentences of the public sets are routed by the shipped skills: none of them was seen before. */
export const measureSpeed = async (): Promise<Speed> => {
  const loads: number[] = [];
  for (let round = 0; round < 5; round++) {
    const started = performance.now();
    const { skills } = await loadSnapshot(fromRoot('skills'));
    await trainClassifier(twelve(skills), noneLines());
    loads.push(performance.now() - started);
  }
  const { skills } = await loadSnapshot(fromRoot('skills'));
  const router = createRouter({ registry: registryOf(twelve(skills)) });
  await router.training();
  const said = [...readLines('mixsnips_dev').slice(0, 1_000), ...readLines('clinc150_val').slice(0, 2_000)];
  const latencies: number[] = [];
  for (const [i, { text }] of said.entries()) {
    const { latency_ms: ms } = await router.route(text);
    // The first third warms the machine up.
    if (i % 3 !== 0 || i > said.length / 3) latencies.push(ms);
  }
  latencies.sort((a, b) => a - b);
  const many = manySkills();
  const before = await collected();
  const started = performance.now();
  const learnt = await trainClassifier(many, noneLines());
  const manyMs = performance.now() - started;
  const manyMb = ((await collected()) - before) / 1e6;
  learnt.rank('keep it alive until it was weighed');
  loads.sort((a, b) => a - b);
  return {
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    loadMs: quantile(loads, 0.5),
    manyMs,
    manyMb,
  };
};
