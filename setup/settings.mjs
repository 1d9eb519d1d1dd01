// The four variables set-up obeys: from the process, else from .env.wsl (or DUAL_ENV_FILE), an empty value meaning unset.
// Relative paths start at the repository root.
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ROOT } from './places.mjs';

const NAMES = ['TEMPORAL_CLI_PATH', 'CHROMIUM_PATH', 'BWRAP_PATH', 'CODING_SANDBOX'];

/** The rest of the file is judged by the processes that use it. */
export const readSettings = (environment = process.env) => {
  const path = resolve(ROOT, environment.DUAL_ENV_FILE || '.env.wsl');
  const file = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const settings = {};
  for (const name of NAMES) {
    // Spaces only around the sign: an empty value must not reach for the next line.
    const text = `(?:"([^"\\r\\n]*)"|'([^'\\r\\n]*)'|([^#\\r\\n]*))`;
    const line = new RegExp(`^[ \\t]*(?:export )?${name}[ \\t]*=[ \\t]*${text}`, 'm').exec(file);
    const value = environment[name] || (line?.[1] ?? line?.[2] ?? line?.[3] ?? '').trim() || null;
    settings[name] = value && name.endsWith('_PATH') ? resolve(ROOT, value) : value;
  }
  return settings;
};
