/** What the first user message asks for. Missing sections are empty. */
export interface Opening {
  /** The clause this job is about; the whole text when the message has no sections. */
  instruction: string;
  /** The whole utterance. */
  request: string;
  parameters: Record<string, unknown>;
  targets: { name: string; url: string }[];
  /** Material such as earlier traces. */
  context: string;
  earlierJobs: string;
}

/** The text between the first `<tag …>` and the `</tag>` after it (`last`: the last one). null: no such section. */
export const sectionOf = (text: string, tag: string, last = false): string | null => {
  const open = new RegExp(`<${tag}(?:\\s[^>]*)?>`).exec(text);
  if (!open) return null;
  const start = open.index + open[0].length;
  const close = `</${tag}>`;
  const end = last ? text.lastIndexOf(close) : text.indexOf(close, start);
  return end < start ? null : text.slice(start, end).trim();
};

const parametersOf = (json: string | null): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(json ?? '{}');
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
  } catch {
    return {}; // a foreign client may write anything there
  }
};

/** Lines `- name: url`; other lines are ignored. */
const targetsOf = (text: string | null): Opening['targets'] =>
  [...(text ?? '').matchAll(/^\s*-\s*(.+?):\s+(https?:\/\/\S+)\s*$/gm)].map((line) => ({
    name: line[1] ?? '',
    url: line[2] ?? '',
  }));

/** Never throws: a message of a foreign client is one instruction as a whole. */
export const readOpening = (text: string): Opening => {
  const instruction = sectionOf(text, 'instruction') ?? sectionOf(text, 'request');
  return {
    instruction: instruction ?? text.trim(),
    request: sectionOf(text, 'request') ?? instruction ?? text.trim(),
    parameters: parametersOf(sectionOf(text, 'parameters')),
    targets: targetsOf(sectionOf(text, 'targets')),
    // Material may quote a tag of its own kind: it ends at the last one.
    context: sectionOf(text, 'context', true) ?? '',
    earlierJobs: sectionOf(text, 'earlier_jobs', true) ?? '',
  };
};
