import { describe, expect, it } from '@jest/globals';
import { Skill } from '../../../contracts/skill.ts';
import { answerClause, openClause, questionFor, refusesQuestion } from '../../../gateway/clarify.ts';
import type { RegistrySnapshot } from '../../../skills/registry.ts';
import { clauseOf, routeOf } from '../../fakes/scripted-router.ts';

const skills = [
  Skill.parse({ name: 'coding', version: 1, agent: 'coding', description: 'Change code', examples: ['x'] }),
  Skill.parse({
    name: 'validate-site',
    version: 1,
    agent: 'browser',
    description: 'Check a site',
    examples: ['x'],
    parameters: {
      type: 'object',
      properties: { target: { type: 'string', enum: ['staging', 'production'] } },
      required: ['target'],
    },
    slot_prompts: { target: 'Which site, staging or production?' },
  }),
  Skill.parse({
    name: 'rename-symbol',
    version: 1,
    agent: 'coding',
    description: 'Rename a symbol',
    examples: ['x'],
    parameters: {
      type: 'object',
      properties: { from: { type: 'string', maxLength: 20 }, times: { type: 'integer' } },
      required: ['from', 'times'],
    },
  }),
  Skill.parse({
    name: 'rename-code',
    version: 1,
    agent: 'coding',
    description: 'Rename in code',
    examples: ['x'],
    parameters: {
      type: 'object',
      properties: {
        from: { type: 'string', format: 'symbol', 'x-cues': ['rename', 'from'] },
        to: { type: 'string', format: 'symbol', 'x-cues': ['to', 'into'] },
      },
      required: ['from', 'to'],
    },
  }),
  Skill.parse({
    name: 'visit',
    version: 1,
    agent: 'browser',
    description: 'Open a site',
    examples: ['x'],
    parameters: {
      type: 'object',
      properties: {
        target: { type: 'string', format: 'target', 'x-synonyms': { staging: [], production: ['prod', 'live'] } },
      },
      required: ['target'],
    },
  }),
];
const snapshot: RegistrySnapshot = {
  version: 'v',
  skills,
  agents: [],
  instructionsOf: () => '',
  quarantined: [],
};
const TRACE = 'a'.repeat(32);
const declined = routeOf('decline');
const missingTarget = clauseOf('check the site', {
  skill: 'validate-site',
  agent: 'browser',
  ask: true,
  missing: ['target'],
});
const tied = clauseOf('test it', {
  ask: true,
  score: 0.4,
  margin: 0.02,
  runner_up: { skill: 'validate-site', score: 0.38 },
});

describe('asking', () => {
  it('finds the first clause that waits for an answer', () => {
    expect(openClause([clauseOf('a'), tied, missingTarget])).toEqual({ clause: tied, index: 1 });
    expect(openClause([clauseOf('a')])).toBeNull();
  });

  it('asks for what is missing in the words of the skill', () => {
    expect(questionFor(TRACE, missingTarget, snapshot)).toEqual({
      status: 'clarify',
      trace_id: TRACE,
      question: 'Which site, staging or production?',
      candidates: [{ skill: 'validate-site', text: 'Check a site', score: 0.9 }],
      missing: ['target'],
    });
  });

  it('asks by name when the skill has no words for it', () => {
    const clause = clauseOf('rename it', { skill: 'rename-symbol', ask: true, missing: ['from', 'times'] });
    expect(questionFor(TRACE, clause, snapshot).question).toBe('For "rename it", what is the from?');
  });

  it('offers the two that are tied', () => {
    const { question, candidates } = questionFor(TRACE, tied, snapshot);
    expect(candidates.map(({ skill }) => skill)).toEqual(['coding', 'validate-site']);
    expect(question).toBe('For "test it", do you mean coding (Change code), or validate-site (Check a site)?');
  });
});

describe('answering', () => {
  it('takes a value that is named', () => {
    expect(answerClause([missingTarget], 'The production one, please.', declined, snapshot)).toEqual([
      expect.objectContaining({ parameters: { target: 'production' }, missing: [], ask: false }),
    ]);
  });

  it('takes no value that is not one of those asked for, nor two at once', () => {
    expect(answerClause([missingTarget], 'the other one', declined, snapshot)).toBeNull();
    expect(answerClause([missingTarget], 'staging and production', declined, snapshot)).toBeNull();
  });

  it('asks on while something is missing', () => {
    const clause = clauseOf('rename it', { skill: 'rename-symbol', ask: true, missing: ['from', 'times'] });
    const once = answerClause([clause], 'parse user.', declined, snapshot);
    expect(once?.[0]).toMatchObject({ parameters: { from: 'parse user' }, missing: ['times'], ask: true });
    expect(answerClause(once ?? [], 'many', declined, snapshot)).toBeNull();
    expect(answerClause(once ?? [], '3', declined, snapshot)?.[0]).toMatchObject({
      parameters: { from: 'parse user', times: 3 },
      ask: false,
    });
  });

  it('takes the whole order said once more', () => {
    const said = routeOf('dispatch', [
      clauseOf('check the staging site', { skill: 'validate-site', parameters: { target: 'staging' } }),
    ]);
    expect(answerClause([missingTarget], 'check the staging site', said, snapshot)?.[0]).toMatchObject({
      text: 'check the staging site',
      parameters: { target: 'staging' },
      ask: false,
    });
  });

  it('takes an order for something else as a new sentence', () => {
    const clause = clauseOf('rename it', { skill: 'rename-symbol', ask: true, missing: ['from'] });
    const other = routeOf('dispatch', [clauseOf('refactor', { skill: 'coding' })]);
    expect(answerClause([clause], 'refactor', other, snapshot)).toBeNull();
  });

  it('takes a candidate by its name, and asks for what that one needs', () => {
    expect(answerClause([tied], 'coding', declined, snapshot)?.[0]).toMatchObject({ skill: 'coding', ask: false });
    expect(answerClause([tied], 'I mean validate site', declined, snapshot)?.[0]).toMatchObject({
      skill: 'validate-site',
      agent: 'browser',
      missing: ['target'],
      ask: true,
    });
  });

  it('takes an order that is clearly for one of the candidates', () => {
    const said = routeOf('dispatch', [
      clauseOf('check the production site', { skill: 'validate-site', parameters: { target: 'production' } }),
    ]);
    expect(answerClause([tied], 'check the production site', said, snapshot)?.[0]).toMatchObject({
      skill: 'validate-site',
      parameters: { target: 'production' },
      score: 1,
      ask: false,
    });
  });

  it('does not take both names, nor none', () => {
    expect(answerClause([tied], 'coding or validate site', declined, snapshot)).toBeNull();
    expect(answerClause([tied], 'whatever', declined, snapshot)).toBeNull();
  });

  it('leaves the other clauses as they were', () => {
    const first = clauseOf('refactor');
    const answered = answerClause([first, missingTarget], 'staging', declined, snapshot);
    expect(answered?.[0]).toBe(first);
    expect(answered?.[1]).toMatchObject({ ask: false });
  });

  it('reads names as orders do', () => {
    const clause = clauseOf('rename it', { skill: 'rename-code', ask: true, missing: ['from', 'to'] });
    const both = answerClause([clause], 'parse user to read user, please', declined, snapshot);
    expect(both?.[0]).toMatchObject({ parameters: { from: 'parseUser', to: 'readUser' }, missing: [], ask: false });
    const one = answerClause([clause], 'get user by I D', declined, snapshot);
    expect(one?.[0]).toMatchObject({ parameters: { from: 'getUserById' }, missing: ['to'], ask: true });
    expect(answerClause(one ?? [], 'call it fetch user', declined, snapshot)?.[0]).toMatchObject({
      parameters: { from: 'getUserById', to: 'fetchUser' },
      ask: false,
    });
  });

  it.each(['neither', 'never mind', 'I have no idea', 'what do you mean', 'No.', 'um', ''])(
    'does not take %j for a name',
    (answer) => {
      const clause = clauseOf('rename it', { skill: 'rename-code', ask: true, missing: ['from', 'to'] });
      expect(answerClause([clause], answer, declined, snapshot)).toBeNull();
    },
  );

  it.each([
    ['prod', 'production'],
    ['the live one please', 'production'],
    ['not production, staging', 'staging'],
    ['preview', 'preview'],
    ['staging dot example dot com', 'https://staging.example.com/'],
    ['twelve', undefined],
  ])('takes a site by name, synonym or address: %s', (answer, target) => {
    const clause = clauseOf('open the site', { skill: 'visit', ask: true, missing: ['target'] });
    const targets = [{ name: 'preview', url: 'https://preview.example.org' }];
    const answered = answerClause([clause], answer, declined, snapshot, { targets });
    expect(answered?.[0]?.parameters['target']).toBe(target);
  });

  it('takes a bare choice for the answer, whatever order it resembles', () => {
    const other = routeOf('dispatch', [clauseOf('production', { skill: 'coding' })]);
    expect(answerClause([missingTarget], 'the production website please', other, snapshot)?.[0]).toMatchObject({
      parameters: { target: 'production' },
      ask: false,
    });
    expect(answerClause([missingTarget], 'deploy to production', other, snapshot)).toBeNull();
  });

  it('takes numbers in words', () => {
    const clause = clauseOf('rename it', { skill: 'rename-symbol', ask: true, missing: ['times'] });
    for (const [answer, times] of [
      ['twenty', 20],
      ['a hundred and two times', 102],
    ] as const)
      expect(answerClause([clause], answer, declined, snapshot)?.[0]).toMatchObject({ parameters: { times } });
    expect(answerClause([clause], 'two point five', declined, snapshot)).toBeNull();
  });

  it('takes a candidate by its place, or the only one by agreement', () => {
    expect(answerClause([tied], 'the second one', declined, snapshot)?.[0]).toMatchObject({ skill: 'validate-site' });
    expect(answerClause([tied], 'the first', declined, snapshot)?.[0]).toMatchObject({ skill: 'coding' });
    expect(answerClause([tied], 'yes', declined, snapshot)).toBeNull();
    const only = clauseOf('test it', { ask: true });
    expect(answerClause([only], 'Yes, please.', declined, snapshot)?.[0]).toMatchObject({
      skill: 'coding',
      ask: false,
    });
    expect(answerClause([only], 'no', declined, snapshot)).toBeNull();
  });

  it('reads the parameters of the chosen skill from the order and from the answer', () => {
    const clause = { ...tied, text: 'test staging' };
    expect(answerClause([clause], 'validate site', declined, snapshot)?.[0]?.parameters).toEqual({ target: 'staging' });
    expect(answerClause([tied], 'validate site, the production one', declined, snapshot)?.[0]).toMatchObject({
      parameters: { target: 'production' },
      missing: [],
    });
  });
});

describe('an answer that is no plain yes starts nothing that others see', () => {
  const deploy = Skill.parse({
    name: 'deploy',
    version: 1,
    agent: 'deployment',
    description: 'Deploy',
    examples: ['deploy to staging'],
    parameters: {
      type: 'object',
      properties: { target: { type: 'string', enum: ['staging', 'production'] } },
      required: ['target'],
    },
    approval: { policy: 'always', risk: 'writes_remote' },
  });
  const served = { ...snapshot, skills: [...skills, deploy] };
  const of = { skill: 'deploy', agent: 'deployment', ask: true };
  const doubted = clauseOf('hold off deploying', { ...of, parameters: { target: 'production' } });
  const unsaid = clauseOf('deploy', { ...of, missing: ['target'] });

  it.each([
    ["no, don't deploy", true],
    ["don't deploy", true],
    ['no deploy please', true],
    ['under no circumstances', true],
    ['never mind', true],
    ['cancel the deploy', false],
    ['should I deploy?', false],
    ['maybe deploy later', false],
  ])('%s', (answer, over) => {
    expect(answerClause([doubted], answer, declined, served)).toBeNull();
    expect(refusesQuestion([doubted], answer, served)).toBe(over);
  });

  it.each([
    'no production please',
    'is production down?',
    'not yet to production',
    'production tomorrow',
    'not staging',
  ])('as a value: %s', (answer) => {
    expect(answerClause([unsaid], answer, declined, served)).toBeNull();
  });

  it('a plain one does', () => {
    expect(answerClause([doubted], 'yes', declined, served)?.[0]).toMatchObject({ skill: 'deploy', ask: false });
    expect(answerClause([unsaid], 'to production please', declined, served)?.[0]).toMatchObject({
      parameters: { target: 'production' },
    });
    expect(refusesQuestion([unsaid], 'wait', served)).toBe(false);
  });

  it('a skill that is denied by name is not chosen', () => {
    expect(answerClause([tied], 'not coding', declined, snapshot)).toBeNull();
    expect(answerClause([tied], 'coding', declined, snapshot)?.[0]).toMatchObject({ skill: 'coding' });
  });
});
