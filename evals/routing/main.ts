import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { fromRoot } from '../../platform/env.ts';
import { figuresOf } from '../../skills/authoring/outcome.ts';
import { createUseLiteEmbedder } from '../../skills/routing/adapters/use-lite-embedder.ts';
import { ownSet, shippedRouter } from './own-set.ts';
import type { Half } from './own-set.ts';
import { closedSet, openWorld, severalOrders } from './protocols.ts';
import { DATA_DIR, hasPublicData } from './public-data.ts';
import { measureSpeed } from './speed.ts';

const HELP = `make eval-routing [ARGS="…"]   how well the router routes, written to evals/results/routing.json

  --embeddings  with the optional scorer by sentence vectors as well (some minutes)
  --held-out    the kept-back half of the own set instead of the one to work with
  --wrong       show the sentences of the own set that went wrong (never of the held-out half)
  --json        the rows as JSON

Public data is read from shared/data/routing beside the repository; without it those rows are left out, loudly.
A missed goal is no failure: exit code 0 unless something could not run.`;

const { values } = parseArgs({
  options: {
    embeddings: { type: 'boolean' },
    'held-out': { type: 'boolean' },
    wrong: { type: 'boolean' },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}

interface Row {
  figure: string;
  value: number;
  unit: string;
  /** What simple means reached before. */
  before: string;
  goal: string;
  reached: boolean | null;
}

const rows: Row[] = [];
const say = (text: string): void => void process.stderr.write(`${text}\n`);
const percent = (value: number): number => Math.round(value * 1_000) / 10;
const mean = (list: readonly number[]): number =>
  list.reduce((sum, value) => sum + value, 0) / Math.max(1, list.length);
const atMost = (figure: string, value: number, unit: string, bound: number, before = ''): void =>
  void rows.push({ figure, value, unit, before, goal: `<= ${bound}`, reached: value <= bound });
const atLeast = (figure: string, value: number, unit: string, bound: number, before = ''): void =>
  void rows.push({ figure, value, unit, before, goal: `>= ${bound}`, reached: value >= bound });
const beside = (figure: string, value: number, unit: string): void =>
  void rows.push({ figure, value, unit, before: '', goal: '', reached: null });

const SEEDS = [1, 2, 3, 4, 5];
const embedder = values.embeddings
  ? createUseLiteEmbedder({
      log: { info: () => undefined, warn: (...said: unknown[]) => say(String(said.at(-1))) },
      cached: 20_000,
    })
  : undefined;

const openWorldRows = async (name: string, goals: [number, number], before: string, scorer?: typeof embedder) => {
  const runs = [];
  for (const seed of SEEDS) {
    say(`open world, ${name}: seed ${seed} of ${SEEDS.length}`);
    runs.push(await openWorld(seed, scorer));
  }
  const [rejected, accepted] = before.split(' / ');
  atMost(
    `${name}: true orders not carried out`,
    percent(mean(runs.map((run) => run.rejected))),
    '%',
    goals[0],
    rejected,
  );
  atMost(`${name}: open speech carried out`, percent(mean(runs.map((run) => run.accepted))), '%', goals[1], accepted);
  beside(`${name}: true orders asked about (part of the first row)`, percent(mean(runs.map((run) => run.asked))), '%');
  beside(`${name}: open speech asked about`, percent(mean(runs.map((run) => run.askedInVain))), '%');
};

if (hasPublicData()) {
  await openWorldRows('open world', [6, 7], '5 / 9.5');
  if (embedder) await openWorldRows('open world with vectors', [6, 3], '5 / 3.7', embedder);
  say('closed set');
  const closed = [];
  for (const seed of SEEDS) closed.push(await closedSet(seed));
  atLeast('closed set, CLINC150 10 examples an intent', percent(mean(closed)), '%', 83, '81.2');
  if (embedder) {
    const both = [];
    for (const seed of SEEDS) {
      say(`closed set with vectors: seed ${seed} of ${SEEDS.length}`);
      both.push(await closedSet(seed, embedder));
    }
    atLeast('closed set with vectors', percent(mean(both)), '%', 90, '88.8');
  }
  const several = [];
  for (const seed of SEEDS) {
    say(`several orders: seed ${seed} of ${SEEDS.length}`);
    several.push(await severalOrders(seed));
  }
  atLeast('several orders, exact sets, MixSNIPS 20 examples an intent', percent(mean(several)), '%', 89, '86.6');
  say('speed');
  const speed = await measureSpeed();
  atMost('route, 12 skills, p50', speed.p50Ms, 'ms', 0.3, '0.01-0.1');
  atMost('route, 12 skills, p99', speed.p99Ms, 'ms', 1);
  atMost('load and learn 12 skills', Math.round(speed.loadMs), 'ms', 300, '134 (352 lines)');
  atMost('learn 200 skills', Math.round(speed.manyMs), 'ms', 3_000);
  atMost('memory of 200 skills', Math.round(speed.manyMb), 'MB', 60);
} else {
  say(`SKIPPED, so not measured here: everything on public data, because there is none at ${DATA_DIR}`);
}

const halves: Half[] = values['held-out'] ? ['held-out'] : ['development', 'development-2'];
const shipped = await shippedRouter();
const outcomes = [];
for (const half of halves) {
  const went = await ownSet(half, shipped);
  if (half !== 'held-out') outcomes.push(...went);
  const own = figuresOf(went);
  atLeast(`own set, ${half}: exact decision and clauses`, percent(own.exact), '%', 90);
  atMost(`own set, ${half}: spurious jobs`, percent(own.spurious), '%', 2);
  beside(`own set, ${half}: exact, and waits as said`, percent(own.ordered), '%');
  beside(`own set, ${half}: exact, and parameters as said`, percent(own.filled), '%');
  for (const [tag, { exact, sentences }] of Object.entries(own.byTag))
    beside(`own set, ${half}, ${tag} (${sentences})`, percent(exact / sentences), '%');
}
await embedder?.close();

mkdirSync(fromRoot('evals/results'), { recursive: true });
writeFileSync(fromRoot('evals/results/routing.json'), `${JSON.stringify(rows, null, 2)}\n`);
if (values.json) console.log(JSON.stringify(rows));
else {
  const width = Math.max(...rows.map(({ figure }) => figure.length));
  for (const { figure, value, unit, before, goal, reached } of rows)
    console.log(
      [
        reached === null ? '    ' : reached ? 'ok  ' : 'MISS',
        figure.padEnd(width),
        `${value} ${unit}`.padStart(9),
        goal.padEnd(8),
        before && `before: ${before}`,
      ]
        .join('  ')
        .trimEnd(),
    );
}
if (values.wrong)
  for (const { exact, sentence, result } of outcomes)
    if (!exact)
      console.log(
        `${sentence.label} <- ${sentence.text}\n    ${result.decision} ${result.clauses.map(({ skill, ask, text }) => `${skill ?? '-'}${ask ? '?' : ''} [${text}]`).join(' | ')}`,
      );
