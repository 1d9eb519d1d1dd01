import { afterEach, describe, expect, it } from '@jest/globals';
import { followTask } from '../../../cli/follow.ts';
import type { Patience } from '../../../cli/follow.ts';
import { createGateway } from '../../../cli/gateway.ts';
import { progressLine } from '../../../cli/progress.ts';
import { loadCliSettings } from '../../../cli/settings.ts';
import { PHASES } from '../../../contracts/names.ts';
import type { TaskResult } from '../../../contracts/task.ts';
import type { FakeGateway, Reply } from '../../fakes/gateway-server.ts';
import {
  doneText,
  eventText,
  hangUp,
  problem,
  reply,
  startFakeGateway,
  stream,
  taskResult,
  traceEvent,
  TRACE_ID,
} from '../../fakes/gateway-server.ts';

const EVENTS = `GET /trace/${TRACE_ID}/events`;
const RESULT = `GET /trace/${TRACE_ID}`;
const running = reply(taskResult({ status: 'running', completed_at: null }));
const over = reply(taskResult());

let gateway: FakeGateway | undefined;
afterEach(async () => {
  await gateway?.close();
  gateway = undefined;
});

const follow = async (
  routes: Record<string, Reply | Reply[]>,
  patience: Partial<Patience> = {},
): Promise<{ result: TaskResult; seen: number[] }> => {
  gateway = await startFakeGateway(routes);
  const signal = new AbortController().signal;
  const settings = loadCliSettings({ WSL_GATEWAY_URL: gateway.url, GATEWAY_TOKEN: 'x' });
  const seen: number[] = [];
  const result = await followTask(createGateway({ settings, signal }), TRACE_ID, ({ seq }) => seen.push(seq), signal, {
    silentMs: 20_000,
    awayMs: 20_000,
    firstPauseMs: 1,
    ...patience,
  });
  return { result, seen };
};
const lastIds = (): (string | undefined)[] =>
  (gateway?.asked ?? [])
    .filter(({ path }) => path.endsWith('/events'))
    .map(({ headers }) => headers['last-event-id'] as string | undefined);

describe('followTask', () => {
  it('takes a cut stream up where it was, and shows each event once', async () => {
    const { seen, result } = await follow({
      [EVENTS]: [
        stream(eventText(traceEvent(1), traceEvent(2)), 'cut'),
        problem(503, 'unavailable', 'away'),
        hangUp,
        stream(eventText(traceEvent(2), traceEvent(3)) + doneText),
      ],
      [RESULT]: [running, running, running, over],
    });
    expect(seen).toEqual([1, 2, 3]);
    expect(lastIds()).toEqual([undefined, 'at-2', 'at-2', 'at-2']);
    expect(result.status).toBe('succeeded');
  });

  it('does not wait for a stream that has fallen silent', async () => {
    const { seen } = await follow(
      { [EVENTS]: [stream(eventText(traceEvent(1)), 'hang'), stream(doneText)], [RESULT]: [running, over] },
      { silentMs: 50 },
    );
    expect(seen).toEqual([1]);
    expect(lastIds()).toEqual([undefined, 'at-1']);
  });

  it('notices the end although the stream never says it', async () => {
    const { result } = await follow({ [EVENTS]: stream(eventText(traceEvent(1))), [RESULT]: [running, over] });
    expect(result.status).toBe('succeeded');
  });

  it('reads over what is no event of ours', async () => {
    const { seen } = await follow({
      [EVENTS]: stream(`data: {"v":2}\n\ndata: not json\n\n${eventText(traceEvent(4))}${doneText}`),
      [RESULT]: over,
    });
    expect(seen).toEqual([4]);
  });

  it('ends at once when there is no such trace', async () => {
    await expect(follow({ [EVENTS]: problem(404, 'not-found', 'no trace') })).rejects.toMatchObject({
      code: 1,
      status: 404,
    });
  });

  it('gives up on a gateway that stays away, and says that the task goes on', async () => {
    await expect(follow({ [EVENTS]: hangUp, [RESULT]: hangUp }, { awayMs: 30 })).rejects.toMatchObject({
      code: 3,
      message: expect.stringContaining(`dual trace ${TRACE_ID} --wait`) as unknown,
    });
  });

  it('says so when the result has another form than it knows', async () => {
    await expect(follow({ [EVENTS]: stream(doneText), [RESULT]: reply({ status: 'great' }) })).rejects.toMatchObject({
      code: 1,
    });
  });
});

describe('progressLine', () => {
  it('has a line, or silence, for every phase and any payload', () => {
    for (const phase of PHASES) {
      for (const payload of [{}, { turn: 'x', text: 7, tool_calls: 'no' }, { message: '\u001b[2J\nboo' }]) {
        const line = progressLine(traceEvent(1, { phase, payload })) ?? '';
        expect(line).not.toMatch(/\p{Cc}/u);
        expect(line.length).toBeLessThan(500);
      }
    }
  });

  it.each([
    [
      traceEvent(1, {
        phase: 'model_turn',
        input_tokens: 1200,
        output_tokens: 30,
        payload: { turn: 2, text: '', tool_calls: ['edit a.ts', 'run tests'] },
      }),
      'coding 1     turn 2 (1,200 tokens in, 30 out): edit a.ts; run tests',
    ],
    [
      traceEvent(1, { payload: { summary: 'run tests', unknown: false }, error_type: 'ToolFailed' }),
      'coding 1       run tests: failed',
    ],
    [traceEvent(1, { payload: { summary: 'click Buy', unknown: true } }), 'coding 1       click Buy: outcome unknown'],
    [
      traceEvent(1, { phase: 'failed', error_type: 'BudgetExceeded', payload: { message: 'spent' } }),
      'coding 1     failed (BudgetExceeded): spent',
    ],
    [traceEvent(1, { phase: 'completed', job_id: null, payload: {} }), 'task         completed'],
    [traceEvent(1, { phase: 'routed' }), null],
  ])('%#', (event, line) => {
    expect(progressLine(event)).toBe(line);
  });
});
