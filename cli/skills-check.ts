import { resolve } from 'node:path';
import { createLog } from '../platform/log.ts';
import { openRegistry } from '../skills/registry.ts';
import type { RegistrySnapshot } from '../skills/registry.ts';
import { keyOf } from '../skills/routing/classify.ts';
import { createRouter } from '../skills/routing/route.ts';
import type { RouteResult, Router } from '../skills/routing/router.ts';
import type { Command } from './command.ts';
import { EXIT } from './exit.ts';

/** Fewer examples than this teach a skill badly. */
const GOOD_EXAMPLES = 10;

export interface Finding {
  level: 'fail' | 'warn';
  /** A file, or a skill's name. */
  where: string;
  problem: string;
}

/** What became of a sentence, in a few words. */
const became = ({ decision, clauses }: RouteResult): string => {
  const skills = clauses.map(
    ({ skill, missing }) => `${skill ?? 'none'}${missing.length > 0 ? ` without ${missing.join(', ')}` : ''}`,
  );
  return decision === 'decline' ? 'declined' : `${decision} ${skills.join(' + ')}`.trim();
};

const sharedExamples = ({ skills }: RegistrySnapshot): Finding[] => {
  const owner = new Map<string, string>();
  const findings: Finding[] = [];
  for (const { name, examples } of skills) {
    for (const text of examples) {
      const key = keyOf(text);
      const other = owner.get(key);
      if (other !== undefined && other !== name)
        findings.push({ level: 'fail', where: name, problem: `example "${text}" is also one of ${other}` });
      else if (other === name)
        findings.push({ level: 'warn', where: name, problem: `example "${text}" is there twice` });
      owner.set(key, name);
    }
  }
  return findings;
};

/** Everything a person should know about a folder of skills. */
export const checkSkills = async (
  snapshot: RegistrySnapshot,
  router: Router,
  signal: AbortSignal,
): Promise<Finding[]> => {
  const findings: Finding[] = snapshot.quarantined.map(({ file, reason }) => ({
    level: 'fail',
    where: file,
    problem: reason,
  }));
  findings.push(...sharedExamples(snapshot));
  for (const { name, examples, negative_examples: negatives } of snapshot.skills) {
    if (examples.length < GOOD_EXAMPLES)
      findings.push({
        level: 'warn',
        where: name,
        problem: `${examples.length} examples; ${GOOD_EXAMPLES} or more teach it better`,
      });
    for (const text of examples) {
      signal.throwIfAborted();
      const result = await router.route(text, signal);
      const home = result.decision === 'dispatch' && result.clauses.length === 1 && result.clauses[0]?.skill === name;
      if (!home)
        findings.push({
          level: 'fail',
          where: name,
          problem: `example "${text}" does not come home: ${became(result)}`,
        });
    }
    for (const text of negatives) {
      const result = await router.route(text, signal);
      if (result.clauses.some(({ skill }) => skill === name))
        findings.push({
          level: 'fail',
          where: name,
          problem: `negative example "${text}" is taken: ${became(result)}`,
        });
    }
  }
  return findings;
};

export const skillsCheck: Command = {
  usage: 'skills check [FOLDER] [--json]',
  summary: 'Check skill and agent files: their form, shared examples, and that each example routes home.',
  help: `  FOLDER  default: SKILLS_DIR
  --json  {"skills": n, "findings": [{"level", "where", "problem"}]}

  Exit code: 1 when something fails.`,
  options: { json: { type: 'boolean' } },
  words: [0, 1],
  run: async (args, context) => {
    const dir = args.words[0] === undefined ? context.settings.skillsDir : resolve(args.words[0]);
    const registry = await openRegistry({ dir, log: createLog('dual', (text) => text, 'silent'), watch: false });
    registry.close();
    const snapshot = registry.current();
    const findings = await checkSkills(snapshot, createRouter({ registry }), context.signal);
    const { skills } = snapshot;
    if (args.flag('json')) context.out(JSON.stringify({ skills: skills.length, findings }));
    else {
      for (const { level, where, problem } of findings) context.out(`${level}  ${where}: ${problem}`);
      const examples = skills.reduce((sum, skill) => sum + skill.examples.length, 0);
      const failed = findings.filter(({ level }) => level === 'fail').length;
      context.out(
        `${skills.length} skills, ${examples} examples, ${failed} failed, ${findings.length - failed} warnings`,
      );
    }
    return findings.some(({ level }) => level === 'fail') ? EXIT.failed : EXIT.succeeded;
  },
};
