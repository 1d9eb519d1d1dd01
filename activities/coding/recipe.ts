import { z } from 'zod';
import { OperationError } from '../../platform/errors.ts';
import type { GitPlace } from './git.ts';
import { readCommittedFile } from './repository.ts';

export const RECIPE_PATH = '.dual/workspace.json';

const command = z.string().min(1).max(4_000);
const folder = z
  .string()
  .max(500)
  .refine(
    (path) =>
      path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && part.toLowerCase() !== '.git'),
    'must be a folder inside the repository, e.g. node_modules',
  );

/** `.dual/workspace.json`: how a fresh tree of this repository is made ready and tested. */
export const Recipe = z.strictObject({
  $schema: z.string().optional(),
  /** Commands run in the sandbox once the tree is there. */
  setup: z.array(command).max(20).default([]),
  /** The test command; without it package.json or the Makefile say. */
  verify: command.optional(),
  /** Folders of the user's checkout, outside git, that the tree sees read-only. */
  share: z.array(folder).max(20).default([]),
  env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string().max(4_000)).default({}),
  /** `host:port` the commands would reach; counts only where CODING_NETWORK_ALLOW names it too. */
  network: z
    .array(z.string().regex(/^[A-Za-z0-9.-]+:[0-9]{1,5}$/))
    .max(50)
    .default([]),
  /** A command that reaches the outside; counts only where CODING_DEPLOY_ALLOW names it too. */
  deploy: command.optional(),
});
export type Recipe = z.infer<typeof Recipe>;

/** @throws OperationError BadInput naming the file, the field and what is wrong with it. */
export const parseRecipe = (text: string | null): Recipe => {
  if (text === null) return Recipe.parse({});
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new OperationError('BadInput', `${RECIPE_PATH} is not JSON`, { cause: error });
  }
  const parsed = Recipe.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new OperationError(
    'BadInput',
    `${RECIPE_PATH}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not valid'}`,
  );
};

/** The recipe as the base commit holds it: a job that edits it changes nothing for itself. */
export const readRecipe = async (place: GitPlace, commit: string, signal: AbortSignal): Promise<Recipe> =>
  parseRecipe(await readCommittedFile(place, commit, RECIPE_PATH, signal));

/** npm's placeholder, which `npm init` writes. */
const NO_TESTS = /no test specified/;

/** The repository's own test command as `commit` has it: the recipe's, `npm test`, `make test`, or null. */
export const findTestCommand = async (
  place: GitPlace,
  commit: string,
  recipe: Recipe,
  signal: AbortSignal,
): Promise<string | null> => {
  if (recipe.verify) return recipe.verify;
  const manifest = z
    .object({ scripts: z.object({ test: z.string().min(1) }) })
    .safeParse(parseOrNull(await readCommittedFile(place, commit, 'package.json', signal)));
  if (manifest.success && !NO_TESTS.test(manifest.data.scripts.test)) return 'npm test';
  const makefile = await readCommittedFile(place, commit, 'Makefile', signal);
  return makefile !== null && /^test\s*:(?!=)/m.test(makefile) ? 'make test' : null;
};

const parseOrNull = (text: string | null): unknown => {
  try {
    return text === null ? null : (JSON.parse(text) as unknown);
  } catch {
    return null; // npm will say so itself when it is asked to run
  }
};
