import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { Skill } from '../../../../contracts/skill.ts';
import { REPOSITORY_ROOT } from '../../../../platform/env.ts';
import { loadSnapshot } from '../../../../skills/load.ts';
import type { RegistrySnapshot } from '../../../../skills/registry.ts';
import { createRouter, parseNoneLines } from '../../../../skills/routing/route.ts';
import type { RouteResult, Router } from '../../../../skills/routing/router.ts';
import { fixedRegistry } from '../../../fakes/fixed-registry.ts';

const DIR = join(REPOSITORY_ROOT, 'skills');
const essence = ({ decision, clauses }: RouteResult): unknown[] => [
  decision,
  ...clauses.map(({ skill, text }) => [skill, text]),
];

let snapshot: RegistrySnapshot;
let router: Router;
beforeAll(async () => {
  snapshot = await loadSnapshot(DIR);
  router = createRouter({ registry: fixedRegistry(snapshot) });
});

describe('the lines the router learns from', () => {
  const files = readdirSync(DIR).filter((name) => name.endsWith('.json'));

  it.each(files)('%s: at least twenty examples, negative examples, and each routes as written', async (file) => {
    const skill = Skill.parse(JSON.parse(readFileSync(join(DIR, file), 'utf8')));
    expect(skill.examples.length).toBeGreaterThanOrEqual(20);
    expect(skill.negative_examples.length).toBeGreaterThanOrEqual(3);
    const astray: unknown[] = [];
    for (const text of skill.examples) {
      const result = await router.route(text);
      const [clause] = result.clauses;
      if (result.decision !== 'dispatch' || result.clauses.length !== 1 || clause?.skill !== skill.name)
        astray.push([text, ...essence(result)]);
    }
    for (const text of skill.negative_examples) {
      const result = await router.route(text);
      if (result.decision !== 'decline') astray.push([text, ...essence(result)]);
    }
    expect(astray).toEqual([]);
  });

  it('no example is said by two skills', () => {
    const all = snapshot.skills.flatMap((skill) => skill.examples.map((text) => text.toLowerCase()));
    expect(all.filter((text, i) => all.indexOf(text) !== i)).toEqual([]);
  });

  it('every none-line is declined, and none is an example', async () => {
    const lines = parseNoneLines(readFileSync(join(DIR, 'routing/none-lines.txt'), 'utf8'));
    expect(lines.length).toBeGreaterThanOrEqual(500);
    const astray: unknown[] = [];
    for (const line of lines) {
      const result = await router.route(line);
      if (result.decision !== 'decline') astray.push([line, ...essence(result)]);
    }
    expect(astray).toEqual([]);
  });

  it('comments and empty lines are no none-lines', () => {
    expect(parseNoneLines('# a\n\n  one line \r\n#two\nthree # four\n')).toEqual(['one line', 'three # four']);
  });
});
