import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fromBase64, readServerEvent, toBase64 } from '../../../edge/realtime-events.ts';

describe('events of the service', () => {
  it('are read as far as they mean something', () => {
    expect(
      readServerEvent({ type: 'input_audio_buffer.committed', event_id: 'e', item_id: 'i', previous_item_id: null }),
    ).toEqual({ kind: 'known', event: { type: 'input_audio_buffer.committed', item_id: 'i' } });
    expect(readServerEvent({ type: 'rate_limits.updated', rate_limits: [] })).toEqual({ kind: 'unknown' });
    expect(readServerEvent({ type: 'input_audio_buffer.committed' })).toEqual({ kind: 'unreadable' });
    expect(
      readServerEvent({
        type: 'response.output_audio.delta',
        response_id: 'r',
        item_id: 'i',
        content_index: 0,
        delta: '%',
      }),
    ).toEqual({
      kind: 'unreadable',
    });
  });

  it('whatever comes is known, unknown or unreadable', () => {
    const types = fc.constantFrom('error', 'response.done', 'session.updated', 'toString', '__proto__', 'x');
    fc.assert(
      fc.property(
        fc.oneof(fc.anything(), fc.record({ type: types, error: fc.anything(), response: fc.anything() })),
        (raw) => {
          expect(['known', 'unknown', 'unreadable']).toContain(readServerEvent(raw).kind);
        },
      ),
    );
  });
});

describe('sound on the wire', () => {
  it('goes there and back', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -32_768, max: 32_767 })), (samples) => {
        const whole = Int16Array.from([7, ...samples, 7]);
        expect([...fromBase64(toBase64(whole.subarray(1, whole.length - 1)))]).toEqual(samples);
      }),
    );
  });

  it('is little-endian, and half a sample is dropped', () => {
    expect(toBase64(Int16Array.of(1, -2))).toBe('AQD+/w==');
    expect([...fromBase64(Buffer.from([1, 0, 5]).toString('base64'))]).toEqual([1]);
  });
});
