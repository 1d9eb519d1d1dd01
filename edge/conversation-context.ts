import type { ClientEvent, NewItem } from './realtime-events.ts';

/** Lines carried over to a new session; older ones are forgotten. */
const MAX_LINES = 20;
/** Of one line. */
const MAX_CHARS = 2_000;

type Role = 'user' | 'assistant' | 'system';

const message = (role: Role, text: string): NewItem =>
  role === 'assistant'
    ? { type: 'message', role, content: [{ type: 'output_text', text }] }
    : { type: 'message', role, content: [{ type: 'input_text', text }] };

/** What the model knows besides sound. A session knows nothing of an earlier one, so it is told what was said lately. */
export class ConversationContext {
  readonly #send: (event: ClientEvent) => boolean;
  #lines: { role: Role; text: string }[] = [];
  #sessions = 0;
  #isOpen = false;

  constructor(send: (event: ClientEvent) => boolean) {
    this.#send = send;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** The session now, by number; items belong to one. */
  get session(): number {
    return this.#sessions;
  }

  opened(): void {
    this.#isOpen = true;
    this.#sessions += 1;
    for (const { role, text } of this.#lines) this.#put(message(role, text));
  }

  gone(): void {
    this.#isOpen = false;
  }

  /** Said by the person, and known to this session as sound. */
  heard(text: string): void {
    this.#remember('user', text);
  }

  /** Said by the model. */
  said(text: string): void {
    this.#remember('assistant', text);
  }

  /** Something the model is to know. */
  tell(text: string): void {
    this.#remember('system', text);
    this.#put(message('system', text));
  }

  /** What came of a call that was made in `session`: its answer there, news to a later one. */
  answer(call: { name: string; callId: string }, output: string, session: number): void {
    const text = `${call.name}: ${output}`;
    if (session !== this.#sessions) return this.tell(text);
    this.#remember('system', text);
    this.#put({ type: 'function_call_output', call_id: call.callId, output });
  }

  /** Nothing of it is to be read. */
  remove(itemId: string | null): void {
    if (itemId !== null) this.#send({ type: 'conversation.item.delete', item_id: itemId });
  }

  #remember(role: Role, text: string): void {
    if (text.trim() !== '') this.#lines = [...this.#lines, { role, text: text.slice(0, MAX_CHARS) }].slice(-MAX_LINES);
  }

  #put(item: NewItem): void {
    this.#send({ type: 'conversation.item.create', item });
  }
}
