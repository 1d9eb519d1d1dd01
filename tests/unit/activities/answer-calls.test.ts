import { describe, expect, it } from '@jest/globals';
import { briefCalls, closeCalls, reportIn, withUniqueIds } from '../../../activities/answer-calls.ts';
import { describeCall } from '../../../activities/describe-call.ts';
import type { Entry, ToolCall } from '../../../activities/models/model.ts';
import { PAYLOAD_LIMIT_BYTES } from '../../../contracts/names.ts';

const call = (id: string, name = 'bash', input: Record<string, unknown> = {}): ToolCall => ({
  id,
  name,
  input,
  confirm: null,
});
const answer = (text: string, ...calls: ToolCall[]): Extract<Entry, { role: 'assistant' }> => ({
  role: 'assistant',
  provider: 'anthropic',
  model: 'm',
  text,
  tool_calls: calls,
  raw: null,
});

describe('describeCall', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['str_replace_based_edit_tool', { command: 'view', path: 'src/api.ts' }, 'view src/api.ts'],
    ['str_replace_based_edit_tool', { command: 'str_replace', path: 'src/api.ts' }, 'edit src/api.ts'],
    ['str_replace_based_edit_tool', { command: 'insert', path: 'src/api.ts' }, 'edit src/api.ts'],
    ['str_replace_based_edit_tool', { command: 'create', path: 'a.ts', file_text: 'long' }, 'create a.ts'],
    ['bash', { command: 'npm test' }, 'run npm test'],
    ['bash', { command: 'cd src &&\n\tls' }, 'run cd src && ls'],
    ['bash', { restart: true }, 'restart the shell'],
    ['search', { text: 'createApi' }, 'search "createApi"'],
    ['search', {}, 'open the search page'],
    ['report', { text: 'all done' }, 'report'],
    ['page_report', {}, 'inspect the page'],
    ['select_option', { label: 'Country', option: 'France' }, 'choose "France" in Country'],
    ['navigate', { url: 'http://127.0.0.1:4000/login' }, 'open http://127.0.0.1:4000/login'],
    ['click', { x: 500, y: 20, intent: 'Sign in' }, 'click Sign in'],
    ['click', { x: 500, y: 20 }, 'click at 500,20'],
    ['click_at', { x: 0, y: 999 }, 'click at 0,999'],
    ['type', { text: 'hello' }, 'type "hello"'],
    ['type_text_at', { x: 1, y: 2, text: 'hello' }, 'type "hello" at 1,2'],
    ['press_key', { key: 'Enter' }, 'press Enter'],
    ['hotkey', { keys: ['Control', 'A'] }, 'press Control+A'],
    ['key_combination', { keys: 'Control+A' }, 'press Control+A'],
    ['scroll', { x: 1, y: 2, direction: 'down' }, 'scroll down'],
    ['scroll_document', { direction: 'up' }, 'scroll up'],
    ['wait', { seconds: 3 }, 'wait 3 s'],
    ['some_new_action', { anything: 1 }, 'some_new_action'],
    ['toString', {}, 'toString'],
    ['str_replace_based_edit_tool', {}, 'edit'],
    ['bash', { command: { not: 'text' } }, 'restart the shell'],
  ])('%s %j reads "%s"', (name, input, summary) => {
    expect(describeCall({ name, input })).toBe(summary);
  });

  it('is one line of at most 120 characters', () => {
    const summary = describeCall(call('a', 'bash', { command: `echo "${'x\n'.repeat(500)}"` }));
    expect(Array.from(summary).length).toBeLessThanOrEqual(120);
    expect(summary).not.toMatch(/[\r\n]/);
    expect(summary).toMatch(/…$/);
  });
});

describe('withUniqueIds', () => {
  it("keeps a provider's ids, and replaces missing, repeated and endless ones the same way each time", () => {
    const past = [answer('', call('seen'), call('call_3_4'))];
    const calls = [call('fresh'), call(''), call('fresh'), call('seen'), call(''), call('y'.repeat(65)), call('')];
    const ids = withUniqueIds(calls, past, 3).map(({ id }) => id);
    expect(ids).toEqual(['fresh', 'call_3_1', 'call_3_2', 'call_3_3', 'call_3_4_1', 'call_3_5', 'call_3_6']);
    expect(withUniqueIds(calls, past, 3).map(({ id }) => id)).toEqual(ids);
  });
});

describe('briefCalls', () => {
  it('shows at most 32, and even the longest fit a payload with the text beside them', () => {
    const calls = Array.from({ length: 40 }, (_, n) => ({
      ...call(`${n}`.padStart(64, 'i'), 'n'.repeat(500), { command: 'é'.repeat(500) }),
      confirm: 'ü'.repeat(1_000),
    }));
    const briefs = briefCalls(calls);
    expect(briefs).toHaveLength(32);
    expect(Buffer.byteLength(JSON.stringify(briefs))).toBeLessThan(PAYLOAD_LIMIT_BYTES - 3_000);
    const few = briefCalls(calls.slice(0, 8).map((each) => ({ ...each, name: 'bash' })));
    expect(Buffer.byteLength(JSON.stringify(few))).toBeLessThan(PAYLOAD_LIMIT_BYTES - 3_000);
    expect(few[0]?.summary.length).toBe(120);
  });
});

describe('reportIn', () => {
  it.each([
    ['the text of an ending answer', answer('done'), 'end', 'done'],
    ['the report tool alone', answer('see below', call('a', 'report', { text: '# Report' })), 'tools', '# Report'],
    ['a report without text: the words beside it', answer('words', call('a', 'report')), 'tools', 'words'],
    ['a report beside another call is none', answer('', call('a', 'report', { text: 'x' }), call('b')), 'tools', null],
    ['any other call is none', answer('words', call('a')), 'tools', null],
    ['a cut-off answer is none', answer('half', call('a', 'report', { text: 'x' })), 'cut_off', null],
    ['a refusal is none', answer('no'), 'refused', null],
  ] as const)('%s', (_, entry, stop, report) => {
    expect(reportIn(entry, stop)).toBe(report);
  });
});

it('calls that nobody runs get a result each, and no calls get none', () => {
  expect(closeCalls([], 'x', true)).toEqual([]);
  const [entry] = closeCalls([call('a'), call('b', 'search')], 'Not run.', true);
  expect(entry).toMatchObject({
    role: 'tools',
    results: [
      { call_id: 'a', name: 'bash', is_error: true, content: [{ type: 'text', text: 'Not run.' }] },
      { call_id: 'b', name: 'search', is_error: true },
    ],
  });
});
