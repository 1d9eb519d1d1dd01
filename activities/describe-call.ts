import { oneLine } from '../platform/text.ts';
import type { ToolCall } from './models/model.ts';

/** Characters of a call's summary: one row of the Temporal Web UI. */
const MAX_SUMMARY = 120;

type Input = Record<string, unknown>;
const word = (input: Input, name: string): string => {
  const value = input[name];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
};
const quoted = (text: string): string => (text ? `"${oneLine(text, 60)}"` : '');
const keys = (input: Input): string => (Array.isArray(input['keys']) ? input['keys'].join('+') : word(input, 'keys'));

/** Where on the page: what the model says it aims at, or the place on the grid. */
const target = (input: Input): string =>
  word(input, 'intent') || (word(input, 'x') ? `at ${word(input, 'x')},${word(input, 'y')}` : '');

const EDITOR_VERBS: Readonly<Record<string, string>> = {
  view: 'view',
  create: 'create',
  str_replace: 'edit',
  insert: 'edit',
};

/** One line for a name; both Computer Use vocabularies are here. */
const DESCRIPTIONS: Readonly<Record<string, (input: Input) => string>> = {
  str_replace_based_edit_tool: (input) => `${EDITOR_VERBS[word(input, 'command')] ?? 'edit'} ${word(input, 'path')}`,
  bash: (input) => (word(input, 'command') ? `run ${word(input, 'command')}` : 'restart the shell'),
  search: (input) => (word(input, 'text') ? `search ${quoted(word(input, 'text'))}` : 'open the search page'),
  report: () => 'report',
  page_report: () => 'inspect the page',
  select_option: (input) => `choose ${quoted(word(input, 'option'))} in ${word(input, 'label')}`,
  navigate: (input) => `open ${word(input, 'url')}`,
  open_web_browser: () => 'open the browser',
  go_back: () => 'go back',
  go_forward: () => 'go forward',
  take_screenshot: () => 'look at the page',
  wait: (input) => `wait ${word(input, 'seconds') || '1'} s`,
  wait_5_seconds: () => 'wait 5 s',
  click: (input) => `click ${target(input)}`,
  click_at: (input) => `click ${target(input)}`,
  double_click: (input) => `double-click ${target(input)}`,
  triple_click: (input) => `triple-click ${target(input)}`,
  middle_click: (input) => `middle-click ${target(input)}`,
  right_click: (input) => `right-click ${target(input)}`,
  mouse_down: (input) => `press the mouse ${target(input)}`,
  mouse_up: (input) => `release the mouse ${target(input)}`,
  move: (input) => `point ${target(input)}`,
  hover_at: (input) => `point ${target(input)}`,
  type: (input) => `type ${quoted(word(input, 'text'))}`,
  type_text_at: (input) => `type ${quoted(word(input, 'text'))} ${target(input)}`,
  press_key: (input) => `press ${word(input, 'key')}`,
  key_down: (input) => `hold ${word(input, 'key')}`,
  key_up: (input) => `release ${word(input, 'key')}`,
  hotkey: (input) => `press ${keys(input)}`,
  key_combination: (input) => `press ${keys(input)}`,
  scroll: (input) => `scroll ${word(input, 'direction')}`,
  scroll_at: (input) => `scroll ${word(input, 'direction')} ${target(input)}`,
  scroll_document: (input) => `scroll ${word(input, 'direction')}`,
  drag_and_drop: (input) => `drag ${target(input)}`,
};

/** What a call does, as a person reads it: `edit src/api.ts`, `run npm test`, `click Sign in`. One line, 120 characters. */
export const describeCall = (call: Pick<ToolCall, 'name' | 'input'>): string =>
  oneLine(
    Object.hasOwn(DESCRIPTIONS, call.name) ? (DESCRIPTIONS[call.name]?.(call.input) ?? call.name) : call.name,
    MAX_SUMMARY,
  );
