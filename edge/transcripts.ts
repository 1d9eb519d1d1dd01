import { MAX_TEXT } from '../contracts/transcript.ts';

/** Items whose text came before it was known whose they are; more than ever wait at once. */
const MAX_STRAY = 64;
/** Items that are dealt with: late or doubled events about them mean nothing. */
const MAX_DONE = 256;

/** What an event told about an utterance. */
export interface Told {
  utteranceId: string;
  itemId: string;
  text: string;
}

/**
 * Whose text is whose, within one session of the service. The service names items, in an order of its own; utterances
 * are matched to them by the order of their commits. Text that streams in before its item is committed belongs to the
 * utterance whose sound was sent first and has no item yet; a commit that says otherwise wins.
 */
export class Transcripts {
  /** Committed by us, not yet named by the service, in order; null: nobody wants it any more. */
  #awaited: { utteranceId: string | null; commitId: string }[] = [];
  /** Its sound is in the service's buffer, uncommitted. */
  #open: string | null = null;
  readonly #itemOf = new Map<string, string>();
  readonly #utteranceOf = new Map<string, string>();
  readonly #text = new Map<string, string>();
  /** Completed before it was known for sure whose they are. */
  readonly #early = new Map<string, string>();
  readonly #done = new Set<string>();

  /** The first sound of an utterance was sent. */
  opened(utteranceId: string): void {
    this.#open = utteranceId;
  }

  /** The buffer was cleared. */
  cleared(): void {
    if (this.#open !== null) this.#retire(this.#itemOf.get(this.#open));
    this.#open = null;
  }

  commitSent(utteranceId: string, commitId: string): void {
    this.#open = null;
    this.#awaited.push({ utteranceId, commitId });
  }

  /** Nothing is wanted of it any more. */
  forget(utteranceId: string): void {
    for (const awaited of this.#awaited) if (awaited.utteranceId === utteranceId) awaited.utteranceId = null;
    this.#retire(this.#itemOf.get(utteranceId));
  }

  /** The service named the item of the oldest commit; answers its text if that is complete already. */
  committed(itemId: string): Told | null {
    if (this.#done.has(itemId)) return null;
    const utteranceId = this.#awaited.shift()?.utteranceId ?? null;
    if (utteranceId === null) {
      this.#retire(itemId);
      return null;
    }
    const guessed = this.#itemOf.get(utteranceId);
    const other = this.#utteranceOf.get(itemId);
    if (guessed !== undefined) this.#utteranceOf.delete(guessed);
    if (other !== undefined) this.#itemOf.delete(other);
    this.#bind(utteranceId, itemId);
    const early = this.#early.get(itemId);
    return early === undefined ? null : this.#finish(utteranceId, itemId, early);
  }

  /** More text; answers all of it so far. null: of nobody, or of one that is done. */
  delta(itemId: string, delta: string): Told | null {
    if (this.#done.has(itemId)) return null;
    const utteranceId = this.#utteranceOf.get(itemId) ?? this.#guess(itemId);
    if (utteranceId === null && this.#text.size >= MAX_STRAY && !this.#text.has(itemId)) return null;
    const text = `${this.#text.get(itemId) ?? ''}${delta}`.slice(0, MAX_TEXT);
    this.#text.set(itemId, text);
    return utteranceId === null ? null : { utteranceId, itemId, text };
  }

  /** The whole text. null: of nobody (yet), or heard before. */
  completed(itemId: string, transcript: string): Told | null {
    if (this.#done.has(itemId)) return null;
    const [first, ...more] = this.#awaited;
    // With one commit unconfirmed, text of an item nobody else has is that one's.
    const only = more.length === 0 ? (first?.utteranceId ?? null) : null;
    const utteranceId = this.#utteranceOf.get(itemId) ?? only;
    const sure = utteranceId !== null && (utteranceId === only || !this.#isUnconfirmed(utteranceId));
    if (sure) return this.#finish(utteranceId, itemId, transcript);
    if (this.#early.size < MAX_STRAY) this.#early.set(itemId, transcript);
    return null;
  }

  /** Its sound could not be written down; answers whose. */
  failed(itemId: string): string | null {
    const utteranceId = this.#utteranceOf.get(itemId) ?? null;
    if (this.#done.has(itemId) || utteranceId === null || this.#isUnconfirmed(utteranceId)) return null;
    this.#retire(itemId);
    return utteranceId;
  }

  /** A commit was refused; answers whose. */
  refused(commitId: string): string | null {
    const at = this.#awaited.findIndex((awaited) => awaited.commitId === commitId);
    const utteranceId = this.#awaited[at]?.utteranceId ?? null;
    if (at >= 0) this.#awaited.splice(at, 1);
    if (utteranceId !== null) this.#retire(this.#itemOf.get(utteranceId));
    return utteranceId;
  }

  #isUnconfirmed(utteranceId: string): boolean {
    return this.#open === utteranceId || this.#awaited.some((awaited) => awaited.utteranceId === utteranceId);
  }

  #guess(itemId: string): string | null {
    const inOrder = [...this.#awaited.map(({ utteranceId }) => utteranceId), this.#open];
    const first = inOrder.find((utteranceId) => utteranceId !== null && !this.#itemOf.has(utteranceId));
    if (first == null) return null;
    this.#bind(first, itemId);
    return first;
  }

  #bind(utteranceId: string, itemId: string): void {
    this.#itemOf.set(utteranceId, itemId);
    this.#utteranceOf.set(itemId, utteranceId);
  }

  #finish(utteranceId: string, itemId: string, text: string): Told {
    this.#awaited = this.#awaited.filter((awaited) => awaited.utteranceId !== utteranceId);
    const guessed = this.#itemOf.get(utteranceId);
    if (guessed !== itemId) this.#retire(guessed);
    this.#retire(itemId);
    return { utteranceId, itemId, text };
  }

  /** Later events about an item mean nothing. */
  #retire(itemId: string | undefined): void {
    if (itemId === undefined) return;
    const utteranceId = this.#utteranceOf.get(itemId);
    if (utteranceId !== undefined) this.#itemOf.delete(utteranceId);
    this.#utteranceOf.delete(itemId);
    this.#text.delete(itemId);
    this.#early.delete(itemId);
    this.#done.add(itemId);
    const [oldest] = this.#done;
    if (this.#done.size > MAX_DONE && oldest !== undefined) this.#done.delete(oldest);
  }
}
