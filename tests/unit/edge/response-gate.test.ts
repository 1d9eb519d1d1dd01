import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ResponseGate } from '../../../edge/response-gate.ts';

let sent: string[];
let told: string[];
let free: boolean;
let open: boolean;
let gate: ResponseGate;

beforeEach(() => {
  jest.useFakeTimers();
  sent = [];
  told = [];
  free = true;
  open = true;
  gate = new ResponseGate({
    send: ({ type }) => open && sent.push(type) > 0,
    free: () => free,
    asked: () => told.push('asked'),
    failed: (reason) => told.push(reason),
    dead: (reason) => told.push(reason),
  });
});

afterEach(() => {
  gate.reset();
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

describe('one response at a time', () => {
  it('several wishes are one; the next waits for the end of the last', () => {
    gate.want();
    gate.want();
    expect(sent).toEqual(['response.create']);
    gate.created('r1');
    gate.pump();
    expect(sent).toEqual(['response.create']);
    expect(gate.done('other')).toBe(false);
    expect(gate.done('r1')).toBe(true);
    gate.pump();
    expect(sent).toEqual(['response.create', 'response.create']);
    expect(told).toEqual(['asked', 'asked']);
  });

  it('waits until it is free, and until there is a session', () => {
    free = false;
    gate.want();
    free = true;
    open = false;
    gate.pump();
    expect(told).toEqual([]);
    open = true;
    gate.pump();
    expect(told).toEqual(['asked']);
  });

  it('cancels what is under way; what was only asked for, as soon as it begins', () => {
    gate.want();
    gate.cancel();
    expect(sent).toEqual(['response.create']);
    gate.created('r1');
    expect(sent).toEqual(['response.create', 'response.cancel']);
    gate.cancel();
    expect(sent).toHaveLength(2);
    expect(gate.isCurrent('r1')).toBe(false);
    expect(gate.done('r1')).toBe(true);
    expect(gate.isIdle).toBe(true);
    gate.cancel();
    expect(sent).toHaveLength(2);
  });

  it('forgets what is only wanted', () => {
    free = false;
    gate.want();
    gate.forget();
    free = true;
    gate.pump();
    expect(sent).toEqual([]);
  });

  it('a cancel that comes too late, or is never answered, ends by itself', () => {
    gate.want();
    gate.created('r1');
    gate.cancel();
    gate.refused({ event_id: 'cancel-1', code: 'response_cancel_not_active' });
    expect(gate.isIdle).toBe(true);
    gate.want();
    gate.created('r2');
    gate.cancel();
    jest.advanceTimersByTime(3_000);
    expect(gate.isIdle).toBe(true);
    expect(told.at(-1)).toContain('did not end');
  });

  it('a response without any sign is cancelled after a minute, with signs it is not', () => {
    gate.want();
    gate.created('r1');
    for (let n = 0; n < 5; n += 1) {
      jest.advanceTimersByTime(50_000);
      gate.sign('r1');
      gate.sign('other');
    }
    expect(sent).toEqual(['response.create']);
    jest.advanceTimersByTime(60_000);
    expect(sent).toEqual(['response.create', 'response.cancel']);
  });

  it('a response that does not begin within 10 s is given up, and said', () => {
    gate.want();
    jest.advanceTimersByTime(10_000);
    expect(told.slice(1)).toEqual(['The model did not answer.', 'The model does not answer.']);
    gate.created('r1');
    expect(gate.isCurrent('r1')).toBe(false);
  });

  it('a refusal ends it; one for another that is active only delays it', () => {
    gate.want();
    gate.refused({ event_id: 'response-1', code: 'rate_limit_exceeded' });
    expect(told.at(-1)).toContain('refused');
    gate.want();
    gate.refused({ event_id: 'response-2', code: 'conversation_already_has_active_response' });
    expect(gate.done('foreign')).toBe(false);
    expect(sent).toEqual(['response.create', 'response.create', 'response.create']);
    gate.refused({ event_id: 'something-else', code: 'x' });
    expect(gate.isIdle).toBe(false);
  });

  it('the end of a session ends it, but not the wish', () => {
    gate.want();
    gate.created('r1');
    gate.want();
    expect(gate.reset()).toBe(true);
    expect(gate.done('r1')).toBe(false);
    gate.pump();
    expect(sent).toEqual(['response.create', 'response.create']);
  });
});
