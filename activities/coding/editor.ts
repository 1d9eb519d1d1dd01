import { z } from 'zod';
import { sha256Of } from '../../platform/artifacts.ts';
import { findPlaces, linesOfPlaces } from './find-places.ts';
import type { Confinement, Parts } from './confined-files.ts';
import { describePath, listFolder, partsOf, readFileIn, shownAs, ToolProblem, writeFileIn } from './confined-files.ts';

/** Characters of one tool result: longer ones fill the conversation and help nobody. */
export const MAX_RESULT_CHARS = 30_000;
const MAX_LINE_CHARS = 2_000;
const MAX_LISTED = 1_000;
/** Places named when old_str is found more than once. */
const MAX_PLACES = 10;

const optional = <T extends z.ZodType>(schema: T) => schema.nullish().transform((value) => value ?? undefined);

/** Input of `str_replace_based_edit_tool`, as activities/tool-definitions.ts tells the model. */
export const EditorInput = z.object({
  command: z.enum(['view', 'create', 'str_replace', 'insert']),
  path: z.string().min(1).max(4_000),
  view_range: optional(z.tuple([z.number().int(), z.number().int()])),
  file_text: optional(z.string()),
  old_str: optional(z.string()),
  new_str: optional(z.string()),
  insert_line: optional(z.number().int()),
  insert_text: optional(z.string()),
});
export type EditorInput = z.infer<typeof EditorInput>;

/** What a tool says. `summary` is for people, at most 120 characters when shown. */
export interface ToolAnswer {
  text: string;
  summary: string;
}

/** The text of a file. @throws ToolProblem for what is not UTF-8: writing it back would change it. */
const readText = async (confinement: Confinement, parts: Parts): Promise<string> => {
  const { bytes } = await readFileIn(confinement, parts);
  try {
    if (bytes.subarray(0, 8_192).includes(0)) throw new Error('NUL');
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new ToolProblem(
      `${shownAs(parts)} is not UTF-8 text (${bytes.length} bytes, sha256 ${sha256Of(bytes).slice(0, 16)}…); use bash to look at it.`,
    );
  }
};

/** Lines of a text; the end of the last line is no line of its own. */
const linesOf = (text: string): string[] => {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
};

const numbered = (lines: readonly string[], first: number, total: number): string => {
  let text = '';
  for (const [index, line] of lines.entries()) {
    const shown = line.length > MAX_LINE_CHARS ? `${line.slice(0, MAX_LINE_CHARS)} [line cut]` : line;
    const row = `${String(first + index).padStart(6)}\t${shown}\n`;
    if (text.length + row.length > MAX_RESULT_CHARS)
      return `${text}[cut after line ${first + index - 1} of ${total}; go on with view_range]`;
    text += row;
  }
  return text.replace(/\n$/, '');
};

const viewFolder = async (confinement: Confinement, parts: Parts): Promise<string> => {
  const rows: string[] = [];
  for (const name of await listFolder(confinement, parts)) {
    rows.push(name);
    if (!name.endsWith('/')) continue;
    const below = await listFolder(confinement, [...parts, name.slice(0, -1)]).catch((error: unknown) => {
      if (error instanceof ToolProblem) return []; // e.g. no right to read it
      throw error;
    });
    if (name === 'node_modules/') rows.push(`node_modules/… (${below.length} entries)`);
    else for (const child of below) rows.push(name + child);
  }
  if (rows.length === 0) return '(empty)';
  let text = '';
  for (const [place, row] of rows.entries()) {
    if (place === MAX_LISTED || text.length + row.length > MAX_RESULT_CHARS)
      return `${text}[${rows.length - place} more; view a folder below, or use bash]`;
    text += `${row}\n`;
  }
  return text.slice(0, -1);
};

const view = async (confinement: Confinement, parts: Parts, input: EditorInput): Promise<ToolAnswer> => {
  const summary = `view ${shownAs(parts)}`;
  const about = parts.length === 0 ? null : await describePath(confinement, parts);
  if (parts.length === 0 || about?.isDirectory()) return { text: await viewFolder(confinement, parts), summary };
  const lines = linesOf(await readText(confinement, parts));
  if (!input.view_range)
    return { text: lines.length === 0 ? '(empty file)' : numbered(lines, 1, lines.length), summary };
  const [first, wanted] = input.view_range;
  const last = wanted === -1 ? lines.length : Math.min(wanted, lines.length);
  if (first < 1 || first > Math.max(1, lines.length) || last < first)
    throw new ToolProblem(
      `view_range [${first}, ${wanted}] does not fit: ${shownAs(parts)} has ${lines.length} lines.`,
    );
  return { text: numbered(lines.slice(first - 1, last), first, lines.length), summary };
};

const around = (text: string, line: number, height: number): string => {
  const lines = linesOf(text);
  const first = Math.max(1, line - 3);
  return numbered(lines.slice(first - 1, line + height + 2), first, lines.length);
};

/** "2 times in a.txt, beginning in lines 4, 9"; of more than ten places only that, and where the first ten are. */
const timesIn = (shown: string, text: string, places: readonly number[]): string => {
  const lines = [...new Set(linesOfPlaces(text, places.slice(0, MAX_PLACES)))];
  const where = `beginning in ${lines.length === 1 ? 'line' : 'lines'} ${lines.join(', ')}`;
  return places.length > MAX_PLACES
    ? `more than ${MAX_PLACES} times in ${shown}, the first ${MAX_PLACES} ${where}`
    : `${places.length} times in ${shown}, ${where}`;
};

const replace = async (
  confinement: Confinement,
  parts: Parts,
  input: EditorInput,
  guard: () => void,
): Promise<ToolAnswer> => {
  const shown = shownAs(parts);
  if (!input.old_str) throw new ToolProblem('str_replace needs old_str, the text to replace.');
  const text = await readText(confinement, parts);
  let [oldPart, newPart] = [input.old_str, input.new_str ?? ''];
  let places = findPlaces(text, oldPart, MAX_PLACES + 1);
  if (places.length === 0 && text.includes('\r\n') && !oldPart.includes('\r')) {
    // Models write LF; the file has CRLF.
    [oldPart, newPart] = [oldPart.replaceAll('\n', '\r\n'), newPart.replaceAll(/\r?\n/g, '\r\n')];
    places = findPlaces(text, oldPart, MAX_PLACES + 1);
  }
  const [place] = places;
  if (place === undefined)
    throw new ToolProblem(
      `No replacement was made: old_str does not occur in ${shown}. View the file and copy the text exactly, white space included.`,
    );
  if (places.length > 1)
    throw new ToolProblem(
      `No replacement was made: old_str occurs ${timesIn(shown, text, places)}. Give more of the lines around the one you mean.`,
    );
  const changed = text.slice(0, place) + newPart + text.slice(place + oldPart.length);
  await writeFileIn(confinement, parts, changed, guard);
  const excerpt = around(changed, linesOfPlaces(text, [place])[0] ?? 1, newPart.split('\n').length);
  return { text: `${shown} was edited. It now reads:\n${excerpt}`, summary: `edit ${shown}` };
};

const insert = async (
  confinement: Confinement,
  parts: Parts,
  input: EditorInput,
  guard: () => void,
): Promise<ToolAnswer> => {
  const shown = shownAs(parts);
  const added = input.insert_text ?? input.new_str;
  if (added === undefined || input.insert_line === undefined)
    throw new ToolProblem('insert needs insert_line (0: at the top) and insert_text.');
  const text = await readText(confinement, parts);
  const lines = linesOf(text);
  if (input.insert_line < 0 || input.insert_line > lines.length)
    throw new ToolProblem(`insert_line ${input.insert_line} does not fit: ${shown} has ${lines.length} lines.`);
  const end = text.includes('\r\n') ? '\r\n' : '\n';
  const block = linesOf(added.replaceAll('\r\n', '\n'));
  const opening = text !== '' && !text.endsWith('\n') && input.insert_line === lines.length ? end : '';
  const place = lines.slice(0, input.insert_line).reduce((sum, line) => sum + line.length + 1, 0);
  const changed = `${text.slice(0, place)}${opening}${block.map((line) => line + end).join('')}${text.slice(place)}`;
  await writeFileIn(confinement, parts, changed, guard);
  return {
    text: `${shown} was edited. It now reads:\n${around(changed, input.insert_line + 1, block.length)}`,
    summary: `edit ${shown}`,
  };
};

const create = async (
  confinement: Confinement,
  parts: Parts,
  input: EditorInput,
  guard: () => void,
): Promise<ToolAnswer> => {
  if (input.file_text === undefined) throw new ToolProblem('create needs file_text, the whole content.');
  const shown = shownAs(parts);
  await writeFileIn(confinement, parts, input.file_text, guard);
  return { text: `${shown} was written (${linesOf(input.file_text).length} lines).`, summary: `create ${shown}` };
};

/**
 * Views and edits files of the workspace. A failing edit leaves the file as it was.
 * `guard` runs right before a file changes. @throws ToolProblem in words for the model.
 */
export const runEditor = (confinement: Confinement, input: EditorInput, guard: () => void): Promise<ToolAnswer> => {
  const parts = partsOf(confinement, input.path);
  switch (input.command) {
    case 'view':
      return view(confinement, parts, input);
    case 'create':
      return create(confinement, parts, input, guard);
    case 'str_replace':
      return replace(confinement, parts, input, guard);
    case 'insert':
      return insert(confinement, parts, input, guard);
  }
};
