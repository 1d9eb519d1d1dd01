import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MAX_JOBS_PER_TASK } from '../../../../contracts/names.ts';
import { REPOSITORY_ROOT } from '../../../../platform/env.ts';
import { loadSnapshot } from '../../../../skills/load.ts';
import { createRouter } from '../../../../skills/routing/route.ts';
import type { RouteResult, Router } from '../../../../skills/routing/router.ts';
import { wordsIn } from '../../../../skills/routing/speech.ts';
import { fixedRegistry } from '../../../fakes/fixed-registry.ts';

/** Far above what it takes (tens of milliseconds), far below what a quadratic or exponential way would take. */
const DEADLINE_MS = 1_000;
const full = (unit: string): string => unit.repeat(Math.floor(8_000 / unit.length));

let router: Router;
beforeAll(async () => {
  router = createRouter({ registry: fixedRegistry(await loadSnapshot(join(REPOSITORY_ROOT, 'skills'))) });
  await router.route('run the tests');
});

/** What holds of every answer. */
const checked = (text: string, { decision, clauses, control }: RouteResult): void => {
  expect(control !== null).toBe(decision === 'control');
  expect(clauses.length).toBeLessThanOrEqual(MAX_JOBS_PER_TASK);
  if (decision === 'decline') expect(clauses.map(({ skill }) => skill).filter(Boolean)).toEqual([]);
  if (decision === 'clarify') expect(clauses.map(({ ask }) => ask)).toContain(true);
  const spans = clauses.map(({ span }) => span).toSorted(([a], [b]) => a - b);
  for (const [i, [start, end]] of spans.entries()) {
    expect(start).toBeGreaterThanOrEqual(spans[i - 1]?.[1] ?? 0);
    expect(end).toBeGreaterThanOrEqual(start);
    expect(end).toBeLessThanOrEqual(text.length);
  }
  for (const [i, clause] of clauses.entries()) {
    // A clause may borrow a word of a neighbour, and what joins two stretches may differ; all else was said.
    const said = new Set(wordsIn(text).map(({ key }) => key));
    for (const { key } of wordsIn(clause.text)) if (!said.has(key)) expect(['and', 'then']).toContain(key);
    for (const { clause: before } of clause.depends_on) {
      expect(before).toBeGreaterThanOrEqual(0);
      expect(before).toBeLessThan(i);
    }
    if (decision === 'dispatch')
      expect([clause.missing, clause.ask, typeof clause.skill, typeof clause.agent]).toEqual([
        [],
        false,
        'string',
        'string',
      ]);
    expect(clause.score).toBeGreaterThanOrEqual(0);
    expect(clause.score).toBeLessThanOrEqual(1);
    expect(clause.margin).toBeLessThanOrEqual(1);
  }
};

describe('hostile input', () => {
  it.each<[string, string]>([
    ['nothing', ''],
    ['500 times "and"', 'and '.repeat(500)],
    ['"and" without end', full('and ')],
    ['"then" without end', full('then ')],
    ['400 orders joined by "and"', 'run the tests and '.repeat(400)],
    ['orders joined by "then"', full('validate the site, refactor the api then ')],
    ['orders that need something', full('deploy it and rename a to b and test it ')],
    ['8,000 letters', full('a')],
    ['8,000 marks', full('!?,;. ')],
    ['quotes and brackets', full('"([{')],
    ['dashes', full('- ')],
    ['conditions only', full('if it fails ')],
    ['clauses of time', full('once you have ')],
    ['restarts', full('deploy to, I mean ')],
    ['negations', full('do not ')],
    ['verbs', full('fix test run ')],
    ['fillers', full('um like you know ')],
    ['politeness', full('please thank you ')],
    ['letters one by one', full('a b ')],
    ['combining marks', full('a\u0301')],
    ['letters that become many', full('\ufdfa')],
    ['an address without end', `check http://${'a.'.repeat(3_900)}`],
    ['dots and slashes said', full('dot slash ')],
    ['1,300 different words', Array.from({ length: 1_300 }, (_, i) => `w${i}`).join(' ')],
    ['emoji', full('🙂')],
    ['emoji, apart', full('👩‍👩‍👧‍👦 ')],
    ['Chinese', full('运行测试然后部署')],
    ['Arabic', full('شغل الاختبارات ')],
    ['Japanese', full('テストを実行して、')],
    ['Thai, without spaces', full('รันการทดสอบ')],
    ['NUL', full('run\u0000the\u0000tests ')],
    ['ESC sequences', full('\u001b[31mrun the tests\u001b[0m ')],
    ['bidi marks', full('\u202erun the tests\u202c ')],
    ['line ends of all kinds', full('run the tests\r\n\u2028\u2029\u0085\u000b')],
    ['high surrogates', full('\ud83d ')],
    ['low surrogates', full('run \udfff tests ')],
    ['surrogates the wrong way round', full('\ude42\ud83d')],
    ['keys that objects are born with', full('__proto__ constructor toString hasOwnProperty ')],
    ['too long', 'x '.repeat(4_001)],
  ])('is bounded in time and in jobs: %s', async (_, text) => {
    const started = performance.now();
    const result = await router.route(text);
    expect(performance.now() - started).toBeLessThan(DEADLINE_MS);
    expect(result.clauses.some(({ reason }) => reason.includes('could not be read'))).toBe(false);
    checked(text.slice(0, 8_000), result);
  });

  it.each(['', '   ', '\n\t', '...', '!?,', '\u0000', '🙂', '\ud800', '\u202e', 'and '.repeat(500), full('a')])(
    'declines what says nothing: %j',
    async (text) => {
      expect((await router.route(text)).decision).toBe('decline');
    },
  );

  it('says that 8,001 characters are too many', async () => {
    expect(await router.route('run the tests '.repeat(600))).toMatchObject({
      decision: 'decline',
      clauses: [{ reason: 'longer than 8000 characters' }],
    });
  });

  it.each([
    '🙂 run the tests',
    'run the tests \ud800',
    '\u202erun the tests\u202c',
    '\ufeffＲＵＮ\u00a0the\u2003tests',
  ])('hears the order beside the noise: %j', async (text) => {
    expect(await router.route(text)).toMatchObject({ decision: 'dispatch', clauses: [{ skill: 'run-tests' }] });
  });

  it('leaves the process responsive', async () => {
    let ticks = 0;
    const ticking = setInterval(() => (ticks += 1), 1);
    const { latency_ms } = await router.route(full('validate the site, refactor the api then '));
    clearInterval(ticking);
    if (latency_ms > 60) expect(ticks).toBeGreaterThan(0);
  });

  it('stops when asked to', async () => {
    const result = await router.route('run the tests and check the site', AbortSignal.abort(new Error('gone')));
    expect(result).toMatchObject({ decision: 'decline', clauses: [{ reason: 'could not be read: gone' }] });
  });

  it('any text: spans hold the clauses, dependencies point back, orders are complete', async () => {
    const words = fc.constantFrom(
      ...'refactor the api validate staging website production deploy to run tests and then if it fails passes either way before you not no wait , . ; summarize results rename a to b hello them um please'.split(
        ' ',
      ),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string({ unit: 'binary', maxLength: 300 }),
          fc.array(words, { maxLength: 40 }).map((list) => list.join(' ')),
        ),
        async (text) => checked(text, await router.route(text)),
      ),
      { numRuns: 300 },
    );
  });
});
