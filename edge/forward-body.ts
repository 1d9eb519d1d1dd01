import { LinkTranscript } from '../contracts/edge-link.ts';
import type { SpooledFinal } from './spool-final.ts';

/** A final as it goes over either way. */
export type FinalBody = Omit<LinkTranscript, 'type'> & { session_id: string; sequence: number };

export const bodyOf = (final: SpooledFinal): FinalBody => ({
  is_final: true,
  utterance_id: final.utteranceId,
  session_id: final.sessionId,
  sequence: final.sequence,
  text: final.text,
  timestamp: final.saidAt,
  latency_ms: Math.max(0, final.latencyMs),
});

/** Why the gateway would not take its form, which could end the link each time it is sent; null when it would. */
export const whyUnsendable = (body: FinalBody): string | null => {
  const form = LinkTranscript.safeParse({ type: 'transcript', ...body });
  if (form.success) return null;
  const [issue] = form.error.issues;
  return `the gateway does not take this: ${issue?.path.join('.')}: ${issue?.message}`;
};
