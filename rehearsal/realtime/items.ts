import { EventProblem } from './event-problem.ts';

/** Items kept; the oldest are forgotten, as the provider's own truncation does. */
const MAX_ITEMS = 1_000;

/** A part of a conversation, as the wire has it; `text` is what the conversing model reads of it. */
export interface Item {
  id: string;
  wire: Record<string, unknown> & { type: string };
  by: 'user' | 'assistant' | 'system' | 'call' | 'output';
  /** null: it could not be understood. Sound has none before it is written down. */
  text: Promise<string | null>;
  /** Milliseconds of the model's own sound. */
  spokenMs: number;
}

/** The items of one session, in their order. */
export class Items {
  #items: Item[] = [];

  get all(): readonly Item[] {
    return this.#items;
  }

  get lastId(): string | null {
    return this.#items.at(-1)?.id ?? null;
  }

  /** Behind `previousId` (`root`: before all), or at the end; answers which item it follows. @throws EventProblem */
  add(item: Item, previousId?: string | null): string | null {
    if (this.#items.some(({ id }) => id === item.id))
      throw new EventProblem('item_create_duplicate_id', `An item with id '${item.id}' exists already.`, 'item.id');
    let at = this.#items.length;
    if (previousId === 'root') at = 0;
    else if (previousId) at = this.#at(previousId, 'item_create_invalid_previous_item_id', 'previous_item_id') + 1;
    this.#items.splice(at, 0, item);
    const before = this.#items[at - 1]?.id ?? null;
    if (this.#items.length > MAX_ITEMS) this.#items.shift();
    return before;
  }

  /** @throws EventProblem with `code` where there is none */
  get(id: string, code: string): Item {
    return this.#items[this.#at(id, code, 'item_id')] as Item;
  }

  /** @throws EventProblem */
  delete(id: string): void {
    this.#items.splice(this.#at(id, 'item_delete_invalid_item_id', 'item_id'), 1);
  }

  /** Whether the model made this call and nobody has answered it. */
  isOpenCall(callId: string): boolean {
    const about = this.#items.filter(({ wire }) => wire['call_id'] === callId);
    return about.some(({ by }) => by === 'call') && !about.some(({ by }) => by === 'output');
  }

  #at(id: string, code: string, param: string): number {
    const at = this.#items.findIndex((item) => item.id === id);
    if (at < 0) throw new EventProblem(code, `Item with ${param} '${id}' not found.`, param);
    return at;
  }
}
