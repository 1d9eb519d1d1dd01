import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ClientEvent } from '../../../edge/realtime-events.ts';
import type { Outgoing } from '../../../edge/sound-sender.ts';
import { SoundSender } from '../../../edge/sound-sender.ts';
import { UtteranceRing } from '../../../edge/utterance-ring.ts';

const HZ = 16_000;

let ring: UtteranceRing;
let queue: Outgoing[];
let sent: ClientEvent[];
let told: string[];
let line: { send(event: ClientEvent): boolean; isOpen: boolean; bufferedBytes: number };
let sender: SoundSender;

beforeEach(() => {
  jest.useFakeTimers();
  ring = new UtteranceRing(60 * HZ);
  queue = [];
  sent = [];
  told = [];
  line = { send: (event) => line.isOpen && sent.push(event) > 0, isOpen: true, bufferedBytes: 0 };
  sender = new SoundSender({
    line,
    ring,
    next: () => queue.find(({ committed }) => !committed),
    limits: { maxBufferedBytes: 1_000, stuckMs: 5_000 },
    events: {
      opened: (id) => told.push(`opened ${id}`),
      committed: (id, commitId) => told.push(`committed ${id} ${commitId}`),
      stuck: () => told.push('stuck'),
    },
  });
});

afterEach(() => {
  sender.reset();
  jest.useRealTimers();
});

const add = (utteranceId: string, seconds: number, level = 1): Outgoing => {
  const stretch = ring.begin();
  ring.append(stretch, new Int16Array(seconds * HZ).fill(level));
  const outgoing: Outgoing = { utteranceId, stretch, ended: true, sentTo: stretch.start, committed: false };
  queue.push(outgoing);
  return outgoing;
};

/** Milliseconds of sound on the wire. */
const wireMs = (): number =>
  sent.reduce(
    (ms, event) =>
      ms + (event.type === 'input_audio_buffer.append' ? Buffer.from(event.audio, 'base64').length / 48 : 0),
    0,
  );
const shape = (): string =>
  sent
    .map(({ type }) => (type.split('.')[1] ?? '')[0])
    .join('')
    .replace(/a+/g, 'a');

describe('sending sound', () => {
  it('one utterance after another, each with its commit', () => {
    add('a', 0.5);
    add('b', 0.5);
    sender.pump();
    expect(shape()).toBe('acac');
    expect(told).toEqual(['opened a', 'committed a commit-1', 'opened b', 'committed b commit-2']);
  });

  it('each padded to what a commit needs, whatever was sent before', () => {
    add('a', 0.5);
    add('b', 0.02);
    sender.pump();
    const last = sent.slice(sent.findIndex(({ type }) => type === 'input_audio_buffer.commit') + 1);
    sent = last;
    expect(wireMs()).toBe(100);
  });

  it('a long one in bursts, so that others get their turn', () => {
    add('a', 10);
    sender.pump();
    expect(wireMs()).toBeLessThan(1_400);
    jest.advanceTimersByTime(0);
    expect(wireMs()).toBeGreaterThan(1_400);
    jest.runAllTimers();
    expect(shape()).toBe('ac');
    expect(wireMs()).toBeCloseTo(10_000, -1);
  });

  it('stops while the network takes nothing, and goes on when it does', () => {
    add('a', 0.5);
    line.bufferedBytes = 1_001;
    sender.pump();
    sender.pump();
    jest.advanceTimersByTime(4_000);
    expect(sent).toEqual([]);
    line.bufferedBytes = 1_000;
    jest.advanceTimersByTime(20);
    expect(shape()).toBe('ac');
    expect(told).not.toContain('stuck');
  });

  it('says once when that takes too long', () => {
    add('a', 0.5);
    line.bufferedBytes = 1_001;
    sender.pump();
    jest.advanceTimersByTime(5_100);
    expect(told).toEqual(['stuck']);
  });

  it('counts nothing as sent that the line did not take', () => {
    const outgoing = add('a', 0.5);
    line.isOpen = false;
    sender.pump();
    expect(outgoing.sentTo).toBe(outgoing.stretch.start);
    expect(told).toEqual([]);
  });

  it('clears what it had begun, and only that', () => {
    const first = add('a', 0.5);
    first.ended = false;
    const other = add('b', 0.5);
    sender.pump();
    expect(sender.clear(other)).toBe(false);
    expect(sender.clear(first)).toBe(true);
    queue.shift();
    sender.pump();
    expect(sent.map(({ type }) => type)).toEqual([
      'input_audio_buffer.append',
      'input_audio_buffer.append',
      'input_audio_buffer.clear',
      'input_audio_buffer.append',
      'input_audio_buffer.append',
      'input_audio_buffer.append',
      'input_audio_buffer.commit',
    ]);
  });

  it('after a reset begins anew, with nothing of the sound before', () => {
    const outgoing = add('a', 0.5, 10_000);
    outgoing.ended = false;
    sender.pump();
    const before = sent.splice(0);
    sender.reset();
    outgoing.sentTo = outgoing.stretch.start;
    sender.pump();
    expect(sent).toEqual(before);
  });
});
