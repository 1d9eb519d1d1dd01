import { fromRoot } from '../../platform/env.ts';
import { fail, isThere, ok, warn } from './check.ts';
import type { Check } from './check.ts';

export const checkSettings: Check = async ({ settingsProblem, environment }) => {
  if (settingsProblem !== null)
    return [
      fail(
        'settings',
        settingsProblem,
        'correct it in .env.wsl (or the file DUAL_ENV_FILE names), or in the environment',
      ),
    ];
  const file = environment['DUAL_ENV_FILE'] ?? '.env.wsl';
  return [
    isThere(fromRoot(file))
      ? ok('settings', `${file} is well-formed`)
      : ok('settings', `no ${file}: the defaults hold (.env.wsl.example lists them)`),
  ];
};

/** Where set-up writes what it was checked against. */
export const checkSetUp: Check = async ({ found }) => {
  const missing = [
    ...(isThere(fromRoot('node_modules/.package-lock.json')) ? [] : ['packages']),
    ...(isThere(fromRoot('.toolchain/stamp.json')) && Object.keys(found).length > 0 ? [] : ['its own record']),
  ];
  return [
    missing.length === 0
      ? ok('set-up', 'done')
      : warn('set-up', `not complete: ${missing.join(' and ')} missing`, 'make setup'),
  ];
};

/** Providers and what answers for them. Whether a key is accepted only a request would tell, and that costs money. */
export const checkKeys: Check = async ({ environment }) =>
  (['ANTHROPIC', 'GEMINI'] as const).map((provider) => {
    const name = `${provider.toLowerCase()} model`;
    const key = environment[`${provider}_API_KEY`] !== undefined;
    const url = environment[`${provider}_BASE_URL`] !== undefined;
    if (key && url) return ok(name, `${provider}_API_KEY is set, for the address in ${provider}_BASE_URL`);
    if (key) return ok(name, `${provider}_API_KEY is set (not tried: a request costs money)`);
    if (url) return ok(name, `${provider}_BASE_URL is set, used with a dummy key`);
    return warn(
      name,
      'rehearsal: neither key nor URL, so scripted models answer, and every result says so',
      `for the real one, put ${provider}_API_KEY into .env.wsl`,
    );
  });
