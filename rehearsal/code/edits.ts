import type { PlannedCall } from '../conversation.ts';
import { replaceCall } from './hands.ts';

/** Places where `part` begins, overlapping ones too; an empty part is nowhere. */
const occurrences = (text: string, part: string): number => {
  let count = 0;
  if (part === '') return count;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1)) count += 1;
  return count;
};

/**
 * The editor call that puts `after` in the place of lines `from` to `to` (exclusive, from 0) of `text`, with as many
 * lines around them as make the old text unique. null: that cannot be done (the lines are out of range).
 */
export const replaceLines = (
  path: string,
  text: string,
  from: number,
  to: number,
  after: readonly string[],
): PlannedCall | null => {
  const lines = text.split('\n');
  if (from < 0 || to > lines.length || from >= to) return null;
  // Lines that go need a neighbour, or an empty line would stay in their place.
  for (let around = after.length === 0 ? 1 : 0; around <= lines.length; around += 1) {
    const start = Math.max(0, from - around);
    const end = Math.min(lines.length, to + around);
    const old = lines.slice(start, end).join('\n');
    if (old.trim() !== '' && occurrences(text, old) === 1)
      return replaceCall(path, old, [...lines.slice(start, from), ...after, ...lines.slice(to, end)].join('\n'));
  }
  return null;
};

/** One call that makes `before` into `after`: it replaces what lies between their common beginning and end. */
export const editBetween = (path: string, before: string, after: string): PlannedCall | null => {
  const [old, now] = [before.split('\n'), after.split('\n')];
  const shorter = Math.min(old.length, now.length);
  let head = 0;
  while (head < shorter && old[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && old.at(-1 - tail) === now.at(-1 - tail)) tail += 1;
  if (head === old.length - tail && before !== after) {
    // Nothing but an insertion: it needs a line to hold on to.
    if (head > 0) head -= 1;
    else tail -= 1;
  }
  return replaceLines(path, before, head, old.length - tail, now.slice(head, now.length - tail));
};

/** What a text becomes by such a call. */
export const applied = (text: string, call: PlannedCall): string => {
  const { old_str, new_str } = call.input;
  return typeof old_str === 'string' && typeof new_str === 'string' ? text.replace(old_str, () => new_str) : text;
};

/** The call that takes such a call back from what `text` became by it; null: what it wrote is not unique there. */
export const undo = (call: PlannedCall, text: string): PlannedCall | null => {
  const { path, old_str, new_str } = call.input;
  if (typeof path !== 'string' || typeof old_str !== 'string' || typeof new_str !== 'string') return null;
  return occurrences(applied(text, call), new_str) === 1 ? replaceCall(path, new_str, old_str) : null;
};
