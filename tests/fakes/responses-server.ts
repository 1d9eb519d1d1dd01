import { json, startProvider } from './provider-server.ts';
import type { Answer, ProviderServer } from './provider-server.ts';

/** One clause as the strict schema has it; a test names what matters to it. */
export const said = (
  text: string,
  skill: string,
  change: Partial<{
    unsure: boolean;
    parameters: { name: string; value: string }[];
    depends_on: { clause: number; when: string }[];
  }> = {},
) => ({ text, skill, unsure: false, parameters: [], depends_on: [], ...change });

export const USAGE = {
  input_tokens: 1_000,
  input_tokens_details: { cached_tokens: 600, cache_write_tokens: 100 },
  output_tokens: 80,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 1_080,
};

/** A whole answer of OpenAI's `POST /responses`, with this text in it. */
export const response = (text: string, change: Record<string, unknown> = {}): Record<string, unknown> => ({
  id: 'resp_1',
  object: 'response',
  created_at: 1_790_000_000,
  status: 'completed',
  error: null,
  incomplete_details: null,
  model: 'gpt-6-luna-2026-09-22',
  output: [
    { type: 'reasoning', id: 'rs_1', summary: [] },
    {
      type: 'message',
      id: 'msg_1',
      status: 'completed',
      role: 'assistant',
      content: [{ type: 'output_text', text, annotations: [] }],
    },
  ],
  usage: USAGE,
  ...change,
});

export const reading = (clauses: unknown[], change: Record<string, unknown> = {}): Answer =>
  json(response(JSON.stringify({ clauses }), change));

/** An error in the provider's form. */
export const refusal = (status: number, message: string): Answer =>
  json({ error: { message, type: 'invalid_request_error', param: null, code: null } }, status);

/** The same answer, so many milliseconds later. */
export const late =
  (answer: Answer, ms: number): Answer =>
  (to) => {
    const timer = setTimeout(() => answer(to), ms);
    to.on('close', () => clearTimeout(timer));
  };

/** Servers that are closed together. */
export const responsesServers = (): {
  start(...answers: Answer[]): Promise<ProviderServer>;
  close(): Promise<void>;
} => {
  const open: ProviderServer[] = [];
  return {
    start: async (...answers) => {
      const server = await startProvider(...answers);
      open.push(server);
      return server;
    },
    close: async () => {
      for (const server of open.splice(0)) await server.close();
    },
  };
};
