import { describe, expect, it } from '@jest/globals';
import type { TraceEvent, TraceEventDraft } from '../../../contracts/trace-event.ts';
import type { EdgeEvent } from '../../../edge/edge-events.ts';
import { toJsonLine } from '../../../edge/json-lines.ts';
import { createUtteranceTrace } from '../../../edge/trace-utterances.ts';
import { mintId, traceIdOf } from '../../../edge/utterance.ts';
import { traceIdOf as gatewayTraceIdOf } from '../../../gateway/identity.ts';

const START = Date.parse('2026-11-26T10:00:00.000Z');

const trace = () => {
  const written: TraceEventDraft[] = [];
  let atMs = 0;
  const sink = createUtteranceTrace({
    trace: { write: (draft) => (written.push(draft), {} as TraceEvent) },
    sessionId: 'edge-1',
    mode: 'transcribe',
    now: () => START + atMs,
  });
  const happen = (event: EdgeEvent['event'], at: number, more: Partial<EdgeEvent> = {}): void => {
    atMs = at;
    sink({ event, atMs: at, audioMs: at, utteranceId: 'u-1', ...more });
  };
  return { written, happen };
};

describe('the trace of an utterance', () => {
  it('shows the way from the sound to the word of the gateway, under the trace the gateway gives it', () => {
    const { written, happen } = trace();
    happen('speech_start', 1_060, { capturedAtMs: 1_000 });
    happen('first_append', 1_061);
    happen('first_partial', 1_500, { text: 'run' });
    happen('speech_end', 2_000);
    happen('final', 2_300, { text: 'run the tests' });
    happen('spooled', 2_304);
    happen('acked', 2_350);
    happen('task', 2_400);
    expect(written.map(({ phase, ts, duration_ms }) => [phase, ts, duration_ms])).toEqual([
      ['captured', '2026-11-26T10:00:01.000Z', undefined],
      ['speech_start', '2026-11-26T10:00:01.060Z', 60],
      ['first_partial', '2026-11-26T10:00:01.500Z', 440],
      ['final', '2026-11-26T10:00:02.300Z', 300],
      ['spooled', '2026-11-26T10:00:02.304Z', 4],
      ['acked', '2026-11-26T10:00:02.350Z', 46],
    ]);
    expect(new Set(written.map(({ trace_id }) => trace_id))).toEqual(new Set([gatewayTraceIdOf('u-1')]));
    expect(written.at(-1)?.payload).toMatchObject({ utterance_id: 'u-1', session_id: 'edge-1', mode: 'transcribe' });
  });

  it('has no line of what never became text', () => {
    const { written, happen } = trace();
    happen('speech_start', 10);
    happen('first_append', 11);
    happen('speech_end', 300);
    expect(written).toEqual([]);
  });

  it('stays bounded over noise without end', () => {
    const { written, happen } = trace();
    for (let n = 0; n < 10_000; n += 1) happen('speech_start', n, { utteranceId: `u-${n}` });
    happen('final', 10_000, { utteranceId: 'u-9999', text: 'x' });
    happen('final', 10_001, { utteranceId: 'u-0', text: 'y' });
    // The newest is whole; of the first its beginning is forgotten, its text is not.
    expect(written.map(({ phase }) => phase)).toEqual(['captured', 'speech_start', 'final', 'final']);
  });

  it('bears the id the gateway computes, whatever was minted', () => {
    for (let n = 0; n < 100; n += 1) {
      const id = mintId('u');
      expect(traceIdOf(id)).toBe(gatewayTraceIdOf(id));
    }
  });
});

describe('a line of --json', () => {
  it('has the names and places that programs rely on', () => {
    expect(
      toJsonLine({ event: 'final', atMs: 1.26, audioMs: 20, utteranceId: 'u-1', traceId: 'ab', text: 'a\nb' }),
    ).toBe('{"event":"final","at_ms":1.3,"audio_ms":20,"utterance_id":"u-1","trace_id":"ab","text":"a\\nb"}');
    expect(toJsonLine({ event: 'error', atMs: 0, audioMs: 0, utteranceId: null })).toBe(
      '{"event":"error","at_ms":0,"audio_ms":0,"utterance_id":null}',
    );
  });
});
