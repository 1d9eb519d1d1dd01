import { execFile } from 'node:child_process';
import type { Provider } from '../../contracts/agent.ts';
import { EditorInput, runEditor } from '../../activities/coding/editor.ts';
import { createAnthropicModel } from '../../activities/models/adapters/anthropic.ts';
import { createGeminiModel } from '../../activities/models/adapters/gemini.ts';
import type { Entry, ToolCall } from '../../activities/models/model.ts';
import { TOOL_DEFINITIONS } from '../../activities/tool-definitions.ts';
import type { ToolDefinition } from '../../activities/tool-definitions.ts';
import { toolResult, turnRequest, userSays } from './turn-request.ts';

export interface Answered {
  text: string;
  isError?: boolean;
  url?: string | null;
}

/** Executes one call of the model. */
export type Execute = (call: ToolCall) => Promise<Answered>;

export const CODING_TOOLS = [...TOOL_DEFINITIONS.editor, ...TOOL_DEFINITIONS.bash, ...TOOL_DEFINITIONS.search];
export const BROWSER_TOOLS = [...TOOL_DEFINITIONS.computer, ...TOOL_DEFINITIONS.page];

const run = (file: string, args: string[], cwd: string): Promise<{ text: string; code: number }> =>
  new Promise((resolve) => {
    execFile(
      file,
      args,
      { cwd, timeout: 60_000, env: { PATH: process.env['PATH'], CI: '1' } },
      (error, stdout, stderr) => resolve({ text: stdout + stderr, code: error ? 1 : 0 }),
    );
  });

/** The coding tools on a folder: the real editor, a real shell. */
export const codingTools =
  (dir: string): Execute =>
  async (call) => {
    if (call.name === 'bash') {
      const { text, code } = await run('/bin/bash', ['-c', String(call.input['command'])], dir);
      return { text: `${text}[exit code ${code}]`, isError: code !== 0 };
    }
    if (call.name === 'search') {
      const { text } = await run('grep', ['-rnIF', '--exclude-dir=.git', '-e', String(call.input['text']), '.'], dir);
      return { text: text.replaceAll(/^\.\//gm, '') || 'Nothing found.' };
    }
    try {
      return {
        text: (await runEditor({ tree: dir, shares: [] }, EditorInput.parse(call.input), () => undefined)).text,
      };
    } catch (error) {
      return { text: error instanceof Error ? error.message : String(error), isError: true };
    }
  };

export interface ConverseOptions {
  /** Of the models; asked before every turn (from 1) when it is a function. */
  url: string | ((turn: number) => Promise<string>);
  provider?: Provider;
  model?: string;
  tools?: ToolDefinition[];
  opening: string;
  execute: Execute;
  /** Texts said to the model after the results of turn n (from 1), or after its report. */
  notes?: Record<number, string>;
  maxTurns?: number;
}

export interface Conversed {
  /** Last words. */
  text: string;
  turns: number;
  /** Calls in order, as `name` and input. */
  calls: ToolCall[];
  stops: string[];
  entries: Entry[];
}

/** Talks to a model through our adapter and its real SDK, doing what it asks, until it ends and nothing more is said. */
export const converse = async (options: ConverseOptions): Promise<Conversed> => {
  const { url, provider = 'anthropic', notes = {}, maxTurns = 60 } = options;
  const create = provider === 'anthropic' ? createAnthropicModel : createGeminiModel;
  const entries: Entry[] = [userSays(options.opening)];
  const calls: ToolCall[] = [];
  const stops: string[] = [];
  for (let turn = 1; turn <= maxTurns; turn += 1) {
    const model = create({ apiKey: 'rehearsal-key', baseUrl: typeof url === 'string' ? url : await url(turn) });
    const request = turnRequest({
      model: options.model ?? (provider === 'anthropic' ? 'claude-sonnet-5-5' : 'gemini-3.5-flash'),
      tools: options.tools ?? CODING_TOOLS,
      entries,
    });
    const reply = await model.turn(request, new AbortController().signal);
    entries.push(reply.entry);
    stops.push(reply.stopReason);
    const note = notes[turn];
    if (reply.stop === 'end' && note === undefined)
      return { text: reply.entry.text, turns: turn, calls, stops, entries };
    const made = reply.entry.tool_calls;
    calls.push(...made);
    const results = [];
    for (const call of made) {
      const answer: Answered =
        reply.stop === 'tools'
          ? await options.execute(call)
          : { text: 'Not run: the answer could not be used.', isError: true };
      results.push(
        toolResult(call.id, answer.text, {
          name: call.name,
          is_error: answer.isError ?? false,
          url: answer.url ?? null,
        }),
      );
    }
    if (results.length > 0) entries.push({ role: 'tools', results });
    const said =
      note ??
      (reply.stop === 'cut_off' || reply.stop === 'malformed'
        ? `<note kind="${reply.stop}">\nYour last answer could not be used.\n</note>`
        : null);
    if (said !== null) entries.push(userSays(said));
  }
  throw new Error(`no end after ${maxTurns} turns; last: ${JSON.stringify(calls.at(-1))}`);
};
