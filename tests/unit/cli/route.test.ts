import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Skill } from '../../../contracts/skill.ts';
import { explain } from '../../../cli/explain.ts';
import type { RouteResult } from '../../../skills/routing/router.ts';
import { dual } from '../../fakes/dual.ts';
import { clauseOf, routeOf } from '../../fakes/scripted-router.ts';
import { createSkillsFolder } from '../../fakes/skills-folder.ts';
import type { SkillsFolder } from '../../fakes/skills-folder.ts';

let folder: SkillsFolder;
beforeEach(() => {
  folder = createSkillsFolder();
});
afterEach(() => folder.remove());

const PLANTS = ['water the plants', 'water the flowers', 'give the plants some water'];

describe('dual route', () => {
  it('is one decision a line, for words and for standard input, and always ends with 0', async () => {
    folder.skill('plants', PLANTS);
    const env = { SKILLS_DIR: folder.dir };
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

  it('has these fields and no others: other programs read them', async () => {
    folder.skill('plants', PLANTS);
    const { out } = await dual(['route', '--json', 'water the plants', 'stop'], { env: { SKILLS_DIR: folder.dir } });
    const [order, control] = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as RouteResult);
    const fields = (value: object | null | undefined): string => Object.keys(value ?? {}).join(' ');
    expect(fields(order)).toBe('decision control clauses router_version latency_ms');
    expect(fields(order?.clauses[0])).toBe(
      'text span skill agent score runner_up margin parameters missing ask depends_on reason',
    );
    expect([order?.control, fields(control), control?.control]).toEqual([
      null,
      'decision clauses control router_version latency_ms',
      { action: 'cancel', target: 'last' },
    ]);
  });

  it('is a line a clause without --explain', async () => {
    folder.skill('plants', PLANTS);
    const { out } = await dual(['route', 'water the plants', 'stop'], { env: { SKILLS_DIR: folder.dir } });
    expect(out).toBe('dispatch: water the plants\n  1 plants: water the plants\ncontrol: stop\n  cancel last\n');
  });

  it('explains itself in words, and says which files were left out', async () => {
    folder.skill('plants', PLANTS);
    folder.write('bad.json', '{');
    const { out, err } = await dual(['route', '--explain', 'water the plants', 'stop'], {
      env: { SKILLS_DIR: folder.dir },
    });
    expect(out).toContain('  1  plants, done by the agent coding: "water the plants" (characters 0 to 16)\n');
    expect(out).toMatch(/why {6}word for word an example of plants\n/);
    expect(out).toMatch(/score {4}0\.99; 0\.\d\d is enough \(the bar for read_only\)\n/);
    expect(out).toContain('control: stop\n  it steers what is running and starts nothing\n');
    expect(out).toContain('it would cancel what this session asked for last');
    expect(err).toMatch(/^left out: bad\.json: not valid JSON/);
  });

  it('knows the sites that have names', async () => {
    folder.skill('visit', ['open the shop', 'visit the shop page', 'look at the shop'], {
      parameters: { type: 'object', properties: { site: { type: 'string', format: 'target' } }, required: ['site'] },
    });
    folder.write('targets.txt', [{ name: 'shop', url: 'http://shop.test' }]);
    const asked = await dual(['route', 'open the shop'], { env: { SKILLS_DIR: folder.dir } });
    const known = await dual(['route', 'open the shop'], {
      env: { SKILLS_DIR: folder.dir, TARGETS_FILE: join(folder.dir, 'targets.txt') },
    });
    expect(asked.out).toMatch(/^clarify: .*\n.*missing site/);
    expect(known.out).toMatch(/^dispatch: .*\n.*site="shop"/);
  });

  it('a folder that is none is a usage error', async () => {
    expect(await dual(['route', 'x'], { env: { SKILLS_DIR: join(folder.dir, 'nowhere') } })).toMatchObject({
      code: 2,
      out: '',
    });
  });
});

describe('explain', () => {
  const skill = (name: string, more: object): Skill =>
    Skill.parse({ name, version: 1, agent: 'coding', description: name, examples: [name], ...more });
  const yardstick = {
    skills: [
      skill('coding', {}),
      skill('deploy', { approval: { risk: 'writes_remote' }, slot_prompts: { target: 'Staging or production?' } }),
      skill('strict', { routing: { accept: 0.95 } }),
    ],
    bars: { thresholds: { accept: 0.6, clarify: 0.3 }, risky: { accept: 0.8, clarify: 0.3 } },
  };
  const textOf = (result: RouteResult): string => explain('what was said', result, yardstick);

  it('says scores against the bars of the skill, its risk, or its own', () => {
    const text = textOf(
      routeOf('clarify', [
        clauseOf('a', { score: 0.7, runner_up: { skill: 'deploy', score: 0.2 }, margin: 0.5 }),
        clauseOf('b', { skill: 'deploy', score: 0.7, ask: true }),
        clauseOf('c', { skill: 'strict', score: 0.9, ask: true }),
        clauseOf('f', { score: 0.4, runner_up: { skill: 'deploy', score: 0.35 }, margin: 0.05 }),
        clauseOf('d', { score: 0.2, ask: true }),
        clauseOf('e', { skill: null, agent: null, score: 0.1, reason: 'no skill fits' }),
      ]),
    );
    expect(text).toContain('0.70; 0.60 is enough (the bar for read_only)');
    expect(text).toContain('deploy with 0.20, 0.50 behind');
    expect(text).toContain('0.70; 0.80 is enough, from 0.30 on it is asked about (the bar for writes_remote)');
    expect(text).toContain("0.90; 0.95 is enough, from 0.30 on it is asked about (the skill's own bar)");
    expect(text).toContain('0.20; from 0.30 on it is asked about (the bar for read_only)');
    expect(text).toContain('0.40, 0.75 together with deploy; 0.60 is enough (the bar for read_only)');
    expect(text).toMatch(/6 {2}no order: "e" .*\n {5}why {6}no skill fits\n {5}score {4}0\.10\n/);
  });

  it('says what waits for what, what was found and what is missing', () => {
    const text = textOf(
      routeOf('clarify', [
        clauseOf('fix it'),
        clauseOf('deploy it', {
          skill: 'deploy',
          ask: true,
          missing: ['target'],
          parameters: { version: 2, name: 'x' },
          depends_on: [{ clause: 0, when: 'succeeded' }],
        }),
        clauseOf('report', { depends_on: [{ clause: 1, when: 'finished' }] }),
        clauseOf('undo', { depends_on: [{ clause: 1, when: 'failed' }] }),
      ]),
    );
    expect(text).toContain('a question would be asked first');
    expect(text).toContain('runs     when every question is answered\n');
    expect(text).toContain(
      'with     version = 2, name = "x"\n     missing  target\n     asked    "Staging or production?"\n',
    );
    expect(text).toContain('after clause 1, if it succeeded\n');
    expect(text).toContain('after clause 2, whether it succeeded or not\n');
    expect(text).toContain('after clause 2, if it failed\n');
  });

  it('says once what was left aside, and why', () => {
    const clause = clauseOf('fix it', { reason: 'fits coding; left aside as no order: "what a day"' });
    const aside = { text: 'what a day', span: [0, 10] as [number, number], reason: 'no order (0.98)' };
    const text = textOf({ ...routeOf('dispatch', [clause]), aside: [aside] });
    expect(text).toContain('why      fits coding\n');
    expect(text).toContain('  left aside: "what a day" (characters 0 to 10): no order (0.98)\n');
  });

  it('says whom a control word steers, and what a second opinion came to', () => {
    const control = (action: string, target: string | null): string =>
      textOf(routeOf('control', [], { action, target })).split('\n')[2] ?? '';
    expect(control('cancel', 'all')).toBe('  it would cancel everything this session asked for');
    expect(control('status', 'browser')).toBe('  it would say how it stands with the jobs of the agent browser');
    expect(control('approve', '2')).toBe('  it would say yes to the question of job 2 of the last task');
    const opinion = {
      mode: 'shadow' as const,
      used: false,
      reason: 'the sentence has "if" (condition): agrees',
      answer: null,
      provider: 'openai',
      model: 'a-model',
      input_tokens: null,
      output_tokens: null,
      cache_read_tokens: null,
      cache_write_tokens: null,
      cost_usd: null,
      cost_source: null,
      price_version: null,
      duration_ms: 1,
    };
    expect(textOf({ ...routeOf('dispatch', [clauseOf('a')]), second_opinion: opinion })).toContain(
      '  second opinion of a-model, not used: the sentence has "if" (condition): agrees',
    );
  });

  it('gives a terminal nothing that could steer it', () => {
    expect(explain('\u001b[2Jx', routeOf('decline'), yardstick)).not.toContain('\u001b');
  });
});
