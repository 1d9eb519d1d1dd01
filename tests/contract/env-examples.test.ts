import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadEdgeConfig } from '../../edge/config.ts';
import { loadGatewayConfig } from '../../gateway/config.ts';
import { KNOWN_VARIABLES, REPOSITORY_ROOT, loadEnvironment } from '../../platform/env.ts';
import { loadWorkerConfig } from '../../workers/config.ts';

const FILES = ['.env.wsl.example', '.env.local.example'] as const;
const linesOf = (file: string): string[] => readFileSync(join(REPOSITORY_ROOT, file), 'utf8').split('\n');
const ASSIGNMENT = /^#?([A-Z][A-Z0-9_]*)=(.*)$/;

/** Every variable a file names, commented or not, with its value. */
const variablesOf = (file: string): Map<string, string> =>
  new Map(
    linesOf(file).flatMap((line) =>
      ASSIGNMENT.exec(line) ? [[ASSIGNMENT.exec(line)?.[1] ?? '', ASSIGNMENT.exec(line)?.[2] ?? '']] : [],
    ),
  );
const valuesOf = (file: string): Record<string, string> =>
  Object.fromEntries([...variablesOf(file)].filter(([, value]) => value !== ''));

describe('the example settings', () => {
  it('name every variable there is, and no other', () => {
    const named = new Set(FILES.flatMap((file) => [...variablesOf(file).keys()]));
    expect([...named].sort()).toEqual([...KNOWN_VARIABLES].sort());
  });

  it.each(FILES)('%s names no variable twice and says something about each', (file) => {
    const lines = linesOf(file);
    const names = lines.flatMap((line) => ASSIGNMENT.exec(line)?.[1] ?? []);
    expect(names).toEqual([...new Set(names)]);
    // A group of assignments has its words right above it.
    lines.forEach((line, at) => {
      const above = lines[at - 1] ?? '';
      if (
        ASSIGNMENT.test(line) &&
        !ASSIGNMENT.test(above) &&
        !above.startsWith('# ') &&
        lines[at - 2]?.startsWith('# ---') !== true
      )
        throw new Error(`${file}: nothing is said about ${line}`);
    });
  });

  it.each(FILES)('%s can be copied as it is: nothing is set by it', (file) => {
    expect(loadEnvironment({ DUAL_ENV_FILE: file }, '.env.wsl')).toEqual({ DUAL_ENV_FILE: file });
  });

  it('state the defaults that gateway and worker really have', () => {
    const stated = valuesOf('.env.wsl.example');
    expect(loadGatewayConfig(stated)).toEqual(loadGatewayConfig({}));
    const rehearsal = { REHEARSAL_URL: 'http://127.0.0.1:9000' };
    expect(loadWorkerConfig({ ...stated, ...rehearsal })).toEqual(loadWorkerConfig(rehearsal));
    expect(Object.keys(stated).length).toBeGreaterThan(15);
  });

  it('states the defaults that the edge really has', () => {
    const stated = valuesOf('.env.local.example');
    const comparable = (set: Record<string, string>): unknown => ({ ...loadEdgeConfig(set), gatewayToken: null });
    expect(comparable(stated)).toEqual(comparable({}));
    expect(Object.keys(stated).length).toBeGreaterThan(12);
  });

  it('hold no secret, and only the edge`s own keys on the Windows side', () => {
    for (const file of FILES)
      for (const [name, value] of variablesOf(file))
        if (/_(KEY|TOKEN|DATA)$/.test(name)) expect([name, value]).toEqual([name, '']);
    expect([...variablesOf('.env.local.example').keys()].filter((name) => name.endsWith('_API_KEY'))).toEqual([
      'OPENAI_API_KEY',
    ]);
  });
});
