import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Skill } from '../../../../contracts/skill.ts';
import { REPOSITORY_ROOT } from '../../../../platform/env.ts';
import { loadSnapshot } from '../../../../skills/load.ts';
import type { RegistrySnapshot } from '../../../../skills/registry.ts';
import { createRouter } from '../../../../skills/routing/route.ts';
import type { RouteResult, Router } from '../../../../skills/routing/router.ts';

const DIR = join(REPOSITORY_ROOT, 'skills');

const fixed = (snapshot: RegistrySnapshot) => ({ current: () => snapshot, onChange: () => () => undefined });
const made = (version: string, ...skills: Record<string, unknown>[]): RegistrySnapshot => ({
  version,
  skills: skills.map((entry) => Skill.parse({ version: 1, agent: 'coding', description: 'x', ...entry })),
  agents: [],
  quarantined: [],
  instructionsOf: () => '',
});
const essence = ({ decision, clauses }: RouteResult): unknown[] => [
  decision,
  ...clauses.map(({ skill, text }) => [skill, text]),
];

let snapshot: RegistrySnapshot;
let router: Router;
beforeAll(async () => {
  snapshot = await loadSnapshot(DIR);
  router = createRouter({ registry: fixed(snapshot) });
});

describe('the shipped skills', () => {
  const files = readdirSync(DIR).filter((name) => name.endsWith('.json'));

  it.each(files)('%s: at least ten examples, negative examples, and each routes as written', async (file) => {
    const skill = Skill.parse(JSON.parse(readFileSync(join(DIR, file), 'utf8')));
    expect(skill.examples.length).toBeGreaterThanOrEqual(10);
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
    const lines = readFileSync(join(DIR, 'routing/none-lines.txt'), 'utf8')
      .split('\n')
      .filter((line) => line && !line.startsWith('#'));
    expect(lines.length).toBeGreaterThanOrEqual(150);
    const astray: string[] = [];
    for (const line of lines) if ((await router.route(line)).decision !== 'decline') astray.push(line);
    expect(astray).toEqual([]);
  });
});

describe('sentences', () => {
  it('the seed sentence becomes two jobs with their own clauses', async () => {
    const text = 'Refactor the API and validate the staging website.';
    const result = await router.route(text);
    expect(result.decision).toBe('dispatch');
    expect(result.clauses).toMatchObject([
      { text: 'Refactor the API', span: [0, 16], skill: 'coding', agent: 'coding', depends_on: [] },
      {
        text: 'validate the staging website',
        span: [21, 49],
        skill: 'validate-site',
        agent: 'browser',
        parameters: { target: 'staging' },
        depends_on: [],
      },
    ]);
  });

  // None of these is an example; the second column is what a person would expect.
  it.each<[string, (string | null)[]]>([
    ['please refactor the api and check the staging site', ['coding', 'validate-site']],
    ['refactor the api, then validate the staging website', ['coding', 'validate-site']],
    [
      'Run the tests. Then check the site for broken links. Finally give me a summary.',
      ['run-tests', 'validate-site', 'summarize'],
    ],
    ['Refactor the API, add tests and validate the staging website', ['coding', 'validate-site']],
    ['rename parseUser to readUser everywhere and validate the website', ['rename-symbol', 'validate-site']],
    ['um could you please run the unit tests for me', ['run-tests']],
    ['open the login page, then click sign in and then read the headline', ['browser']],
    ['Clean up the user module and make sure the login page still works', ['coding', 'validate-site']],
    ['check the site http://127.0.0.1:4000/ please', ['validate-site']],
    ['validate staging and validate production', ['validate-site', 'validate-site']],
    ['book me a flight to paris and refactor the API', ['coding']],
  ])('%s', async (text, skills) => {
    const result = await router.route(text);
    expect([result.decision, ...result.clauses.map((clause) => clause.skill)]).toEqual(['dispatch', ...skills]);
  });

  it.each([
    'what a lovely day, and then we went home',
    'I think we should refactor the kitchen and validate our parking',
    'hey, how was your weekend',
    'my brother validates tickets on the train and his wife codes insurance claims',
    'did you hear that they are building a new stadium',
    'what is the weather in Paris and can you play music',
    'lorem ipsum dolor sit amet',
    '你好，今天天气怎么样',
    '🙂🙂🙂',
  ])('declines: %s', async (text) => {
    expect(await router.route(text)).toMatchObject({ decision: 'decline', clauses: [{ skill: null }] });
  });

  it.each(['', '   ', '\n\t', '...', '!?,'])('declines nothing at all: %j', async (text) => {
    expect((await router.route(text)).decision).toBe('decline');
  });

  it('waits for what was said before: then, if it fails, either way', async () => {
    const result = await router.route(
      'run the tests, if they fail fix the failing tests, either way summarize the results',
    );
    expect(result.clauses.map(({ skill, depends_on }) => [skill, depends_on])).toEqual([
      ['run-tests', []],
      ['fix-tests', [{ clause: 0, when: 'failed' }]],
      [
        'summarize',
        [
          { clause: 0, when: 'finished' },
          { clause: 1, when: 'finished' },
        ],
      ],
    ]);
  });

  it('asks for what is missing', async () => {
    expect(await router.route('rename the function')).toMatchObject({
      decision: 'clarify',
      clauses: [{ skill: 'rename-symbol', missing: ['from', 'to'] }],
    });
  });

  it('knows control words, but only as the whole utterance', async () => {
    expect(await router.route('Never mind.')).toMatchObject({
      decision: 'control',
      control: { action: 'cancel' },
      clauses: [],
    });
    expect((await router.route('make the job stop when the queue is empty')).decision).not.toBe('control');
  });

  it('says which rules and skills decided, and how long it took', async () => {
    const result = await router.route('run the tests');
    expect(result.router_version).toBe(router.version);
    expect(result.latency_ms).toBeGreaterThan(0);
    expect(result.clauses[0]?.reason).toMatch(/word for word an example of run-tests/);
  });
});

describe('uncertainty', () => {
  const twins = (priority = 0): RegistrySnapshot =>
    made(
      'twins',
      { name: 'water', examples: ['feed the plants', 'water the plants', 'look after the plants in the hall'] },
      {
        name: 'prune',
        routing: { priority },
        examples: ['feed the plants', 'cut the plants', 'look after the plants in the hall'],
      },
    );

  it('two skills tied are asked about, both named', async () => {
    const result = await createRouter({ registry: fixed(twins()) }).route('feed the plants');
    expect(result.decision).toBe('clarify');
    expect([result.clauses[0]?.skill, result.clauses[0]?.runner_up?.skill].sort()).toEqual(['prune', 'water']);
  });

  it('unless one has priority', async () => {
    const result = await createRouter({ registry: fixed(twins(5)) }).route('feed the plants');
    expect([result.decision, result.clauses[0]?.skill]).toEqual(['dispatch', 'prune']);
  });

  it("a skill's own bars count", async () => {
    const examples = ['paint the wall', 'paint the fence', 'paint the door'];
    const ask = await createRouter({
      registry: fixed(made('a', { name: 'paint', examples, routing: { accept: 1, clarify: 0.1 } })),
    }).route('paint the gate');
    expect(ask).toMatchObject({ decision: 'clarify', clauses: [{ skill: 'paint' }] });
    const never = await createRouter({
      registry: fixed(made('b', { name: 'paint', examples, routing: { accept: 1, clarify: 1 } })),
    }).route('paint the gate');
    expect(never.decision).toBe('decline');
  });

  it('keywords: "none" excludes a skill, "any" helps it', async () => {
    const examples = ['check the page', 'look at the page', 'verify the page'];
    const route = async (keywords: Record<string, string[]>, text: string): Promise<RouteResult> =>
      createRouter({ registry: fixed(made('k', { name: 'look', examples, keywords })) }).route(text);
    expect((await route({ none: ['deploy'] }, 'check the page')).decision).toBe('dispatch');
    expect((await route({ none: ['deploy'] }, 'check the deploy page')).decision).toBe('decline');
    const plain = (await route({}, 'check the website')).clauses[0]?.score ?? 0;
    const helped = (await route({ any: ['website'] }, 'check the website')).clauses[0]?.score ?? 0;
    expect(helped).toBeGreaterThan(plain);
  });
});

describe('following the registry', () => {
  it('answers with the old skills until it has learnt the new ones', async () => {
    let current = made('one', { name: 'one', examples: ['polish the silver spoons'] });
    let changed: (next: RegistrySnapshot) => void = () => undefined;
    const follower = createRouter({
      registry: {
        current: () => current,
        onChange: (listener) => {
          changed = listener;
          return () => undefined;
        },
      },
    });
    expect((await follower.route('polish the silver spoons')).decision).toBe('dispatch');
    const before = follower.version;
    current = made('two', { name: 'two', examples: ['wind the old clock'] });
    changed(current);
    const at_once = await follower.route('polish the silver spoons');
    expect([at_once.decision, at_once.router_version]).toEqual(['dispatch', before]);
    while (follower.version === before) await new Promise((resolve) => setImmediate(resolve));
    expect((await follower.route('polish the silver spoons')).decision).toBe('decline');
    expect((await follower.route('wind the old clock')).clauses[0]?.skill).toBe('two');
  });

  it('has an answer without any skill', async () => {
    expect((await createRouter({ registry: fixed(made('none')) }).route('run the tests')).decision).toBe('decline');
  });

  it('learns a skill from a single example', async () => {
    const result = await createRouter({
      registry: fixed(made('s', { name: 'clock', examples: ['wind the old clock'] })),
    }).route('wind the old clock');
    expect(result.clauses[0]?.skill).toBe('clock');
  });
});

describe('hostile input', () => {
  /** Far above what it takes (tens of milliseconds), far below what a quadratic or exponential way would take. */
  const DEADLINE_MS = 5_000;
  it.each<[string, string]>([
    ['500 times "and"', 'and '.repeat(500)],
    ['400 orders joined by "and"', 'run the tests and '.repeat(400)],
    ['orders joined by "then"', 'validate the site, refactor the api then '.repeat(190)],
    ['8,000 letters', 'a'.repeat(8_000)],
    ['8,000 marks', '!?,;. '.repeat(1_333)],
    ['conditions only', 'if it fails '.repeat(660)],
    ['letters one by one', 'a b '.repeat(2_000)],
    ['combining marks', 'a\u0301'.repeat(4_000)],
    ['an address without end', `check http://${'a.'.repeat(3_900)}`],
    ['too long', 'x '.repeat(4_001)],
  ])('is bounded in time and in jobs: %s', async (_, text) => {
    await router.route('run the tests');
    const started = performance.now();
    const result = await router.route(text);
    expect(performance.now() - started).toBeLessThan(DEADLINE_MS);
    expect(result.clauses.length).toBeLessThanOrEqual(8);
  });

  it('stops when asked to', async () => {
    const result = await router.route('run the tests and check the site', AbortSignal.abort(new Error('gone')));
    expect(result).toMatchObject({ decision: 'decline', clauses: [{ reason: 'could not be read: gone' }] });
  });

  it('any text: spans are the clauses, dependencies point back, orders are complete', async () => {
    const words = fc.constantFrom(
      ...'refactor the api validate staging website run tests and then if it fails either way , . ; summarize results rename a to b hello'.split(
        ' ',
      ),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string({ maxLength: 300 }),
          fc.array(words, { maxLength: 40 }).map((list) => list.join(' ')),
        ),
        async (text) => {
          const { decision, clauses, control } = await router.route(text);
          expect(control !== null).toBe(decision === 'control');
          for (const [i, clause] of clauses.entries()) {
            expect(text.slice(...clause.span)).toBe(clause.text);
            if (i > 0) expect(clause.span[0]).toBeGreaterThanOrEqual(clauses[i - 1]?.span[1] ?? 0);
            for (const { clause: before } of clause.depends_on) expect(before).toBeLessThan(i);
            if (decision === 'dispatch') expect([clause.missing, typeof clause.skill]).toEqual([[], 'string']);
            expect(clause.score).toBeGreaterThanOrEqual(0);
            expect(clause.score).toBeLessThanOrEqual(1);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
