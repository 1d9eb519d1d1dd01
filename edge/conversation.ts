import { ModelCalls } from './conversation-calls.ts';
import { hushes } from './conversation-hush.ts';
import { ConversationContext } from './conversation-context.ts';
import type { ConversationLimits, ConversationOptions } from './conversation-options.ts';
import { CONVERSATION_LIMITS } from './conversation-options.ts';
import type { Turn } from './conversation-turns.ts';
import { Turns } from './conversation-turns.ts';
import { ConversationVoice } from './conversation-voice.ts';
import type { ServerEvent } from './realtime-events.ts';
import type { SessionListener } from './realtime-listener.ts';
import type { RealtimeSession } from './realtime-session.ts';
import type { LineState, Recogniser } from './recogniser.ts';
import { ResponseGate } from './response-gate.ts';
import type { Utterance } from './utterance.ts';

/** News that waits to be spoken. */
const MAX_NEWS = 16;

/**
 * A spoken dialogue with a model that can hand orders over. The model answers when the text of what was said is known,
 * 700 ms after its end at the latest, so that a word to be silent is obeyed before any model has read it; and whatever
 * the model wants done waits for that text in any case. Everything said gets at most one final, and only by `submit_task`.
 */
export class Conversation implements Recogniser {
  readonly #options: ConversationOptions;
  readonly #limits: ConversationLimits;
  readonly #session: RealtimeSession;
  readonly #gate: ResponseGate;
  readonly #voice: ConversationVoice;
  readonly #context: ConversationContext;
  readonly #closing = new AbortController();
  readonly #turns: Turns;
  readonly #calls: ModelCalls;
  #news: string[] = [];
  #hearing: string | null = null;
  /** What the response under way is about; null: news. */
  #answered: Turn | null = null;

  constructor(options: ConversationOptions) {
    this.#options = options;
    this.#limits = { ...CONVERSATION_LIMITS, ...options.limits };
    const { events, audio } = options;
    this.#turns = new Turns((utteranceId) => events.unsent(utteranceId));
    this.#context = new ConversationContext((event) => this.#session.send(event));
    this.#gate = new ResponseGate({
      send: (event) => this.#session.send(event),
      free: () => this.#isFree(),
      asked: () => this.#asked(),
      failed: (reason) => this.#failed(reason),
      dead: (reason) => this.#session.renew(reason),
      limits: this.#limits,
    });
    this.#voice = new ConversationVoice({
      audio,
      send: (event) => this.#session.send(event),
      cutOff: (responseId) => {
        if (this.#gate.isCurrent(responseId)) this.#gate.cancel();
      },
      over: () => this.#session.calmer(),
    });
    this.#calls = new ModelCalls({
      tools: options.tools,
      limits: this.#limits,
      signal: this.#closing.signal,
      answered: (call, output, session) => this.#context.answer(call, output, session),
      done: (turn) => {
        if (turn?.hushed) this.#turns.finish(turn);
        else this.#gate.want();
        this.#goOn();
      },
    });
    this.#session = options.open(
      {
        firstAppend: (utteranceId) => events.firstAppend(utteranceId),
        partial: (utteranceId, text) => events.partial(utteranceId, text),
        final: (utteranceId, text) => this.#final(utteranceId, text),
        lost: (utteranceId, reason) => this.#lost(utteranceId, reason),
        state: (state, problem) => this.#state(state, problem),
      },
      this.#listener(),
    );
  }

  /** Opens the line; once. */
  start(): void {
    this.#session.start();
  }

  begin(utterance: Utterance): void {
    if (this.#hearing !== null) this.end();
    this.#hearing = utterance.utteranceId;
    this.#turns.begin(utterance.utteranceId);
    this.#session.begin(utterance);
  }

  append(samples: Int16Array): void {
    this.#session.append(samples);
  }

  end(): void {
    this.#hearing = null;
    this.#session.end();
    this.#goOn();
  }

  discard(): void {
    if (this.#hearing !== null) this.#turns.drop(this.#hearing);
    this.#hearing = null;
    this.#session.discard();
    this.#goOn();
  }

  /** The person speaks over the model: it falls silent, and learns how much of it was heard. */
  interrupt(): void {
    this.#gate.cancel();
    this.#voice.interrupt();
  }

  /** News of a task, for the model to speak at the next silence. false: there is no session; say it otherwise. */
  tell(text: string): boolean {
    if (!this.#context.isOpen) return false;
    this.#news = [...this.#news, text].slice(-MAX_NEWS);
    this.#goOn();
    return true;
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the edge was closed'));
    this.#gate.reset();
    this.#voice.interrupt();
    await this.#session.close();
    for (const turn of this.#turns.all()) this.#turns.finish(turn);
  }

  #listener(): SessionListener {
    return {
      opened: () => this.#opened(),
      gone: () => this.#gone(),
      committed: (utteranceId) => this.#committed(utteranceId),
      named: (utteranceId, itemId) => {
        const turn = this.#turns.get(utteranceId);
        if (turn) turn.itemId = itemId;
      },
      event: (event) => this.#hear(event),
      busy: () => !this.#gate.isIdle || this.#voice.isSpeaking || this.#turns.anyRunning,
    };
  }

  #isFree(): boolean {
    return this.#hearing === null && !this.#turns.anyUnready;
  }

  #goOn(): void {
    if (this.#news.length > 0 && this.#context.isOpen && this.#gate.isIdle && this.#isFree()) {
      for (const text of this.#news.splice(0)) this.#context.tell(text);
      this.#gate.want();
    } else this.#gate.pump();
    this.#session.calmer();
  }

  #state(state: LineState, problem: string | null): void {
    this.#options.events.state(state, problem);
    if (state !== 'closed') return;
    this.#gate.forget();
    for (const turn of this.#turns.answerable()) this.#turns.finish(turn);
  }

  #committed(utteranceId: string): void {
    const turn = this.#turns.get(utteranceId);
    turn?.after(this.#limits.transcriptMs, () => this.#ready(turn));
  }

  #ready(turn: Turn): void {
    turn.stop();
    if (turn.over || turn.ready) return;
    turn.ready = true;
    this.#gate.want();
    this.#goOn();
  }

  #final(utteranceId: string, text: string): void {
    const turn = this.#turns.get(utteranceId);
    const words = this.#options.wordsOfUser?.(utteranceId, text) ?? text;
    const hush = hushes(words);
    if (turn && hush) this.#hush(turn);
    turn?.write(words);
    this.#options.events.final(utteranceId, words);
    if (!turn) return;
    if (turn.hushed || words === '') {
      // No model is to read it: not now, and not before the next answer.
      this.#context.remove(turn.itemId);
      if (this.#answered === turn) this.#gate.cancel();
      this.#turns.finish(turn);
      this.#goOn();
    } else {
      this.#context.heard(words);
      this.#ready(turn);
    }
    if (turn.over) this.#turns.drop(utteranceId);
  }

  #lost(utteranceId: string, reason: string): void {
    const turn = this.#turns.get(utteranceId);
    this.#turns.drop(utteranceId);
    this.#options.events.lost(utteranceId, reason);
    turn?.write(null);
    if (turn) turn.over = true;
    this.#goOn();
  }

  /** Silence, and nothing that was said up to this turn is acted on. */
  #hush(last: Turn): void {
    this.#news = [];
    this.#gate.forget();
    this.interrupt();
    for (const turn of this.#turns.all()) {
      turn.hushed = true;
      if (turn === last) return;
      if (turn.ready && turn !== this.#answered) this.#turns.finish(turn);
    }
  }

  #asked(): void {
    this.#calls.clear();
    const waiting = this.#turns.answerable();
    this.#answered = waiting.at(-1) ?? null;
    // One answer for all that was said since the last.
    for (const turn of waiting) if (turn !== this.#answered) this.#turns.finish(turn);
  }

  #failed(reason: string): void {
    this.#options.events.trouble(reason);
    this.#answeredOver();
  }

  #hear(event: ServerEvent): void {
    if ('response_id' in event) this.#gate.sign(event.response_id);
    switch (event.type) {
      case 'response.created':
        return this.#gate.created(event.response.id);
      case 'response.output_audio.delta':
        return this.#gate.isCurrent(event.response_id) ? this.#voice.sound(event) : undefined;
      case 'response.output_audio.done':
        return this.#voice.soundDone(event.item_id);
      case 'response.output_audio_transcript.delta':
      case 'response.output_audio_transcript.done': {
        if (!this.#gate.isCurrent(event.response_id)) return;
        const text = this.#voice.words(event);
        if (text === null) return;
        this.#context.said(text);
        return this.#options.events.replied(text);
      }
      case 'response.output_item.done':
        return this.#gate.isCurrent(event.response_id) ? this.#calls.take(event.item) : undefined;
      case 'response.done':
        return this.#done(event.response);
      case 'error':
        return this.#gate.refused(event.error);
      default:
        return;
    }
  }

  #done({ id, status, output }: (ServerEvent & { type: 'response.done' })['response']): void {
    // Cancelled ones are not: nothing is done for them.
    const wanted = this.#gate.isCurrent(id) && (status ?? 'completed') === 'completed';
    if (wanted) for (const item of output ?? []) this.#calls.take(item);
    this.#voice.responseDone(id);
    if (!this.#gate.done(id)) return;
    if (status === 'failed') this.#options.events.trouble('The model could not answer.');
    if (wanted) this.#calls.run(this.#answered, this.#context.session);
    this.#answeredOver();
  }

  /** The response is over; so is what it was about, unless something is being done for it. */
  #answeredOver(): void {
    if (this.#answered) this.#turns.finish(this.#answered);
    this.#answered = null;
    this.#goOn();
  }

  #opened(): void {
    this.#context.opened();
    this.#goOn();
  }

  #gone(): void {
    this.#context.gone();
    this.#calls.clear();
    const spoke = this.#voice.isSpeaking;
    this.#voice.gone();
    this.#turns.sessionGone();
    if (!this.#gate.reset()) return;
    const turn = this.#answered;
    this.#answered = null;
    if (!turn?.ready || turn.running > 0) return;
    if (spoke || turn.submitted) this.#turns.finish(turn);
    else this.#gate.want();
  }
}
