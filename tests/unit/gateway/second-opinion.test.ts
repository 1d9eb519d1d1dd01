import { afterEach, describe, expect, it } from '@jest/globals';
import { createLog } from '../../../platform/log.ts';
import { loadPrices } from '../../../platform/prices.ts';
import { fromRoot } from '../../../platform/env.ts';
import { openRegistry } from '../../../skills/registry.ts';
import type { Registry } from '../../../skills/registry.ts';
import { createOpenaiRouter } from '../../../skills/routing/adapters/openai-router.ts';
import { withSecondOpinion } from '../../../skills/routing/second-opinion.ts';
import { openGateway } from '../../fakes/gateway.ts';
import type { TestGateway } from '../../fakes/gateway.ts';
import type { Answer } from '../../fakes/provider-server.ts';
import { reading, refusal, responsesServers, said } from '../../fakes/responses-server.ts';
import { clauseOf, createScriptedRouter, routeOf } from '../../fakes/scripted-router.ts';

const KEY = 'sk-test-0123456789abcdef0123';
const SENTENCE = 'refactor the API, but do not run the tests';
const servers = responsesServers();
let gateway: TestGateway;
let registry: Registry;
afterEach(async () => {
  await gateway.close();
  registry.close();
  await servers.close();
});

/** Says the sentence to a gateway that asks; the `routed` event of it. */
const routed = async (answer: Answer, mode: 'on' | 'shadow' = 'on') => {
  const server = await servers.start(answer);
  const log = createLog('test', (text) => text, 'silent');
  registry = await openRegistry({ dir: fromRoot('skills'), log, watch: false });
  const language = createOpenaiRouter({
    apiKey: KEY,
    baseUrl: server.url,
    model: 'gpt-6-luna',
    reasoningEffort: 'none',
    prices: loadPrices(null),
  });
  const embedded = createScriptedRouter({ [SENTENCE]: routeOf('dispatch', [clauseOf(SENTENCE)]) });
  gateway = await openGateway({ router: withSecondOpinion(embedded, language, { mode, registry, log }) });
  const reply = await gateway.call('/transcript', { is_final: true, text: SENTENCE });
  const body = (await reply.json()) as { status: string; jobs: { skill: string; instruction: string }[] };
  const event = gateway.events().find(({ phase }) => phase === 'routed');
  return { body, event };
};

describe('what a second opinion cost', () => {
  it('stands on the routed event, with who was asked and both answers', async () => {
    const { body, event } = await routed(reading([said('refactor the API', 'coding')]));
    expect(body).toMatchObject({ status: 'accepted', jobs: [{ skill: 'coding', instruction: 'refactor the API' }] });
    expect(event).toMatchObject({
      provider: 'openai',
      model: 'gpt-6-luna-2026-09-22',
      input_tokens: 1_000,
      output_tokens: 80,
      cache_read_tokens: 600,
      cache_write_tokens: 100,
      cost_usd: 0.0000885,
      cost_source: 'priced',
      price_version: loadPrices(null).version,
      payload: { decision: 'dispatch', second_opinion: { mode: 'on', used: true } },
    });
  });

  it('is unknown, never 0, for a model without a price', async () => {
    const { event } = await routed(reading([said('refactor the API', 'coding')], { model: 'my-own' }));
    expect(event).toMatchObject({ model: 'my-own', input_tokens: 1_000, cost_usd: null, cost_source: 'unknown' });
  });

  it('shadow: the embedded answer is carried out, the other one is written down and paid', async () => {
    const { body, event } = await routed(reading([said(SENTENCE, '(none)')]), 'shadow');
    expect(body).toMatchObject({ status: 'accepted', jobs: [{ instruction: SENTENCE }] });
    expect(event).toMatchObject({
      cost_usd: 0.0000885,
      payload: { clauses: [{ text: SENTENCE }], second_opinion: { used: false, answer: [{ skill: null }] } },
    });
  });

  it('nothing is bought where the provider refused, and its words hold no key', async () => {
    const { body, event } = await routed(refusal(401, `Incorrect API key provided: ${KEY}`));
    expect(body.status).toBe('accepted');
    expect(event).toMatchObject({ model: 'gpt-6-luna', cost_usd: null, cost_source: null, input_tokens: null });
    expect(JSON.stringify(event)).not.toContain(KEY);
  });
});
