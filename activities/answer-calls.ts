import type { ToolCallBrief, TurnStop } from '../contracts/activities.ts';
import { previewBytes } from '../platform/text.ts';
import { describeCall } from './describe-call.ts';
import type { Entry, ToolCall } from './models/model.ts';

/** Calls of one answer that are shown and run; the rest are answered with an error. */
const MAX_BRIEFED = 32;
/** Few calls are shown at length; many share the 16 KiB of the payload they travel in. */
const FEW = 8;
const SHOWN_BYTES = { few: { summary: 480, confirm: 300 }, many: { summary: 100, confirm: 60 } };
const MAX_NAME_BYTES = 64;

/** A provider's id is kept when it is no longer than this: it travels in every payload about the call. */
const MAX_ID = 64;

/**
 * Ids the provider left out, made too long, or gave before in this conversation, are replaced, in every attempt the
 * same way. The adapters know calls by their order and answer the provider with its own ids.
 */
export const withUniqueIds = (calls: readonly ToolCall[], past: readonly Entry[], turn: number): ToolCall[] => {
  const taken = new Set(
    past.flatMap((entry) => (entry.role === 'assistant' ? entry.tool_calls.map(({ id }) => id) : [])),
  );
  return calls.map((call, at) => {
    let id = call.id.length > MAX_ID ? '' : call.id;
    for (let n = 0; id === '' || taken.has(id); n += 1) id = `call_${turn}_${at}${n ? `_${n}` : ''}`;
    taken.add(id);
    return { ...call, id };
  });
};

/** Calls as people see them, at most 32. */
export const briefCalls = (calls: readonly ToolCall[]): ToolCallBrief[] => {
  const shown = calls.length > FEW ? SHOWN_BYTES.many : SHOWN_BYTES.few;
  return calls.slice(0, MAX_BRIEFED).map((call) => ({
    id: call.id,
    name: previewBytes(call.name, MAX_NAME_BYTES),
    summary: previewBytes(describeCall(call), shown.summary),
    confirm: call.confirm === null ? null : previewBytes(call.confirm, shown.confirm),
  }));
};

/**
 * The report in an answer, null when it holds none: the whole text of an ending one, or the input of the report tool
 * when that is the only call. Beside other calls it is a call like any other.
 */
export const reportIn = (answer: Extract<Entry, { role: 'assistant' }>, stop: TurnStop): string | null => {
  const [call, ...others] = answer.tool_calls;
  if (stop === 'end') return answer.text;
  if (stop !== 'tools' || call?.name !== 'report' || others.length > 0) return null;
  return typeof call.input['text'] === 'string' ? call.input['text'] : answer.text;
};

/** Results for calls that nobody will run: without them both providers refuse the next turn. */
export const closeCalls = (calls: readonly ToolCall[], text: string, isError: boolean): Entry[] =>
  calls.length === 0
    ? []
    : [
        {
          role: 'tools',
          results: calls.map((call) => ({
            call_id: call.id,
            name: call.name,
            content: [{ type: 'text', text }],
            is_error: isError,
            unknown: false,
            summary: text,
            url: null,
            confirmed: false,
          })),
        },
      ];
