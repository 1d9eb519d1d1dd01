import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf, ConfigError } from '../platform/errors.ts';

/**
 * The token in the file; made at first start, readable by its owner alone, whole or not at all (two gateways that
 * start at once agree on one).
 * @throws ConfigError GATEWAY_TOKEN_FILE when it can be neither read nor made, or holds no token.
 */
export const loadToken = async (file: string): Promise<string> => {
  try {
    return await readToken(file);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await mkdir(dirname(file), { recursive: true });
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(`${randomBytes(32).toString('base64url')}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await link(temporary, file).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
  } catch (error) {
    throw new ConfigError('GATEWAY_TOKEN_FILE', `cannot be made (${String(codeOf(error))})`);
  } finally {
    await rm(temporary, { force: true });
  }
  return readToken(file);
};

const readToken = async (file: string): Promise<string> => {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw error;
    throw new ConfigError('GATEWAY_TOKEN_FILE', `cannot be read (${String(codeOf(error))})`);
  }
  const token = text.trim();
  if (!/^[\x21-\x7e]{1,512}$/.test(token)) throw new ConfigError('GATEWAY_TOKEN_FILE', 'holds no token on one line');
  return token;
};

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Compares with the secret in a time that says nothing about where they differ. */
export const createMatcher = (secret: string): ((given: string) => boolean) => {
  const expected = digest(secret);
  return (given) => timingSafeEqual(digest(given), expected);
};
