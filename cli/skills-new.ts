import { writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { NAME } from '../contracts/skill.ts';
import { fromRoot } from '../platform/env.ts';
import { codeOf } from '../platform/errors.ts';
import { loadSnapshot } from '../skills/load.ts';
import { FEW_EXAMPLES } from '../skills/routing/training.ts';
import type { Command } from './command.ts';
import { CommandError, EXIT, UsageError } from './exit.ts';

/** Begins what a person has to replace; `skills check` fails a skill that is enabled and still has one. */
export const PLACEHOLDER = 'TODO ';

/** One for each way of saying something that speech recognition will deliver. */
const EXAMPLES = [
  'the shortest way to say it, two or three words',
  'with what it is about: a file, a page, a number, a name',
  'politely: could you …',
  'as a wish: I would like …, we need …',
  'as a question that is an order',
  'beginning with another verb',
  'with other words for the same things, and none of the words above',
  'a long one, as somebody says it who thinks aloud',
];
const NEGATIVES = [
  'a remark that has its words and is no order',
  'a question about it that somebody else has to answer',
  'something that was done already',
];

/** A valid skill to begin with. It is not enabled: it knows nothing until a person writes real examples. */
export const skeletonOf = (
  name: string,
  agent: string,
  schema = './schema/skill.schema.json',
): Record<string, unknown> => {
  const words = name.replaceAll('-', ' ');
  return {
    $schema: schema,
    name,
    version: 1,
    agent,
    enabled: false,
    description: `What "${words}" means, in one sentence`,
    examples: EXAMPLES.map((text) => PLACEHOLDER + text),
    negative_examples: NEGATIVES.map((text) => PLACEHOLDER + text),
    keywords: { any: [], none: [] },
    parameters: { type: 'object', additionalProperties: false, properties: {}, required: [] },
    slot_prompts: {},
    defaults: {},
    routing: { accept: null, clarify: null, priority: 0 },
    approval: { policy: 'never', risk: 'read_only' },
    limits: {},
  };
};

/** The schema as a file in that folder names it. */
const schemaFrom = (dir: string): string => {
  const path = relative(dir, fromRoot('skills/schema/skill.schema.json')).replaceAll('\\', '/');
  return path.startsWith('.') ? path : `./${path}`;
};

export const skillsNew: Command = {
  usage: 'skills new NAME [--agent AGENT]',
  summary: 'Write a skeleton of a skill into SKILLS_DIR.',
  help: `  NAME           lower-case letters, digits and dashes: water-lawn
  --agent AGENT  who does it; default: coding

  The file is not enabled, and its examples are prompts that begin with TODO: replace each by what people say.
  Twenty examples are good, below ${FEW_EXAMPLES} it is a guess. docs/skills.md says how to write them.`,
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
      writeFileSync(path, `${JSON.stringify(skeletonOf(name, agent, schemaFrom(skillsDir)), null, 2)}\n`, {
        flag: 'wx',
      });
    } catch (error) {
      throw new CommandError(EXIT.failed, `${path} cannot be written (${codeOf(error)})`);
    }
    context.out(
      [
        path,
        'Replace the lines that begin with TODO: "examples" are what people say (twenty are good, in different words),',
        '"negative_examples" are what they say and do not mean. Then set "enabled": true and look at',
        `  dual skills check                      what fails, and what it is taken for`,
        `  dual route --explain "a sentence"      what becomes of one sentence, and why`,
        '  dual skills test FILE                  how many sentences of your own are right',
        'A running gateway takes it up by itself. docs/skills.md says more.',
      ].join('\n'),
    );
    return EXIT.succeeded;
  },
};
