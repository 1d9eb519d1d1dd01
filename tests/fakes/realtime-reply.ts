import type { FakeSession } from './realtime-session.ts';

/** 24 kHz samples in a millisecond. */
const SAMPLES_PER_MS = 24;

/** One response of the fake service's model; a test says what it says and calls. */
export class FakeReply {
  readonly id: string;
  readonly session: FakeSession;
  readonly #name: (kind: string) => string;
  readonly #output: Record<string, unknown>[] = [];
  #over = false;

  constructor(session: FakeSession, name: (kind: string) => string) {
    this.session = session;
    this.#name = name;
    this.id = name('resp');
  }

  get isOver(): boolean {
    return this.#over;
  }

  begin(): void {
    this.session.send({ type: 'response.created', response: { id: this.id, status: 'in_progress', output: [] } });
  }

  /** Speaks: so many milliseconds of sound at a level, in pieces of 100 ms; answers the item's name. */
  say(text: string, ms: number, level = 1_000): string {
    const itemId = this.#name('item');
    this.speak(itemId, ms, level);
    this.#done(itemId, text);
    return itemId;
  }

  /** Sound of an item that goes on. */
  speak(itemId: string, ms: number, level = 1_000): void {
    const { session } = this;
    for (let at = 0; at < ms; at += 100) {
      const samples = new Int16Array(Math.min(100, ms - at) * SAMPLES_PER_MS).fill(level);
      session.spokenMs.set(itemId, (session.spokenMs.get(itemId) ?? 0) + samples.length / SAMPLES_PER_MS);
      session.send({
        type: 'response.output_audio.delta',
        ...this.#about(itemId),
        delta: Buffer.from(samples.buffer).toString('base64'),
      });
    }
  }

  /** Calls a function; answers the call's name. */
  call(name: string, args: unknown): string {
    const callId = this.#name('call');
    const item = {
      id: this.#name('item'),
      type: 'function_call',
      name,
      call_id: callId,
      arguments: typeof args === 'string' ? args : JSON.stringify(args),
    };
    this.session.calls.add(callId);
    this.#output.push(item);
    this.session.send({ type: 'response.output_item.done', response_id: this.id, output_index: 0, item });
    return callId;
  }

  done(status: 'completed' | 'cancelled' | 'failed' = 'completed'): void {
    if (this.#over) return;
    this.#over = true;
    if (this.session.reply === this) this.session.reply = null;
    this.session.send({ type: 'response.done', response: { id: this.id, status, output: this.#output } });
  }

  #done(itemId: string, text: string): void {
    const about = this.#about(itemId);
    this.session.send({ type: 'response.output_audio_transcript.delta', ...about, delta: text });
    this.session.send({ type: 'response.output_audio.done', ...about });
    this.session.send({ type: 'response.output_audio_transcript.done', ...about, transcript: text });
    this.#output.push({ id: itemId, type: 'message', role: 'assistant' });
  }

  #about(itemId: string): Record<string, unknown> {
    return { response_id: this.id, item_id: itemId, output_index: 0, content_index: 0 };
  }
}
