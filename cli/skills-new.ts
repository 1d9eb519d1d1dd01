import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NAME } from '../contracts/skill.ts';
import { codeOf } from '../platform/errors.ts';
import { loadSnapshot } from '../skills/load.ts';
import type { Command } from './command.ts';
import { CommandError, EXIT, UsageError } from './exit.ts';

/** A valid skill to begin with. It is not enabled: its examples are only its name until a person writes real ones. */
export const skeletonOf = (name: string, agent: string): Record<string, unknown> => {
  const words = name.replaceAll('-', ' ');
  return {
    $schema: './schema/skill.schema.json',
    name,
    version: 1,
    agent,
    enabled: false,
    description: `What "${words}" means, in one sentence`,
    examples: [words, `please ${words}`],
    negative_examples: [],
    keywords: { any: [], none: [] },
    parameters: { type: 'object', additionalProperties: false, properties: {}, required: [] },
    slot_prompts: {},
    defaults: {},
    routing: { accept: null, clarify: null, priority: 0 },
    approval: { policy: 'never', risk: 'read_only' },
    limits: {},
  };
};

export const skillsNew: Command = {
  usage: 'skills new NAME [--agent AGENT]',
  summary: 'Write a skeleton of a skill into SKILLS_DIR.',
  help: '  --agent AGENT  who does it; default: coding',
  options: { agent: { type: 'string' } },
  words: [1, 1],
  run: async (args, context) => {
    const name = args.words[0] ?? '';
    if (!NAME.test(name))
      throw new UsageError(`"${name}" is no name: lower-case letters, digits and dashes, a letter first, at most 40`);
    const { skillsDir } = context.settings;
    const { agents, skills } = await loadSnapshot(skillsDir);
    const agent = args.value('agent') ?? 'coding';
    if (!agents.some((known) => known.name === agent))
      throw new UsageError(
        `--agent: "${agent}" is not known; known are ${agents.map((known) => known.name).join(', ')}`,
      );
    if (skills.some((known) => known.name === name))
      throw new CommandError(EXIT.failed, `there is a skill named ${name} already`);
    const path = join(skillsDir, `${name}.json`);
    try {
      writeFileSync(path, `${JSON.stringify(skeletonOf(name, agent), null, 2)}\n`, { flag: 'wx' });
    } catch (error) {
      throw new CommandError(EXIT.failed, `${path} cannot be written (${codeOf(error)})`);
    }
    context.out(
      `${path}\nwrite what people say into "examples" (twenty are good), what they say and do not mean into "negative_examples",\nset "enabled": true, then: dual skills check. A running gateway takes it up by itself.`,
    );
    return EXIT.succeeded;
  },
};
