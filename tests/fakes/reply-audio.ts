import type { ReplyAudio } from '../../edge/conversation-voice.ts';

/** One reply as it was heard. */
export interface Played {
  text: () => string;
  samples: number;
  /** null: still being played. */
  heardMs: number | null;
}

/** Plays instantly, or not further than it is let; says how much was heard, as a speaker does. */
export class FakeReplyAudio implements ReplyAudio {
  readonly played: Played[] = [];
  /** Milliseconds after which playing waits for an abort; null: never. */
  stopsAtMs: number | null = null;
  /** No device: resolves without listening. */
  silent = false;

  async play(samples: AsyncIterable<Int16Array>, text: () => string, signal: AbortSignal): Promise<number> {
    const one: Played = { text, samples: 0, heardMs: null };
    this.played.push(one);
    if (this.silent) return (one.heardMs = 0);
    for await (const piece of samples) {
      one.samples += piece.length;
      if (this.stopsAtMs === null || one.samples / 24 < this.stopsAtMs) continue;
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener('abort', () => resolve(), { once: true });
      });
      return (one.heardMs = this.stopsAtMs);
    }
    return (one.heardMs = one.samples / 24);
  }
}
