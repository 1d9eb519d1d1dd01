import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { REPOSITORY_ROOT } from '../../../platform/env.ts';
import { parseSkill } from '../../../skills/load.ts';
import { skeletonOf } from '../../../cli/skills-new.ts';
import { confusionOf, parseLabelledLines } from '../../../cli/skills-test.ts';
import type { RouteResult } from '../../../skills/routing/router.ts';
import { dual } from '../../fakes/dual.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dual-skills-'));
  mkdirSync(join(dir, 'agents'));
  for (const file of ['coding.json', 'coding.md'])
    copyFileSync(join(REPOSITORY_ROOT, 'skills/agents', file), join(dir, 'agents', file));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const skill = (name: string, examples: string[], more: object = {}): void =>
  writeFileSync(
    join(dir, `${name}.json`),
    JSON.stringify({ name, version: 1, agent: 'coding', description: name, examples, ...more }),
  );
const PLANTS = ['water the plants', 'water the flowers', 'give the plants some water'];
const SILVER = ['polish the silver', 'polish all spoons', 'clean the silver spoons'];

describe('dual route', () => {
  it('is one decision a line, for words and for standard input, and always ends with 0', async () => {
    skill('plants', PLANTS);
    const env = { SKILLS_DIR: dir };
    const words = await dual(['route', '--json', 'water the plants', 'hello'], { env });
    const lines = await dual(['route', '--json'], { env, stdin: 'water the plants\n\nhello\n' });
    const decisions = ({ out }: { out: string }): string[] =>
      out
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as RouteResult).decision);
    expect([words.code, lines.code]).toEqual([0, 0]);
    expect(decisions(words)).toEqual(['dispatch', 'decline']);
    expect(decisions(lines)).toEqual(['dispatch', 'decline', 'decline']);
  });

  it('explains itself, and says which files were left out', async () => {
    skill('plants', PLANTS);
    writeFileSync(join(dir, 'bad.json'), '{');
    const { out, err } = await dual(['route', '--explain', 'water the plants then polish', 'stop'], {
      env: { SKILLS_DIR: dir },
    });
    expect(out).toMatch(/plants: water the plants\n {6}0\.99.*word for word an example of plants/);
    expect(out).toContain('control: stop\n  cancel last');
    expect(err).toMatch(/^left out: bad\.json: not valid JSON/);
  });

  it('a folder that is none is a usage error', async () => {
    expect(await dual(['route', 'x'], { env: { SKILLS_DIR: join(dir, 'nowhere') } })).toMatchObject({
      code: 2,
      out: '',
    });
  });
});

describe('dual skills check', () => {
  it('finds nothing wrong with the shipped skills', async () => {
    const { code, out } = await dual(['skills', 'check']);
    expect(out).toMatch(/^7 skills, \d+ examples, 0 failed, 0 warnings\n$/);
    expect(code).toBe(0);
  });

  it('finds bad files, shared examples, strays and too few examples', async () => {
    skill('plants', [...PLANTS, 'Polish the silver!']);
    skill('silver', SILVER, { negative_examples: ['clean the silver spoons and knives'] });
    skill('stray', ['paint the wall and then water the plants and then polish all spoons'], {
      keywords: { none: ['wall'] },
    });
    writeFileSync(join(dir, 'bad.json'), '[]');
    const { code, out } = await dual(['skills', 'check', dir, '--json']);
    const { findings, skills } = JSON.parse(out) as {
      skills: number;
      findings: { level: string; where: string; problem: string }[];
    };
    const found = findings.map(({ level, where, problem }) => `${level} ${where}: ${problem}`).join('\n');
    expect([code, skills]).toEqual([1, 3]);
    expect(found).toMatch(/fail bad\.json: file:/);
    expect(found).toMatch(/fail silver: example "polish the silver" is also one of plants/);
    expect(found).toMatch(/fail stray: example ".*" does not come home: /);
    expect(found).toMatch(/warn silver: 3 examples; 10 or more teach it better/);
  });
});

describe('dual skills new', () => {
  it('writes a valid skeleton once, and takes no name that is taken', async () => {
    skill('plants', PLANTS);
    const env = { SKILLS_DIR: dir };
    const { code, out } = await dual(['skills', 'new', 'water-lawn'], { env });
    expect(code).toBe(0);
    expect(out).toContain(join(dir, 'water-lawn.json'));
    const made = parseSkill(readFileSync(join(dir, 'water-lawn.json'), 'utf8'));
    expect(made).toMatchObject({ name: 'water-lawn', agent: 'coding', enabled: false });
    expect(await dual(['skills', 'new', 'water-lawn'], { env })).toMatchObject({
      code: 1,
      err: expect.stringContaining('EEXIST') as unknown,
    });
    expect(await dual(['skills', 'new', 'plants'], { env })).toMatchObject({ code: 1 });
    expect(await dual(['skills', 'new', 'x', '--agent', 'plumber'], { env })).toMatchObject({
      code: 2,
      err: expect.stringContaining('known are coding') as unknown,
    });
  });

  it('is valid for every name', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z][a-z0-9-]{0,39}$/), (name) => {
        expect(parseSkill(JSON.stringify(skeletonOf(name, 'coding'))).name).toBe(name);
      }),
    );
  });
});

describe('dual skills test', () => {
  it('counts what became of labelled sentences', async () => {
    skill('plants', PLANTS);
    skill('silver', SILVER);
    const file = join(dir, 'lines.tsv');
    writeFileSync(
      file,
      '# mine\nplants\twater the plants\r\nnone\thello there\nsilver\twater the flowers\n\nplants#silver\twater the plants and polish the silver\n',
    );
    const { code, out } = await dual(['skills', 'test', file], { env: { SKILLS_DIR: dir } });
    expect(code).toBe(0);
    expect(out).toContain('silver -> plants: water the flowers');
    expect(out).toContain('3 of 4 right (75.0 %)');
    expect(
      JSON.parse((await dual(['skills', 'test', file, '--json'], { env: { SKILLS_DIR: dir } })).out),
    ).toMatchObject({ lines: 4, right: 3, wrong: [{ expected: 'silver', got: 'plants' }] });
  });

  it('names the line that is none', () => {
    expect(() => parseLabelledLines('a\tb\nno tab here\n')).toThrow('line 2: expected a label, a tab and a sentence');
  });

  it('reads back what was written', () => {
    const label = fc.constantFrom('a', 'b', 'c-d');
    const text = fc.stringMatching(/^[a-z ,.]{1,30}$/).filter((s) => s.trim() !== '');
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.uniqueArray(label), text)), (pairs) => {
        const lines = pairs.map(([labels, said]) => `${labels.join('#') || 'none'}\t${said}`).join('\n');
        expect(parseLabelledLines(lines)).toEqual(
          pairs.map(([labels, said]) => ({ expected: [...labels].sort(), text: said.trim() })),
        );
      }),
    );
  });

  it('makes a table', () => {
    const table = confusionOf([
      { expected: 'a', got: 'a' },
      { expected: 'a', got: 'none' },
      { expected: 'none', got: 'none' },
    ]);
    expect(table).toBe('EXPECTED \\ GOT  a  none\na               1  1\nnone            .  1');
  });
});
