import { expect } from '@jest/globals';
import type { AcceptedReply, ControlReply, FinalReply } from '../../contracts/replies.ts';
import type { TestGateway } from './gateway.ts';

/** Somebody who says finals to a gateway in session `s`; `more` overrides fields of the transcript. */
export const speaker = (gateway: () => TestGateway) => {
  const post = async (
    text: string,
    more: Record<string, unknown> = {},
  ): Promise<{ status: number; body: FinalReply }> => {
    const response = await gateway().call('/transcript', { text, is_final: true, session_id: 's', ...more });
    return { status: response.status, body: (await response.json()) as FinalReply };
  };
  return {
    post,
    /** An order that is accepted: its trace id. */
    start: async (text: string, more: Record<string, unknown> = {}): Promise<string> => {
      const { status, body } = await post(text, more);
      expect([status, body.status]).toEqual([202, 'accepted']);
      return (body as AcceptedReply).trace_id;
    },
    /** Outcome and message of a control word. */
    steer: async (text: string, more: Record<string, unknown> = {}): Promise<[string, string]> => {
      const { status, body } = await post(text, more);
      expect([status, body.status]).toEqual([200, 'control']);
      const { outcome, message } = body as ControlReply;
      return [outcome, message];
    },
  };
};
