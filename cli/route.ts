import { createLog } from '../platform/log.ts';
import { openRegistry } from '../skills/registry.ts';
import { createRouter } from '../skills/routing/route.ts';
import type { RouteResult, RoutedClause } from '../skills/routing/router.ts';
import type { Command } from './command.ts';
import { EXIT } from './exit.ts';
import { printable } from './words.ts';

const clauseLine = (clause: RoutedClause, index: number, explain: boolean): string => {
  const { skill, text, parameters, missing, depends_on, score, runner_up, reason } = clause;
  const given = Object.entries(parameters).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const after = depends_on.map(({ clause: other, when }) => `${other + 1} ${when}`);
  const line = [
    `  ${index + 1} ${skill ?? 'none'}: ${printable(text)}`,
    ...(given.length > 0 ? [given.join(' ')] : []),
    ...(missing.length > 0 ? [`missing ${missing.join(', ')}`] : []),
    ...(after.length > 0 ? [`after ${after.join(', ')}`] : []),
  ].join('; ');
  if (!explain) return line;
  const next = runner_up ? `; next ${runner_up.skill} ${runner_up.score.toFixed(2)}` : '';
  return `${line}\n      ${score.toFixed(2)}${next}; ${printable(reason)}`;
};

/** A decision, for a person. */
export const decisionText = (sentence: string, result: RouteResult, explain: boolean): string =>
  [
    `${result.decision}: ${printable(sentence)}`,
    ...(result.control ? [`  ${result.control.action} ${result.control.target ?? ''}`.trimEnd()] : []),
    ...result.clauses.map((clause, index) => clauseLine(clause, index, explain)),
    ...(explain ? [`  ${result.router_version}, ${result.latency_ms.toFixed(1)} ms`] : []),
  ].join('\n');

export const route: Command = {
  usage: 'route [--explain] [--json] [SENTENCE…]',
  summary:
    'Show what would become of sentences, without a server; from standard input, one a line, when none is given.',
  help: `  --explain  with scores, runners-up and reasons
  --json     one decision a line as JSON

  Skills are those of SKILLS_DIR. Exit code: 0 whatever it decides.`,
  options: { explain: { type: 'boolean' }, json: { type: 'boolean' } },
  words: [0, 10_000],
  run: async (args, context) => {
    const log = createLog('dual', (text) => text, 'silent');
    const registry = await openRegistry({ dir: context.settings.skillsDir, log, watch: false });
    try {
      for (const { file, reason } of registry.current().quarantined) context.err(`left out: ${file}: ${reason}`);
      const router = createRouter({ registry });
      for await (const sentence of args.words.length > 0 ? args.words : context.stdin()) {
        context.signal.throwIfAborted();
        const result = await router.route(sentence, context.signal);
        context.out(args.flag('json') ? JSON.stringify(result) : decisionText(sentence, result, args.flag('explain')));
      }
    } finally {
      registry.close();
    }
    return EXIT.succeeded;
  },
};
