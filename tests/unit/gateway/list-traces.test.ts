import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TraceListing } from '../../../contracts/replies.ts';
import type { AcceptedReply } from '../../../contracts/replies.ts';
import { voiceTaskId } from '../../../contracts/names.ts';
import { createListTraces } from '../../../gateway/list-traces.ts';
import { openGateway } from '../../fakes/gateway.ts';
import type { TestGateway } from '../../fakes/gateway.ts';
import { clauseOf, createScriptedRouter, routeOf } from '../../fakes/scripted-router.ts';

let gateway: TestGateway;
beforeEach(async () => {
  const browse = clauseOf('browse', { skill: 'browser', agent: 'browser' });
  gateway = await openGateway({ router: createScriptedRouter({ browse: routeOf('dispatch', [browse]) }) });
});
afterEach(() => gateway.close());

const say = async (text: string): Promise<string> =>
  ((await (await gateway.call('/transcript', { text, is_final: true, session_id: 's' })).json()) as AcceptedReply)
    .trace_id;
const list = async (query = ''): Promise<TraceListing> =>
  TraceListing.parse(await (await gateway.call(`/traces${query}`)).json());

describe('the list of traces', () => {
  it('has the newest first, with what one wants to see at once', async () => {
    const first = await say('refactor one');
    const second = await say('browse');
    const { traces, next } = await list();
    expect(next).toBeNull();
    expect(traces.map(({ trace_id }) => trace_id)).toEqual([second, first]);
    expect(traces[1]).toMatchObject({
      status: 'running',
      utterance: 'refactor one',
      session_id: 's',
      jobs: [{ agent: 'coding', instruction: 'refactor one' }],
      cost_usd: null,
      completed_at: null,
    });
  });

  it('is turned page by page', async () => {
    const ids = [];
    for (let n = 0; n < 5; n++) ids.unshift(await say(`refactor ${n}`));
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: TraceListing = await list(`?limit=2${cursor && `&cursor=${cursor}`}`);
      seen.push(...page.traces.map(({ trace_id }) => trace_id));
      cursor = page.next;
    }
    expect(seen).toEqual(ids);
  });

  it('finds by agent, and by status', async () => {
    const coding = await say('refactor');
    const browsing = await say('browse');
    expect((await list('?agent=browser')).traces.map(({ trace_id }) => trace_id)).toEqual([browsing]);
    expect((await list('?agent=nobody')).traces).toEqual([]);
    const run = gateway.engine.runs.get(voiceTaskId(coding));
    gateway.engine.close(voiceTaskId(coding), {
      attributes: { ...(run?.attributes as NonNullable<typeof run>['attributes']), outcome: 'succeeded', costUsd: 1.5 },
    });
    expect((await list('?status=succeeded')).traces).toMatchObject([
      { trace_id: coding, status: 'succeeded', cost_usd: 1.5 },
    ]);
    expect((await list('?status=running')).traces.map(({ trace_id }) => trace_id)).toEqual([browsing]);
  });

  it('asks Temporal for what ended outside its own code, too', async () => {
    const asked: string[] = [];
    const listTraces = createListTraces({
      list: async (query) => {
        asked.push(query);
        return { runs: [], next: null };
      },
    });
    await listTraces({ status: 'failed', since: '2026-11-25T00:00:00Z', limit: 5 });
    await listTraces({ status: 'cancelled', limit: 5 });
    expect(asked).toEqual([
      `WorkflowType = 'voiceTask' AND (Outcome = 'failed' OR (ExecutionStatus IN ('Failed', 'Terminated', 'TimedOut') AND Outcome IS NULL)) AND StartTime >= '2026-11-25T00:00:00Z'`,
      `WorkflowType = 'voiceTask' AND (Outcome = 'cancelled' OR (ExecutionStatus = 'Canceled' AND Outcome IS NULL))`,
    ]);
  });
});
