import type { CallLimits } from './conversation-calls.ts';
import type { ConversationTools } from './conversation-tools.ts';
import type { ReplyAudio } from './conversation-voice.ts';
import type { SessionListener } from './realtime-listener.ts';
import type { RealtimeSession } from './realtime-session.ts';
import type { RecogniserEvents } from './recogniser.ts';
import type { GateLimits } from './response-gate.ts';
import { GATE_LIMITS } from './response-gate.ts';

/** What a conversation tells besides what was said. A final here is for people to read: it goes nowhere by itself. */
export interface ConversationEvents extends RecogniserEvents {
  /** What the model said, in words. */
  replied(text: string): void;
  /** Nothing of this utterance goes to the gateway; once. May come before its final, or before it is lost. */
  unsent(utteranceId: string): void;
  /** The model did not answer as it should; for people. */
  trouble(text: string): void;
}

/** Milliseconds. */
export interface ConversationLimits extends GateLimits, CallLimits {
  /** How long the model waits for the text of what it is to answer. */
  transcriptMs: number;
}

export interface ConversationOptions {
  /** Opens the session that the conversation listens to. */
  open: (events: RecogniserEvents, listener: SessionListener) => RealtimeSession;
  tools: ConversationTools;
  audio: ReplyAudio;
  events: ConversationEvents;
  /** What a person said in it: all of `text`, or nothing when it was our own voice. Default: all. */
  wordsOfUser?: (utteranceId: string, text: string) => string;
  limits?: Partial<ConversationLimits>;
}

export const CONVERSATION_LIMITS: ConversationLimits = {
  ...GATE_LIMITS,
  callMs: 10_000,
  textMs: 15_000,
  transcriptMs: 700,
};
