import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { REPOSITORY_ROOT } from '../../../platform/env.ts';

/** Without what an outer make hands to its children. */
const make = (...args: string[]): string => {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(MAKE|MFLAGS|ARGS)/.test(name)));
  return execFileSync('make', ['--no-print-directory', ...args], { cwd: REPOSITORY_ROOT, encoding: 'utf8', env });
};

describe('make', () => {
  it('without a target lists every target with a line about it', () => {
    const listed = make().trimEnd().split('\n');
    const names = listed.map((line) => /^ {2}make ([a-z-]+) +\S.*$/.exec(line)?.[1]);
    expect(names).toEqual(
      'help demo demo-voice dev test check format worker edge traces datasette bench bench-edge eval-routing setup clean'.split(
        ' ',
      ),
    );
  });

  it.each([
    ['demo', 'setup/run --tell node dev/main.ts demo'],
    ['demo-voice', 'setup/run --tell node dev/main.ts demo-voice'],
    ['dev', 'setup/run --tell node dev/main.ts'],
    ['test', 'setup/run --tell node setup/test.mjs'],
    ['check', 'setup/run node setup/check.mjs'],
    ['worker', 'setup/run node workers/main.ts'],
    ['edge', 'setup/run npm run --silent edge --'],
    ['traces', 'setup/run node cli/main.ts traces import'],
    ['bench', 'setup/run --tell node bench/main.ts'],
    ['bench-edge', 'setup/run --tell node --expose-gc bench/main.ts --edge'],
    ['eval-routing', 'setup/run --tell node --expose-gc evals/routing/main.ts'],
  ])('%s does all set-up, then its job', (target, command) => {
    expect(make('-n', target).trim()).toBe(command);
    expect(make('-n', target, 'ARGS=--one two').trim()).toBe(target === 'check' ? command : `${command} --one two`);
  });

  it('has its commands for programs go the same way: npm run dual works on a machine with an older Node', () => {
    const { scripts } = JSON.parse(readFileSync(join(REPOSITORY_ROOT, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    expect(scripts['dual']).toBe('sh setup/run node cli/main.ts');
  });
});
