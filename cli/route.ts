import { createLog } from '../platform/log.ts';
import { openRegistry } from '../skills/registry.ts';
import { createRouter } from '../skills/routing/route.ts';
import type { RouteResult, RoutedClause } from '../skills/routing/router.ts';
import type { Command } from './command.ts';
import { EXIT } from './exit.ts';
import { explain } from './explain.ts';
import { printable } from './words.ts';

const clauseLine = ({ skill, text, parameters, missing, depends_on }: RoutedClause, index: number): string => {
  const given = Object.entries(parameters).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const after = depends_on.map(({ clause: other, when }) => `${other + 1} ${when}`);
  return [
    `  ${index + 1} ${skill ?? 'none'}: ${text}`,
    ...(given.length > 0 ? [given.join(' ')] : []),
    ...(missing.length > 0 ? [`missing ${missing.join(', ')}`] : []),
    ...(after.length > 0 ? [`after ${after.join(', ')}`] : []),
  ].join('; ');
};

/** A decision in short, for a person. */
const decisionText = (sentence: string, result: RouteResult): string =>
  [
    `${result.decision}: ${sentence}`,
    ...(result.control ? [`  ${result.control.action} ${result.control.target ?? ''}`.trimEnd()] : []),
    ...result.clauses.map(clauseLine),
  ]
    .map(printable)
    .join('\n');

export const route: Command = {
  usage: 'route [--explain] [--json] [SENTENCE…]',
  summary:
    'Show what would become of sentences, without a server; from standard input, one a line, when none is given.',
  help: `  --explain  in words: why, scores and what they are held against, the next best skill, values found and missing,
             what waits for what, what was left aside
  --json     one decision a line as JSON

  Skills are those of SKILLS_DIR, sites those of STAGING_URL and TARGETS_FILE. No language model is asked
  (LLM_ROUTER counts in the gateway only). Exit code: 0 whatever it decides.`,
  options: { explain: { type: 'boolean' }, json: { type: 'boolean' } },
  words: [0, 10_000],
  run: async (args, context) => {
    const log = createLog('dual', (text) => text, 'silent');
    const registry = await openRegistry({ dir: context.settings.skillsDir, log, watch: false });
    try {
      const { skills, quarantined } = registry.current();
      for (const { file, reason } of quarantined) context.err(`left out: ${file}: ${reason}`);
      const router = createRouter({ registry, targets: context.settings.targets() });
      const yardstick = { skills, bars: await router.training() };
      for await (const sentence of args.words.length > 0 ? args.words : context.stdin()) {
        context.signal.throwIfAborted();
        const result = await router.route(sentence, context.signal);
        if (args.flag('json')) context.out(JSON.stringify(result));
        else context.out(args.flag('explain') ? explain(sentence, result, yardstick) : decisionText(sentence, result));
      }
    } finally {
      registry.close();
    }
    return EXIT.succeeded;
  },
};
