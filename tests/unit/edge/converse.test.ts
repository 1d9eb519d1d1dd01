import { describe, expect, it } from '@jest/globals';
import type { FinalReply } from '../../../contracts/replies.ts';
import type { TraceEvent } from '../../../contracts/trace-event.ts';
import { createConverse } from '../../../edge/converse.ts';
import type { GatewayCalls } from '../../../edge/gateway-calls.ts';
import { localFailure } from '../../../edge/gateway-calls.ts';

const TRACE = 'a'.repeat(32);
const JOB = `${TRACE}-1`;
const signal = new AbortController().signal;

const asked = (payload: object): TraceEvent =>
  ({
    trace_id: TRACE,
    job_id: JOB,
    phase: 'approval_requested',
    agent: 'coding',
    payload: { approval_id: `${JOB}.1`, kind: 'approval', summary: 'run git push', risk: 'writes_remote', ...payload },
  }) as unknown as TraceEvent;

const bench = (about: { reply?: FinalReply; fails?: boolean } = {}) => {
  const done: string[] = [];
  const received = { ok: true, status: 202, reply: { status: 'received' } } as const;
  const calls: Pick<GatewayCalls, 'task' | 'cancel' | 'answerApproval'> = {
    task: (traceId) => (done.push(`task ${traceId}`), Promise.resolve(localFailure('unreachable', 'nothing listens'))),
    cancel: (traceId, reason) => (done.push(`cancel ${traceId} ${reason}`), Promise.resolve(received)),
    answerApproval: (jobId, { approvalId, decision }) => (
      done.push(`${decision} ${jobId} ${approvalId}`),
      Promise.resolve(received)
    ),
  };
  const accepted: FinalReply = {
    status: 'accepted',
    trace_id: TRACE,
    workflow_id: `voice-${TRACE}`,
    jobs: [{ job_id: JOB, agent: 'coding', skill: 'coding', instruction: 'refactor the API', depends_on: [] }],
    links: { trace: '/t', events: '/e', temporal_ui: 'http://x' },
  };
  const converse = createConverse({
    calls,
    submit: (utteranceId, text) => (
      done.push(`submit ${utteranceId} ${text}`),
      Promise.resolve(about.reply ?? accepted)
    ),
  });
  const approve = (decision: 'approve' | 'reject', approvalId = `${JOB}.1`): Promise<string> =>
    converse.tools.approve({ jobId: JOB, approvalId, decision, note: null }, signal);
  return { converse, done, approve };
};

describe('the tools of a model that converses', () => {
  it('hand an order over under the id of what was said, and remember it as the last', async () => {
    const { converse, done } = bench();
    await expect(converse.tools.submitTask('u-1', 'refactor the API', signal)).resolves.toContain(TRACE);
    await converse.tools.cancelTask(null, null, signal);
    expect(done).toEqual(['submit u-1 refactor the API', `cancel ${TRACE} the speaker asked for it`]);
  });

  it.each([
    [{ status: 'declined', trace_id: TRACE, reason: 'no order' }, /Nothing was started/],
    [{ status: 'clarify', trace_id: TRACE, question: 'Which site?', candidates: [], missing: [] }, /Which site\?/],
    [
      { status: 'control', trace_id: TRACE, action: 'stop', target: null, outcome: 'done', message: 'It is stopped.' },
      /It is stopped/,
    ],
  ] satisfies [FinalReply, RegExp][])('tell the model what became of it: %j', async (reply, words) => {
    await expect(bench({ reply }).converse.tools.submitTask('u-1', 'x', signal)).resolves.toMatch(words);
  });

  it('fail in words', async () => {
    const { converse } = bench();
    await expect(converse.tools.taskStatus(null, signal)).rejects.toThrow('nothing was asked for yet');
    await expect(converse.tools.taskStatus(TRACE, signal)).rejects.toThrow('nothing listens');
  });

  it('pass a decision on about what was asked here, a moment ago', async () => {
    const { converse, done, approve } = bench();
    expect(converse.questionOf(asked({}))).toMatch(new RegExp(`job_id ${JOB}, approval_id ${JOB}.1\\): run git push`));
    await approve('approve');
    expect(done).toEqual([`approve ${JOB} ${JOB}.1`]);
  });

  it.each([
    ['what was never asked', null, 'approve', /nothing under that approval_id/],
    ['money', { kind: 'budget' }, 'approve', /money is not approved by voice/],
    ['what cannot be taken back', { risk: 'irreversible' }, 'approve', /cannot be taken back/],
    ['what does not say how bad it could be', { risk: undefined }, 'approve', /cannot be taken back/],
  ] as const)('do not approve %s', async (_what, payload, decision, words) => {
    const { converse, done, approve } = bench();
    if (payload) converse.questionOf(asked(payload));
    await expect(approve(decision)).rejects.toThrow(words);
    expect(done).toEqual([]);
  });

  it('pass a no on, also to what cannot be taken back', async () => {
    const { converse, done, approve } = bench();
    converse.questionOf(asked({ risk: 'irreversible' }));
    await approve('reject');
    expect(done).toEqual([`reject ${JOB} ${JOB}.1`]);
  });

  it('do not answer after a minute', async () => {
    const { converse, approve } = bench();
    converse.questionOf(asked({}));
    const now = performance.now.bind(performance);
    performance.now = () => now() + 60_001;
    try {
      await expect(approve('approve')).rejects.toThrow('more than a minute ago');
    } finally {
      performance.now = now;
    }
  });
});
