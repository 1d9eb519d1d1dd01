import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { REPOSITORY_ROOT } from '../../../../platform/env.ts';
import { loadSnapshot } from '../../../../skills/load.ts';
import { createRouter } from '../../../../skills/routing/route.ts';
import type { Router } from '../../../../skills/routing/router.ts';
import { deniesAgain, takenBack } from '../../../../skills/routing/spoken-refusals.ts';
import { fixedRegistry } from '../../../fakes/fixed-registry.ts';

let router: Router;
beforeAll(async () => {
  router = createRouter({ registry: fixedRegistry(await loadSnapshot(join(REPOSITORY_ROOT, 'skills'))) });
});

/** What would start at once: "fix-tests", "run-tests > deploy". */
const starts = async (text: string): Promise<string> => {
  const { decision, clauses } = await router.route(text);
  return decision === 'dispatch' ? clauses.map(({ skill }) => skill).join(' ') : decision;
};

describe('a deployment that nobody ordered does not start', () => {
  it.each(
    `under no circumstances deploy to production
     whatever you do don't ship it to production
     hold off the staging deployment
     abort the production rollout
     skip the deploy to staging
     stop deploying to production
     avoid deploying to production
     no deploy to production please
     without deploying to production
     deploy to production? no
     deploy to production? not today
     deploy to production never
     deploy to production, never mind
     deploy to production actually don't
     deploy to production no wait
     deploy to production, on second thought no
     deploy to staging. Don't.
     deploy to production stop
     deploy to production but not yet
     deploy to anything but production
     deploy to production tomorrow
     we can't deploy to production
     now is not the time to deploy to production
     nobody deploy to production please
     should we deploy to production
     is it safe to deploy to production
     what if we deploy to production
     why deploy to production
     how do I deploy to production
     how to deploy to production
     who can deploy to production
     Bob deployed the backend to production
     the deploy to production failed
     the button says deploy to production
     the ticket says roll out the api to production
     ask Bob to deploy to production
     remind me to deploy to production
     ask me before you deploy to production
     wait before deploying to production
     roll back the production release
     undo the deploy to production
     say deploy to production
     do a dry run of the staging deployment
     fix the deploy to production script
     fix the test that says deploy to production
     find out why the deploy to production failed
     add a confirmation before deploying to production
     add a comment that says do not deploy to production
     we fix the tests and deploy to production every day
     after the tests pass deploy to production
     neither run the tests nor deploy to staging
     release to production needs approval
     I want to know how to deploy to production
     I need permission to deploy to production
     donut deploy to production`.split(/\n\s*/),
  )('%s', async (text) => {
    expect(await starts(text)).toMatch(/^(?:clarify|decline)$/);
  });

  it.each([
    ['run the tests, no deploy to production', 'run-tests'],
    ['run the tests and under no circumstances deploy to production', 'run-tests'],
    ['cancel the deploy to production and fix the tests', 'fix-tests'],
    ["fix the tests and deploy to staging, no don't deploy", 'fix-tests'],
    ["fix the tests, deploy to staging, wait no don't deploy", 'fix-tests'],
    ['fix the tests and deploy to production, never mind the deploy', 'fix-tests'],
    ["fix the tests, don't skip any", 'fix-tests'],
    ['fix the tests? no', 'decline'],
    ['run the tests, never mind', 'decline'],
    ['stop right there', 'decline'],
    ['stop running the tests', 'decline'],
    ['stop the tests', 'decline'],
    ['should I run the tests', 'clarify'],
    // Ordered, but too tangled to be sure of: nothing starts by mistake.
    ['without running the tests deploy to staging', 'decline'],
    ['deploy to production and under no circumstances touch staging', 'deploy'],
  ])('%s: %s', async (text, expected) => {
    expect(await starts(text)).toBe(expected);
  });

  it.each([
    ['deploy to production, no, to staging', 'deploy'],
    ['deploy to staging, not to production', 'deploy'],
    ["deploy to staging but don't touch production", 'deploy'],
    ['de ploy to staging', 'deploy'],
    ['I need the newest build on staging', 'deploy'],
    ['could you please roll out version two point four to production', 'deploy'],
    ['run the tests, and if they pass deploy to staging now please', 'run-tests deploy'],
    ['open the page on staging, wait, click login', 'browser'],
  ])('still an order: %s', async (text, expected) => {
    expect(await starts(text)).toBe(expected);
  });
});

it('"otherwise" turns the condition round, and what waits for it waits for the same job', async () => {
  const waits = async (text: string): Promise<unknown> => (await router.route(text)).clauses.at(-1);
  for (const text of [
    'run the tests, if they fail fix them, otherwise deploy to staging',
    'run the tests, if they fail stop, otherwise deploy to staging',
  ])
    expect(await waits(text)).toMatchObject({ skill: 'deploy', depends_on: [{ clause: 0, when: 'succeeded' }] });
  expect(await waits('run the tests, if they pass deploy to staging, otherwise fix them')).toMatchObject({
    skill: 'fix-tests',
    depends_on: [{ clause: 0, when: 'failed' }],
  });
});

it('more orders than one sentence may start: none of them, instead of some with the rest in their words', async () => {
  const text =
    'fix the tests, then deploy to staging, then validate the site, then summarize the results, then '.repeat(3);
  expect(await router.route(`${text}run the evaluation`)).toMatchObject({ decision: 'decline' });
});

it.each<[string, string, boolean, boolean]>([
  ['open the page', ', wait, ', false, false],
  ['deploy to staging', ', wait, ', true, true],
  ['fix the tests', '. Actually, don’t.', false, true],
  ['make the video stop', '', false, false],
  ['fix the tests', ' and stop', false, false],
  ['fix the tests', `${', no'.repeat(2_000)}`, false, true],
])('takenBack(%j, %.20j, %j) is %j', (order, behind, guarded, expected) => {
  expect(takenBack(order, behind, guarded)).toBe(expected);
});

it.each([
  ['deploy to staging', "don't deploy", true],
  ['deploy to staging', 'deploy to production', false],
  ['run the tests', 'stop', false],
  ['run the tests', "don't", true],
])('deniesAgain(%j, %j) is %j', (order, denied, expected) => {
  expect(deniesAgain(order, denied)).toBe(expected);
});
