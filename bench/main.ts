import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fromRoot } from '../platform/env.ts';
import type { Benchmark, Figure } from './figures.ts';
import { table } from './figures.ts';
import { devStart } from './dev-start.ts';
import { edgeBargeIn } from './edge-barge-in.ts';
import { edgeDetection } from './edge-detection.ts';
import { edgeHour } from './edge-hour.ts';
import { edgeLatency } from './edge-latency.ts';
import { edgeLoad } from './edge-load.ts';
import { edgeWords } from './edge-words.ts';
import { gateway } from './gateway.ts';
import { history } from './history.ts';
import { memory } from './memory.ts';
import { takeover } from './takeover.ts';
import { task } from './task.ts';

const STACK: readonly Benchmark[] = [task, gateway, history, takeover, devStart, memory];
const EDGE: readonly Benchmark[] = [edgeDetection, edgeLatency, edgeWords, edgeBargeIn, edgeLoad, edgeHour];

const listed = (benchmarks: readonly Benchmark[]): string =>
  benchmarks.map(({ name, about }) => `  ${name.padEnd(16)} ${about}`).join('\n');

const HELP = `make bench [ARGS="NAME…"]        ratios from one run on one server, written to bench/results/<name>.json
make bench-edge [ARGS="NAME…"]   the voice edge (node bench/main.ts --edge), likewise

${listed(STACK)}
 with --edge:
${listed(EDGE)}

Figures depend on the machine and on what else it does; compare ratios, not values. A missed goal is no failure: exit
code 0 unless a benchmark could not run.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { help: { type: 'boolean', short: 'h' }, json: { type: 'boolean' }, edge: { type: 'boolean' } },
});
const BENCHMARKS = values.edge ? EDGE : STACK;
const unknown = positionals.find((name) => !BENCHMARKS.some((benchmark) => benchmark.name === name));
if (values.help || unknown) {
  console.log(unknown ? `no benchmark called ${unknown}\n\n${HELP}` : HELP);
  process.exit(unknown ? 2 : 0);
}

const results = fromRoot('bench/results');
mkdirSync(results, { recursive: true });
const all: Figure[] = [];
let failed = 0;
for (const benchmark of BENCHMARKS) {
  if (positionals.length > 0 && !positionals.includes(benchmark.name)) continue;
  process.stderr.write(`${benchmark.name}: ${benchmark.about}\n`);
  try {
    const figures = await benchmark.run((progress) => process.stderr.write(`  ${progress}\n`));
    writeFileSync(join(results, `${benchmark.name}.json`), `${JSON.stringify(figures, null, 2)}\n`);
    all.push(...figures);
  } catch (error) {
    failed += 1;
    process.stderr.write(
      `  could not run: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
  }
}
console.log(values.json ? JSON.stringify(all) : table(all));
process.exit(failed > 0 ? 1 : 0);
