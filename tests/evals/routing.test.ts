import { describe, expect, it } from '@jest/globals';
import { ownSet, shippedRouter } from '../../evals/routing/own-set.ts';
import { closedSet, openWorld, severalOrders } from '../../evals/routing/protocols.ts';
import { hasPublicData } from '../../evals/routing/public-data.ts';
import { figuresOf } from '../../skills/authoring/outcome.ts';

/**
 * `make eval-routing`, reduced to one seed each. The floors lie a little below what was measured and say that nothing
 * got worse; several are laxer than the goals, which only `make eval-routing` holds figures against.
 */
const onPublicData = hasPublicData() ? describe : describe.skip;

onPublicData('on public data (needs shared/data/routing beside the repository)', () => {
  it('six skills among open speech', async () => {
    const { rejected, accepted, right } = await openWorld(1);
    expect(rejected).toBeLessThanOrEqual(0.06);
    expect(accepted).toBeLessThanOrEqual(0.1);
    expect(right).toBeGreaterThanOrEqual(0.97);
  }, 60_000);

  it('one of 150 intents', async () => {
    expect(await closedSet(1)).toBeGreaterThanOrEqual(0.81);
  }, 60_000);

  it('several orders in one sentence', async () => {
    expect(await severalOrders(1)).toBeGreaterThanOrEqual(0.86);
  }, 60_000);
});

describe('on the own set', () => {
  it('the half to work with: decisions, clauses, and jobs nobody asked for', async () => {
    const { sentences, exact, ordered, filled, spurious, byTag } = figuresOf(
      await ownSet('development', await shippedRouter()),
    );
    expect(sentences).toBeGreaterThanOrEqual(150);
    expect(exact).toBeGreaterThanOrEqual(0.92);
    expect(ordered).toBeGreaterThanOrEqual(0.91);
    expect(filled).toBeGreaterThanOrEqual(0.92);
    expect(spurious).toBeLessThanOrEqual(0.03);
    // What is no order starts nothing.
    expect(byTag['negative']).toEqual({ exact: byTag['negative']?.sentences, sentences: byTag['negative']?.sentences });
  }, 60_000);
});
