import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { JobPlan } from '../contracts/agent.ts';
import { ConfigError } from '../platform/errors.ts';

export type Target = JobPlan['targets'][number];

const TargetsFile = z
  .array(
    z.strictObject({
      name: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/),
      url: z.url({ protocol: /^https?$/ }),
    }),
  )
  .max(50)
  .refine((targets) => new Set(targets.map(({ name }) => name)).size === targets.length, 'a name is used twice');

/**
 * The sites that browser jobs may open. `STAGING_URL` is the target called `staging`, also when the file names another.
 * @throws ConfigError TARGETS_FILE when the file cannot be read or is not a list of `{name, url}`.
 */
export const loadTargets = (stagingUrl: string | undefined, file: string | undefined): Target[] => {
  let listed: Target[] = [];
  if (file !== undefined) {
    let json: unknown;
    try {
      json = JSON.parse(readFileSync(file, 'utf8'));
    } catch (error) {
      throw new ConfigError('TARGETS_FILE', error instanceof SyntaxError ? 'not valid JSON' : 'cannot be read');
    }
    const parsed = TargetsFile.safeParse(json);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      throw new ConfigError('TARGETS_FILE', `${issue?.path.join('.') || 'file'}: expected a list of {name, url}`);
    }
    listed = parsed.data;
  }
  if (stagingUrl === undefined) return listed;
  return [{ name: 'staging', url: stagingUrl }, ...listed.filter(({ name }) => name !== 'staging')];
};

/**
 * What one job may open: the target its parameters name, and no other; every target when they name none.
 * A name nobody configured opens nothing, rather than something else.
 */
export const targetsFor = (targets: readonly Target[], parameters: Readonly<Record<string, unknown>>): Target[] => {
  const wanted = parameters['target'];
  return typeof wanted === 'string' ? targets.filter(({ name }) => name === wanted) : [...targets];
};
