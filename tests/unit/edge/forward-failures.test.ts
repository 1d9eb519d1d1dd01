import { describe, expect, it } from '@jest/globals';
import { meaningOf } from '../../../edge/forward-failures.ts';
import { localFailure } from '../../../edge/gateway-calls.ts';
import type { CallFailure } from '../../../edge/gateway-calls.ts';

const URL_ = 'http://127.0.0.1:8080';
const said = (status: number, retryAfterMs: number | null = null): CallFailure => ({
  ok: false,
  status,
  problem: { type: 'urn:dual:problem:x', title: 'x', status, detail: 'in words' },
  retryAfterMs,
});

describe('what a failure means', () => {
  it.each([
    [400, 'refused'],
    [401, 'wait'],
    [403, 'wait'],
    [404, 'refused'],
    [407, 'wait'],
    [408, 'wait'],
    [409, 'refused'],
    [413, 'refused'],
    [415, 'refused'],
    [418, 'refused'],
    [422, 'refused'],
    [425, 'wait'],
    [429, 'wait'],
    [500, 'later'],
    [501, 'later'],
    [502, 'wait'],
    [503, 'wait'],
    [504, 'wait'],
    [302, 'wait'],
  ])('%d is %s', (status, kind) => {
    expect(meaningOf(said(status), URL_).kind).toBe(kind);
  });

  it('a foreign 404 or 405 is about the address, a foreign 400 about the sentence, a success that cannot be read about neither', () => {
    const stranger = (status: number) => meaningOf(localFailure('stranger', 'odd', status), URL_);
    expect(stranger(404)).toMatchObject({ kind: 'wait', say: expect.stringContaining('WSL_GATEWAY_URL') });
    expect(stranger(405).kind).toBe('wait');
    expect(stranger(400).kind).toBe('refused');
    expect(stranger(200).kind).toBe('later');
  });

  it('says in plain words what a person must do', () => {
    expect(meaningOf(said(401), URL_)).toEqual({
      kind: 'wait',
      leastMs: 15_000,
      say: expect.stringContaining('GATEWAY_TOKEN'),
    });
    expect(meaningOf(localFailure('noToken', 'no token: copy it', 401), URL_)).toMatchObject({
      leastMs: 15_000,
      say: 'no token: copy it',
    });
    expect(meaningOf(said(403), URL_)).toMatchObject({ say: expect.stringContaining('in words') });
    expect(meaningOf(said(503), URL_)).toMatchObject({ say: 'the gateway asks to wait: in words (503)' });
    expect(meaningOf(localFailure('unreachable', 'no gateway answers'), URL_)).toEqual({
      kind: 'wait',
      leastMs: 0,
      say: 'no gateway answers',
    });
  });

  it('waits as long as it is asked to', () => {
    expect(meaningOf(said(429, 4_000), URL_)).toMatchObject({ leastMs: 4_000 });
    expect(meaningOf(said(401, 60_000), URL_)).toMatchObject({ leastMs: 60_000 });
  });
});
