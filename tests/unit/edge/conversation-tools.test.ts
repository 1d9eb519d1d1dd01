import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FUNCTION_TOOLS, isHarmless, readToolCall } from '../../../edge/conversation-tools.ts';

const TRACE = '0123456789abcdef'.repeat(2);

describe('what the model may call', () => {
  it('is these four, each described, with a schema that allows nothing else', () => {
    expect(FUNCTION_TOOLS.map(({ name }) => name)).toEqual(['submit_task', 'task_status', 'cancel_task', 'approve']);
    for (const { type, description, parameters } of FUNCTION_TOOLS) {
      expect(type).toBe('function');
      expect(description.length).toBeGreaterThan(20);
      expect(parameters).toMatchObject({ type: 'object', additionalProperties: false });
      expect(parameters).not.toHaveProperty('$schema');
    }
    expect(FUNCTION_TOOLS[0]?.parameters['required']).toEqual(['text']);
    expect(FUNCTION_TOOLS[3]?.parameters['required']).toEqual(['job_id', 'approval_id', 'decision']);
  });

  it.each([
    ['submit_task', '{"text":" refactor the API "}', { text: 'refactor the API' }],
    ['task_status', '', {}],
    ['task_status', '{"trace_id":null}', { trace_id: null }],
    ['cancel_task', `{"trace_id":"${TRACE}","reason":"wrong one"}`, { trace_id: TRACE, reason: 'wrong one' }],
    [
      'approve',
      `{"job_id":"${TRACE}-1","approval_id":"a1","decision":"approve"}`,
      { job_id: `${TRACE}-1`, approval_id: 'a1', decision: 'approve' },
    ],
  ])('%s %s', (name, text, args) => {
    expect(readToolCall(name, text)).toEqual({ name, args });
  });

  it.each([
    ['rm', '{}', 'there is no function rm'],
    ['submit_task', '', 'text'],
    ['submit_task', '{"text":"   "}', 'text'],
    ['submit_task', `{"text":"${'x'.repeat(8_001)}"}`, 'text'],
    ['submit_task', '{"text":"x","more":1}', 'more'],
    ['submit_task', '[]', 'arguments'],
    ['submit_task', '{', 'not JSON'],
    ['task_status', '{"trace_id":"../../etc"}', 'trace_id'],
    ['approve', `{"job_id":"${TRACE}","approval_id":"a","decision":"approve"}`, 'job_id'],
    ['approve', `{"job_id":"${TRACE}-1","approval_id":"a","decision":"yes"}`, 'decision'],
  ])('not %s %s', (name, text, words) => {
    expect(() => readToolCall(name, text)).toThrow(words);
  });

  it('whatever the model writes is a call or an error with words', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...FUNCTION_TOOLS.map(({ name }) => name), 'x'),
        fc.oneof(fc.string(), fc.json()),
        (name, text) => {
          try {
            expect(readToolCall(name, text).name).toBe(name);
          } catch (error) {
            expect((error as Error).message.length).toBeGreaterThan(5);
          }
        },
      ),
    );
  });

  it('only looking needs nobody’s word', () => {
    expect(isHarmless(readToolCall('task_status', ''))).toBe(true);
    expect(isHarmless(readToolCall('cancel_task', ''))).toBe(false);
    expect(isHarmless(readToolCall('submit_task', '{"text":"x"}'))).toBe(false);
  });
});
