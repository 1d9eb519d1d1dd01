import type { PlannedCall } from '../conversation.ts';
import { editBetween } from './edits.ts';
import { wholeName } from './names.ts';

/** A list item, with the lines that go on with it. */
const itemAt = (lines: readonly string[], at: number): number => {
  let end = at + 1;
  while (end < lines.length && /^\s{2,}\S/.test(lines[end] ?? '')) end += 1;
  return end;
};

/** Drops headings below which nothing is left that was not empty before. */
const withoutEmptySections = (lines: string[], wasEmpty: (heading: string) => boolean): string[] => {
  const kept = [...lines];
  for (let at = kept.length - 1; at >= 0; at -= 1) {
    const heading = kept[at] ?? '';
    if (!/^#{2,6} /.test(heading) || wasEmpty(heading)) continue;
    let next = at + 1;
    while (next < kept.length && (kept[next] ?? '').trim() === '') next += 1;
    if (next >= kept.length || /^#{1,6} /.test(kept[next] ?? '')) kept.splice(at, next - at);
  }
  return kept;
};

const settle = (text: string, moved: readonly string[], renamed: readonly (readonly [string, string])[]): string => {
  const lines = text.split('\n');
  const kept: string[] = [];
  for (let at = 0; at < lines.length;) {
    const end = /^\s*[-*] /.test(lines[at] ?? '') ? itemAt(lines, at) : at + 1;
    const item = lines.slice(at, end).join('\n');
    const names = (name: string): boolean => wholeName(name).test(item);
    const isItem = /^\s*[-*] /.test(item);
    const duplicate =
      isItem && moved.some(names) && /\b(?:twice|duplicat\w*|cop(?:y|ies|ied)|both|again)\b/i.test(item);
    const badName = isItem && renamed.some(([old, better]) => names(old) && (names(better) || /\bname\b/i.test(item)));
    if (!duplicate && !badName)
      kept.push(renamed.reduce((line, [old, better]) => line.replace(wholeName(old), () => better), item));
    at = end;
  }
  const wasEmpty = (heading: string): boolean => {
    const at = lines.indexOf(heading);
    const next = lines.slice(at + 1).find((line) => line.trim() !== '');
    return next === undefined || /^#{1,6} /.test(next);
  };
  const result = withoutEmptySections(kept.join('\n').split('\n'), wasEmpty).join('\n');
  return result === text ? text : result.trimEnd() + (text.endsWith('\n') ? '\n' : '');
};

/** Edits of Markdown files that list, as things still to do, what a refactoring has done: such items go, other mentions follow the new names. */
export const settledDebts = (
  texts: ReadonlyMap<string, string>,
  moved: readonly string[],
  renamed: readonly (readonly [string, string])[],
): { calls: PlannedCall[]; after: Map<string, string> } => {
  const calls: PlannedCall[] = [];
  const changed = new Map<string, string>();
  for (const [file, text] of texts) {
    if (!file.endsWith('.md')) continue;
    const after = settle(text, moved, renamed);
    const call = after === text ? null : editBetween(file, text, after);
    if (!call) continue;
    calls.push(call);
    changed.set(file, after);
  }
  return { calls, after: changed };
};
