import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { REPOSITORY_ROOT } from '../../../../platform/env.ts';
import { loadSnapshot } from '../../../../skills/load.ts';
import type { RegistrySnapshot } from '../../../../skills/registry.ts';
import { createRouter } from '../../../../skills/routing/route.ts';
import type { RouteResult, Router } from '../../../../skills/routing/router.ts';
import { fixedRegistry as fixed, madeSnapshot as made } from '../../../fakes/fixed-registry.ts';

let router: Router;
beforeAll(async () => {
  router = createRouter({ registry: fixed(await loadSnapshot(join(REPOSITORY_ROOT, 'skills'))) });
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

  it.each<[string, (string | null)[]]>([
    ['please refactor the api and check the staging site', ['coding', 'validate-site']],
    ['refactor the api, then validate the staging website', ['coding', 'validate-site']],
    [
      'Run the tests. Then check the site for broken links. Finally give me a summary.',
      ['run-tests', 'validate-site', 'summarize'],
    ],
    ['Refactor the API, add tests and validate the staging website', ['coding', 'write-tests', 'validate-site']],
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
    'hey siri, run the tests',
    'lorem ipsum dolor sit amet',
    '你好，今天天气怎么样',
    '🙂🙂🙂',
  ])('declines: %s', async (text) => {
    expect(await router.route(text)).toMatchObject({ decision: 'decline', clauses: [{ skill: null }] });
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

describe('sentences as they are really said', () => {
  /** Clauses as "skill: text", with what they wait for. */
  const routed = async (text: string): Promise<unknown[]> => {
    const { decision, clauses } = await router.route(text);
    return [
      decision,
      ...clauses.map(({ skill, text: said, depends_on }) =>
        [`${skill}: ${said}`, ...depends_on.map(({ clause, when }) => `${clause} ${when}`)].join(' < '),
      ),
    ];
  };

  it('"fix and test the parser": two orders that share the parser', async () => {
    const { decision, clauses } = await router.route('fix and test the parser');
    expect([decision, clauses.length]).toEqual(['dispatch', 2]);
    expect(clauses[0]?.skill).toMatch(/^(fix-bug|coding)$/);
    expect(clauses[1]?.skill).toMatch(/^(write-tests|run-tests)$/);
  });

  it('"deploy it" alone asks what, and where', async () => {
    expect(await router.route('deploy it')).toMatchObject({
      decision: 'clarify',
      clauses: [{ skill: 'deploy', ask: true, missing: ['target'] }],
    });
  });

  it.each(['test it', 'refactor this', 'fix'])('"%s" alone does not say what', async (text) => {
    const { decision, clauses } = await router.route(text);
    expect([decision, clauses.length]).toEqual(['clarify', 1]);
    expect(clauses[0]?.reason).toBe(`"${text}" does not say what`);
  });

  it('what was taken back is not ordered', async () => {
    const { decision, clauses } = await router.route('refactor the, no wait, revert the API');
    expect(clauses.map(({ skill, text, span }) => [skill, text, span])).toEqual([
      ['coding', 'revert the API', [23, 37]],
    ]);
    expect(['dispatch', 'clarify']).toContain(decision);
  });

  it.each([
    "don't deploy anything yet, just fix the types",
    'fix the types, but do not deploy to production',
    'fix the types but do not deploy to production',
    "fix the types but don't deploy to staging",
    'fix the types, no need to deploy it to production',
    'fix the types instead of deploying to production',
    'fix the types, do not touch production and staging',
  ])('what must not be done is not: %s', async (text) => {
    const { decision, clauses } = await router.route(text);
    expect([decision, ...clauses.map(({ agent }) => agent)]).toEqual(['dispatch', 'coding']);
  });

  it('two sites for one check are two checks, and no deployment', async () => {
    const { clauses } = await router.route('validate staging and production');
    expect(clauses.map(({ skill, parameters }) => [skill, parameters['target']])).toEqual([
      ['validate-site', 'staging'],
      ['validate-site', 'production'],
    ]);
  });

  it.each(['deploy to production if the tests pass', 'if the tests pass deploy to production'])(
    'a condition that nothing said before meets is not dropped: %s',
    async (text) => {
      const { decision, clauses } = await router.route(text);
      const last = clauses.find(({ skill }) => skill === 'deploy');
      expect(decision === 'dispatch' && last?.depends_on.length === 0).toBe(false);
    },
  );

  it.each([
    ['right the tests for the parser', 'write-tests', {}],
    ['validate the staging sight', 'validate-site', { target: 'staging' }],
    ['de ploy to pro duction', 'deploy', { target: 'production' }],
  ])('heard wrongly: %s', async (text, skill, parameters) => {
    expect(await router.route(text)).toMatchObject({ decision: 'dispatch', clauses: [{ skill, text, parameters }] });
  });

  it('"if it passes …, if it fails …": both speak of what came before', async () => {
    expect(await routed('run the tests and if it passes deploy to staging, if it fails fix the tests')).toEqual([
      'dispatch',
      'run-tests: run the tests',
      'deploy: deploy to staging < 0 succeeded',
      'fix-tests: fix the tests < 0 failed',
    ]);
  });

  it('a condition at the end keeps a clause apart from its neighbour', async () => {
    const { clauses } = await router.route('refactor the API, clean up the code if it fails');
    expect(clauses.map(({ depends_on }) => depends_on)).toEqual([[], [{ clause: 0, when: 'failed' }]]);
  });

  it('"before you …": what comes later is said first', async () => {
    expect(await routed('before you deploy to production validate staging')).toEqual([
      'dispatch',
      'validate-site: validate staging',
      'deploy: deploy to production < 0 succeeded',
    ]);
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

  it.each(['read me the two signs', 'wear the coat, too', 'knew nobody sign up'])(
    'an example is itself, whatever a recogniser might have made of it: %s',
    async (text) => {
      const { clauses } = await createRouter({
        registry: fixed(made('odd', { name: 'odd', examples: [text, 'readme and signup'] })),
      }).route(text);
      expect(clauses).toMatchObject([{ skill: 'odd', text, reason: 'word for word an example of odd' }]);
    },
  );

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

  it('learns a skill from a single example, and has an answer without any', async () => {
    expect((await createRouter({ registry: fixed(made('none')) }).route('run the tests')).decision).toBe('decline');
    const result = await createRouter({
      registry: fixed(made('s', { name: 'clock', examples: ['wind the old clock'] })),
    }).route('wind the old clock');
    expect(result.clauses[0]?.skill).toBe('clock');
  });
});
