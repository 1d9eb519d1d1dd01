import { messageOf } from '../../platform/errors.ts';
import { unlessAborted } from '../../platform/lifecycle.ts';
import type { Log } from '../../platform/log.ts';
import { estimateTokens } from '../tokens.ts';
import { nextMove } from './conversing-model.ts';
import type { Read } from './conversing-model.ts';
import { EventProblem } from './event-problem.ts';
import type { Items } from './items.ts';
import { Reply } from './reply.ts';
import type { Synthesise } from './reply.ts';
import type { Name, SendEvent } from './server-event.ts';
import type { Settings } from './settings.ts';

/** What the model reads of a conversation at most, newest items. */
const MAX_READ = 100;

export interface RepliesOptions {
  items: Items;
  settings: () => Settings;
  send: SendEvent;
  name: Name;
  /** null: replies are text. */
  synthesise: Synthesise | null;
  log?: Log | undefined;
}

/** The responses of one session, one at a time. */
export class Replies {
  readonly #options: RepliesOptions;
  #active: Reply | null = null;

  constructor(options: RepliesOptions) {
    this.#options = options;
  }

  get isActive(): boolean {
    return this.#active !== null;
  }

  /** @throws EventProblem while another one is active, and in a session that only writes down */
  create(modality?: 'audio' | 'text'): void {
    const { items, settings, send, name } = this.#options;
    const { type, output_modalities: [usual] = ['audio'] } = settings();
    if (type !== 'realtime')
      throw new EventProblem('invalid_value', 'A transcription session has no responses.', 'type');
    if (this.#active)
      throw new EventProblem(
        'conversation_already_has_active_response',
        `Conversation already has an active response in progress: ${this.#active.id}. Wait until the response is finished before creating a new one.`,
      );
    const reply = new Reply({
      send,
      name,
      add: (item) => items.add(item),
      modality: modality ?? usual,
      inputTokens: estimateTokens(JSON.stringify(items.all.map(({ wire }) => wire))),
    });
    this.#active = reply;
    const over = this.#play(reply).then(
      () => this.#end(reply, 'completed', null),
      (error: unknown) => {
        if (!reply.isOver) this.#options.log?.warn({ error: messageOf(error) }, 'a spoken reply failed');
        const failure = { type: 'server_error', code: 'server_error', message: messageOf(error) };
        this.#end(reply, 'failed', { type: 'failed', error: failure });
      },
    );
    void over;
  }

  /** `id`: only that one. @throws EventProblem when it is not active */
  cancel(reason: 'client_cancelled' | 'turn_detected', id?: string): void {
    if (!this.#active || (id !== undefined && id !== this.#active.id))
      throw new EventProblem('response_cancel_not_active', 'Cancellation failed: no active response found');
    this.#end(this.#active, 'cancelled', { type: 'cancelled', reason });
  }

  close(): void {
    this.#active?.done('cancelled');
    this.#active = null;
  }

  async #play(reply: Reply): Promise<void> {
    const { items, settings, synthesise } = this.#options;
    const { tools = [], tool_choice: choice } = settings();
    const newest = items.all.slice(-MAX_READ);
    const last = newest.findLast(({ by }) => by !== 'assistant' && by !== 'call');
    // What was just said may not be written down yet; only the newest is worth waiting for.
    const reads: Read[] = [];
    for (const { by, id, text, wire } of newest) {
      const read = by === 'user' && id !== last?.id ? '' : ((await unlessAborted(text, reply.signal)) ?? '');
      reads.push({ by, text: wire.type === 'function_call' ? '' : read });
    }
    const move = nextMove(reads, choice === 'none' ? [] : tools);
    if ('say' in move) await reply.say(move.say, synthesise);
    else await reply.call(move.call, move.args);
  }

  #end(reply: Reply, status: 'completed' | 'cancelled' | 'failed', details: Record<string, unknown> | null): void {
    if (this.#active === reply) this.#active = null;
    reply.done(status, details);
  }
}
