import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ConfigError } from '../platform/errors.ts';

/** A site that browser jobs may open, and what people call it. */
export interface Target {
  name: string;
  url: string;
}

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

const portOf = (url: URL): string => url.port || (url.protocol === 'https:' ? '443' : '80');

/**
 * An address that was said, as the listed target of the same origin: with the path that was said, and with the listed
 * scheme where none was said. Null when no target has that origin.
 */
export const listedAs = (
  address: { url: string; authority: string; hasScheme: boolean },
  targets: readonly Target[],
): Target | null => {
  const said = URL.parse(address.url);
  if (!said) return null;
  for (const { name, url } of targets) {
    const listed = URL.parse(url);
    if (!listed || listed.hostname !== said.hostname) continue;
    const same = listed.origin === said.origin;
    // "staging dot example dot com" says neither scheme nor port: those of the list are meant.
    const unsaid = !address.hasScheme && (said.port === '' ? listed.port === '' : portOf(listed) === said.port);
    if (same || unsaid) return { name, url: `${listed.origin}${said.pathname}${said.search}${said.hash}` };
  }
  return null;
};
