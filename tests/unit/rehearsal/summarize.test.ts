import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openingMessage } from '../../../activities/opening-message.ts';
import { startRehearsal } from '../../../rehearsal/server.ts';
import type { Rehearsal } from '../../../rehearsal/server.ts';
import { jobPlan } from '../../fakes/job-plan.ts';
import { converse } from '../../fakes/workbench.ts';

let rehearsal: Rehearsal;
beforeAll(async () => {
  rehearsal = await startRehearsal();
});
afterAll(() => rehearsal.close());

const TRACE = 'a'.repeat(32);
const CONTEXT = `# Recent tasks

## ${TRACE}, 2026-11-25T03:00:00Z
"Refactor the API and validate the staging website.": partially_succeeded, $0.1200
- ${TRACE}-1 coding/coding succeeded, 12 turns, $0.1200: Refactor the API
  verification: passed
  report: (rehearsal) Moved requireText into src/validation.ts. Renamed calcStuff.
- ${TRACE}-2 browser/validate-site failed, 3 turns, cost unknown: validate the staging website
  error: ProviderUnavailable: the model is overloaded

## ${'b'.repeat(32)}, 2026-11-25T02:00:00Z
"run the tests": succeeded, $0.0300
- ${'b'.repeat(32)}-1 coding/run-tests succeeded (rehearsal), 4 turns, $0.0300: run the tests
  report: 12 passed.`;

const summarize = async (opening: string, provider: 'anthropic' | 'gemini' = 'anthropic'): Promise<string> => {
  const { text, turns } = await converse({
    url: rehearsal.url,
    provider,
    tools: [],
    opening,
    execute: () => Promise.reject(new Error('no tools here')),
  });
  expect(turns).toBe(1);
  return text;
};
const opening = (change: Parameters<typeof jobPlan>[0], earlier: Parameters<typeof openingMessage>[1] = []): string =>
  openingMessage(jobPlan({ instruction: 'summarize the last run', ...change }), earlier);

describe('summarize', () => {
  it.each(['anthropic', 'gemini'] as const)(
    'counts outcomes, names failures, adds up cost, over %s',
    async (provider) => {
      const text = await summarize(opening({ context: CONTEXT }), provider);
      expect(text).toMatch(
        /^\(rehearsal\) 2 tasks: 1 partially succeeded, 1 succeeded; 3 jobs: 2 coding succeeded, 1 browser failed\./,
      );
      expect(text).toContain(
        '- “Refactor the API and validate the staging website.”: partially succeeded. Moved requireText into src/validation.ts. Renamed calcStuff.',
      );
      expect(text).toContain(
        '- browser/validate-site “validate the staging website”: ProviderUnavailable: the model is overloaded',
      );
      expect(text).toContain(
        'Cost: $0.1500 in 19 turns, and 1 jobs of unknown cost (1 of 3 jobs were rehearsals, which cost nothing).',
      );
    },
  );

  it('condenses the jobs it waited for', async () => {
    const earlier = [
      {
        job_id: `${TRACE}-1`,
        agent: 'coding',
        status: 'succeeded' as const,
        summary: 'Renamed calcStuff. All 12 tests pass.',
        commit: null,
        artifacts: [],
      },
      {
        job_id: `${TRACE}-2`,
        agent: 'browser',
        status: 'failed' as const,
        summary: 'The site was away.',
        commit: null,
        artifacts: [],
      },
    ];
    const text = await summarize(opening({ instruction: 'summarise the results' }, earlier));
    expect(text).toContain('This task so far: 1 coding succeeded, 1 browser failed.');
    expect(text).toContain('- coding succeeded: Renamed calcStuff. All 12 tests pass.');
  });

  it('other material: its own key sentences, fewer than there were', async () => {
    const filler = Array.from({ length: 20 }, (_, at) => `Nothing of note on day ${at}.`);
    const text = await summarize(
      opening({
        context: [
          'The harbour crane failed and the harbour was closed.',
          ...filler,
          'The harbour crane was mended, the harbour opened.',
        ].join(' '),
      }),
    );
    expect(text).toMatch(/in 5 sentences of its own/);
    expect(text).toContain('harbour crane');
    expect(text.length).toBeLessThan(500);
  });

  it('says when there is nothing', async () => {
    expect(await summarize('summarize what happened today')).toContain('There is nothing to summarise');
  });
});
