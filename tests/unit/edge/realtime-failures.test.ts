import { describe, expect, it } from '@jest/globals';
import {
  judgeClose,
  judgeFault,
  judgeHandshake,
  refusedSettings,
  retryAfterMs,
} from '../../../edge/realtime-failures.ts';

describe('what a refusal means', () => {
  it.each([
    [401, '', true, 'The key was refused (401). Put a valid OPENAI_API_KEY into .env.local and start again.'],
    [401, '{"error":{"code":"insufficient_quota"}}', true, 'The key was refused (401).'],
    [403, '', true, 'may not use'],
    [403, '{"error":{"code":"model_not_found"}}', true, 'does not know this model'],
    [400, '', true, 'REALTIME_MODEL'],
    [404, '', true, 'OPENAI_REALTIME_URL'],
    [429, '', false, 'too often'],
    [429, '{"error":{"type":"insufficient_quota"}}', true, 'quota'],
    [429, 'You exceeded your current quota', true, 'quota'],
    [500, '', false, '500'],
    [502, '', false, '502'],
    [503, '', false, '503'],
    [301, '', false, '301'],
  ])('%d %s: fatal %s', (status, body, fatal, words) => {
    const end = judgeHandshake(status, body, null);
    expect(end.fatal).toBe(fatal);
    expect(end.message).toContain(words);
  });

  it('hands on how long to rest, within reason', () => {
    expect(judgeHandshake(503, '', 4_000).retryAfterMs).toBe(4_000);
    expect(judgeHandshake(429, '', 86_400_000).retryAfterMs).toBe(300_000);
    expect(judgeHandshake(401, '', 4_000).retryAfterMs).toBeNull();
  });

  it.each([
    [1000, '', false],
    [1001, 'Your session hit the maximum duration of 60 minutes.', false],
    [1006, '', false],
    [1011, 'internal error', false],
    [3000, 'invalid_request_error.invalid_api_key', true],
    [4000, 'insufficient_quota', true],
    [1008, 'model_not_found', true],
  ])('the end %d %s: fatal %s', (code, reason, fatal) => {
    expect(judgeClose(code, reason).fatal).toBe(fatal);
  });

  it.each([
    ['session_expired', false],
    ['invalid_api_key', true],
    ['insufficient_quota', true],
    ['model_not_found', true],
    ['input_audio_buffer_commit_empty', null],
    ['conversation_already_has_active_response', null],
    ['rate_limit_exceeded', null],
    ['server_error', null],
  ])('the error %s: fatal %s', (code, fatal) => {
    expect(judgeFault({ code, type: 'invalid_request_error' })?.fatal ?? null).toBe(fatal);
  });

  it('an error’s own words decide nothing, and are not repeated: they may quote anything', () => {
    const fault = { code: 'invalid_value', param: 'session.audio.input', message: 'invalid_api_key sk-secret' };
    expect(judgeFault(fault)).toBeNull();
    expect(refusedSettings(fault)).toMatchObject({ fatal: true });
    expect(refusedSettings(fault).message).toContain('(invalid_value, session.audio.input)');
    expect(refusedSettings(fault).message).not.toContain('sk-secret');
  });

  it.each([
    [undefined, null],
    ['', null],
    ['2', 2_000],
    ['0.5', 500],
    ['-3', 0],
    ['soon', null],
    ['Thu, 26 Nov 2026 10:00:05 GMT', 5_000],
    ['Thu, 26 Nov 2026 09:00:00 GMT', 0],
  ])('Retry-After %s is %s ms', (header, ms) => {
    expect(retryAfterMs(header, Date.parse('2026-11-26T10:00:00Z'))).toBe(ms);
  });
});
