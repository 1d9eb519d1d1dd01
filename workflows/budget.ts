import { askPerson } from './ask-person.ts';
import type { JobRun } from './job-run.ts';
import { addNote, JobFailed } from './job-run.ts';
import { money } from './text.ts';

/** What has run out, in words; null when another turn may be bought. */
export const exhausted = ({ state }: JobRun): string | null => {
  const { totals, allowance } = state;
  if (totals.cost_usd !== null && totals.cost_usd >= allowance.usd)
    return `${money(totals.cost_usd)} of ${money(allowance.usd)} are spent`;
  if (totals.turns >= allowance.turns) return `${totals.turns} of ${allowance.turns} turns are used`;
  if (Date.now() >= allowance.deadline_ms) return 'its time is up';
  return null;
};

/** The original share of money, once more; for a plain "yes" without an amount. */
const sameAgain = ({ input }: JobRun): number => Math.min(input.spec.budget_usd, input.spec.limits.max_cost_usd);

/** One more helping of whatever ran out, as the limits say: turns, time, and for a plain yes the money too. */
const extend = (run: JobRun, answer: 'budget' | 'approve'): void => {
  const { state, input } = run;
  const { limits } = input.spec;
  const { cost_usd } = state.totals;
  if (answer === 'approve' && cost_usd !== null && cost_usd >= state.allowance.usd)
    state.allowance.usd += sameAgain(run);
  if (state.totals.turns >= state.allowance.turns) state.allowance.turns += limits.max_turns;
  if (Date.now() >= state.allowance.deadline_ms) state.allowance.deadline_ms = Date.now() + limits.timeout_ms;
  addNote(state, {
    kind: 'budget_extended',
    text: 'A person extended the budget of this job. Go on, and come to an end.',
  });
};

/**
 * Asks a person and waits until another turn may be bought; `addBudget` or a yes continues.
 * @throws JobFailed BudgetExceeded on a no, and on silence.
 */
export const waitForBudget = async (run: JobRun): Promise<void> => {
  for (let reason = exhausted(run); reason !== null; reason = exhausted(run)) {
    const question = { kind: 'budget', tool: null, summary: `${reason}; may it go on?` } as const;
    const answer = await askPerson(run, question, 'waiting for more budget');
    if (answer.kind !== 'budget' && answer.kind !== 'approve')
      throw new JobFailed(
        'BudgetExceeded',
        answer.kind === 'reject'
          ? `${reason}, and a person said no to more`
          : `${reason}, and nobody added to it in time`,
      );
    extend(run, answer.kind);
  }
};
