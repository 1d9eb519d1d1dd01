import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Skill } from '../../../contracts/skill.ts';
import { nearDuplicates } from '../../../cli/skills-check.ts';
import type { SkillsReport } from '../../../cli/skills-check.ts';
import { skeletonOf } from '../../../cli/skills-new.ts';
import { REPOSITORY_ROOT } from '../../../platform/env.ts';
import { parseSkill } from '../../../skills/load.ts';
import { dual } from '../../fakes/dual.ts';
import { createSkillsFolder } from '../../fakes/skills-folder.ts';
import type { SkillsFolder } from '../../fakes/skills-folder.ts';

let folder: SkillsFolder;
beforeEach(() => {
  folder = createSkillsFolder();
});
afterEach(() => folder.remove());

const PLANTS = ['water the plants', 'water the flowers', 'give the plants some water'];
const SILVER = ['polish the silver', 'polish all spoons', 'clean the silver spoons'];

const check = async (...argv: string[]): Promise<{ code: number; report: SkillsReport; found: string }> => {
  const { code, out } = await dual(['skills', 'check', ...argv, '--json']);
  const report = JSON.parse(out) as SkillsReport;
  const found = report.findings.map(({ level, where, problem }) => `${level} ${where}: ${problem}`).join('\n');
  return { code, report, found };
};

describe('dual skills check', () => {
  it('fails none of the shipped skills, and says how each is told apart', async () => {
    const { code, report } = await check();
    const files = readdirSync(join(REPOSITORY_ROOT, 'skills')).filter((name) => name.endsWith('.json'));
    expect(report.findings.filter(({ level }) => level === 'fail')).toEqual([]);
    expect([code, report.skills]).toEqual([0, files.length]);
    for (const { examples, right, confused, confused_with: others } of report.figures) {
      expect(right + confused.length).toBe(examples);
      expect(others.reduce((sum, { times }) => sum + times, 0)).toBe(confused.length);
    }
    expect(report.training.right_unseen).toBeGreaterThan(0.5);
    expect(report.training.thresholds.accept).toBeGreaterThanOrEqual(report.training.thresholds.clarify);
  });

  it('finds bad files, shared examples, strays and too few examples', async () => {
    folder.skill('plants', [...PLANTS, 'Polish the silver!']);
    folder.skill('silver', SILVER, { negative_examples: ['clean the silver spoons and knives'] });
    folder.skill('stray', ['paint the wall and then water the plants and then polish all spoons'], {
      keywords: { none: ['wall'] },
    });
    folder.write('bad.json', '[]');
    const { code, report, found } = await check(folder.dir);
    expect([code, report.skills]).toEqual([1, 3]);
    expect(found).toMatch(/fail bad\.json: file:/);
    expect(found).toMatch(/fail silver: example "polish the silver" is also one of plants/);
    expect(found).toMatch(/fail stray: example ".*" does not come home: /);
    expect(found).toMatch(/warn silver: 3 examples; below 8 it is a guess, twenty are good/);
  });

  it('warns of examples that a person would be asked about, once a skill', async () => {
    const target = { type: 'string', enum: ['roses', 'lilies'] };
    folder.skill('plants', ['water the plants', 'give them some water', 'water the roses'], {
      parameters: { type: 'object', properties: { target }, required: ['target'] },
    });
    const { code, found } = await check(folder.dir);
    expect(found).toContain('warn plants: 2 of 3 examples would be asked about, since they do not say target: "');
    expect(code).toBe(0);
  });

  it('shows skills that are taken for each other, with the sentences', async () => {
    const verbs = ['open', 'show', 'read', 'print', 'find', 'fetch', 'bring', 'hand'];
    folder.skill('letters', [...verbs.map((verb) => `${verb} me the letters`), 'sort the mail by date']);
    folder.skill('parcels', [...verbs.map((verb) => `${verb} me the parcels`), 'sort the mail by weight']);
    const { code, out } = await dual(['skills', 'check', folder.dir]);
    expect(out).toMatch(/^SKILL +EXAMPLES +RIGHT UNSEEN +ACCEPT +ASK +MOST OFTEN TAKEN FOR$/m);
    expect(out).toMatch(/^letters +9 +\d \(\d+\.\d %\) .*parcels \(\d\)/m);
    expect(out).toMatch(/^ {2}letters -> parcels +[01]\.\d\d +"sort the mail by date"$/m);
    expect(out).toMatch(
      /^warn {2}parcels: 1 pair of examples with letters share more than 60 % of their words: "sort the mail by /m,
    );
    expect(out).toContain('a person is asked, below it is no order.');
    expect(out).toMatch(/2 skills, 18 examples, \d+\.\d % right unseen; 0 failed, \d warnings\n$/);
    expect(code).toBe(0);
  });

  it('names examples that share most of their words, within a skill and across', () => {
    const skill = (name: string, examples: string[]): Skill =>
      Skill.parse({ name, version: 1, agent: 'coding', description: name, examples });
    const { pairs, findings } = nearDuplicates([
      skill('a', ['run all the tests now', 'run all the tests today', 'Run all the tests now!']),
      skill('b', ['please run all the tests now', 'walk the dog']),
    ]);
    expect(pairs.map(({ skill: own, other_skill: other, share }) => [own, other, Number(share.toFixed(2))])).toEqual([
      ['a', 'a', 0.67],
      ['a', 'a', 0.67],
    ]);
    expect(findings.map(({ where, problem }) => `${where}: ${problem}`)).toEqual([
      'a: 2 pairs of its examples share more than 60 % of their words: "run all the tests today", "run all the tests now"',
    ]);
  });
});

describe('dual skills new', () => {
  it('writes a valid skeleton once, and takes no name that is taken', async () => {
    folder.skill('plants', PLANTS);
    const env = { SKILLS_DIR: folder.dir };
    const { code, out } = await dual(['skills', 'new', 'water-lawn'], { env });
    const path = join(folder.dir, 'water-lawn.json');
    expect(code).toBe(0);
    expect(out).toContain(path);
    const made = parseSkill(readFileSync(path, 'utf8'));
    expect(made).toMatchObject({ name: 'water-lawn', agent: 'coding', enabled: false });
    expect(made.examples.length).toBeGreaterThanOrEqual(8);
    expect(existsSync(join(folder.dir, made.$schema ?? ''))).toBe(true);
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

  it('is not passed before its placeholders are replaced', async () => {
    folder.write('lawn.json', { ...skeletonOf('lawn', 'coding'), enabled: true });
    const { code, found } = await check(folder.dir);
    expect(found).toContain('fail lawn: 11 placeholders of the skeleton are left');
    expect(code).toBe(1);
  });
});

describe('dual skills test', () => {
  const test = async (lines: string, ...argv: string[]) => {
    folder.write('lines.tsv', lines);
    return dual(['skills', 'test', join(folder.dir, 'lines.tsv'), ...argv], { env: { SKILLS_DIR: folder.dir } });
  };
  beforeEach(() => {
    folder.skill('plants', PLANTS);
    folder.skill('silver', SILVER);
  });

  it('counts what became of labelled sentences, and shows the wrong ones', async () => {
    const lines =
      '# mine\nplants\twater the plants\r\nnone\thello there\nsilver\twater the flowers\n\nplants#silver\twater the plants and polish the silver\n';
    const { code, out } = await test(lines);
    expect(code).toBe(0);
    expect(out).toContain('EXPECTED \\ GOT  none  plants  silver\n');
    expect(out).toMatch(/^plants {10}\. {5}2 {7}\.$/m);
    expect(out).toContain('line 4, decision: water the flowers\n      silver -> plants; word for word');
    expect(out).toContain('3 of 4 right (75.0 %)');
    expect(JSON.parse((await test(lines, '--json')).out)).toMatchObject({
      lines: 4,
      right: 3,
      asked: 0,
      shares: { right: 0.75, exact: 0.75 },
      confusion: [
        { expected: 'none', got: 'none', count: 1 },
        { expected: 'plants', got: 'plants', count: 2 },
        { expected: 'silver', got: 'plants', count: 1 },
        { expected: 'silver', got: 'silver', count: 1 },
      ],
      wrong: [{ line: 4, expected: 'silver', got: 'plants', wrong: 'decision' }],
      unknown: [],
    });
  });

  it('takes lists with tags, orders that wait, questions and control words', async () => {
    const { out, err } = await test(
      [
        'plants > silver\torder\twater the plants and then polish the silver',
        'plants # silver\torder\twater the plants and then polish the silver',
        'plants !> silver\torder\twater the plants and then polish the silver',
        'control:cancel:last\tcontrol,short\tstop',
        'plants/silver\tshort\tpolish all spoons',
        'ask:dishes\tshort\twater the flowers',
      ].join('\n'),
    );
    expect(err).toBe('line 6: there is no skill named dishes\n');
    expect(out).toMatch(/^ask {13}\. {8}1 {7}\.$/m);
    expect(out).toMatch(/^control {9}1 /m);
    expect(out).toContain(
      'line 3, order: water the plants and then polish the silver\n      plants !> silver -> plants > silver;',
    );
    expect(out).toContain('ask:dishes -> plants');
    expect(out).toMatch(/^short +2 of 3$/m);
    expect(out).toContain('4 of 6 right (66.7 %); decision and skills 83.3 %, order too 66.7 %, parameters too 83.3 %');
  });

  it('fails below --min, and only then', async () => {
    const lines = 'plants\twater the plants\nsilver\twater the flowers\n';
    expect(await test(lines, '--min', '0.5')).toMatchObject({ code: 0, err: '' });
    expect(await test(lines, '--min', '0.51')).toMatchObject({ code: 1, err: '50.0 % is less than --min 51.0 %\n' });
    for (const min of ['', 'x', '1.1', '-1', '90%'])
      expect(await test(lines, `--min=${min}`)).toMatchObject({ code: 2, out: '' });
  });

  it('names the line that is none, and the file that is not there', async () => {
    expect(await test('plants\tb\nno tab here\n')).toMatchObject({
      code: 2,
      err: expect.stringContaining('line 2: expected a label, a tab and a sentence') as unknown,
    });
    expect(await dual(['skills', 'test', join(folder.dir, 'nowhere.tsv')])).toMatchObject({
      code: 2,
      err: expect.stringContaining('ENOENT') as unknown,
    });
  });
});
