/** An object, or JSON that is one; null: neither. */
export const parseObject = (value: unknown): Record<string, unknown> | null => {
  let parsed = value;
  if (typeof value === 'string') {
    try {
      parsed = JSON.parse(value) as unknown;
    } catch {
      return null;
    }
  }
  return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
    ? (parsed as Record<string, unknown>)
    : null;
};

const firstOf = (told: Record<string, unknown>, keys: readonly string[]): string | null => {
  for (const key of keys) {
    const value = told[key];
    if (typeof value === 'string' && value.trim() !== '') return value;
  }
  return null;
};

/** The first of these keys that holds words, also one level down in `problem`, `reply` and `error`. */
export const firstString = (told: Record<string, unknown>, keys: readonly string[]): string | null =>
  [told, told['problem'], told['reply'], told['error']]
    .map((object) => (typeof object === 'string' ? null : parseObject(object)))
    .map((object) => object && firstOf(object, keys))
    .find((found) => found !== null) ?? null;

/** How a value of this name is written: in JSON, or in words as `job_id 1a-1`. */
const valueOf = (name: string): RegExp =>
  new RegExp(`\\b${name}\\b["']?\\s*[:=]?\\s*["']?([A-Za-z0-9](?:[A-Za-z0-9._:-]{0,126}[A-Za-z0-9])?)`, 'g');

/** The value under this name that was told last; null: it was never told. `name`: of an argument, checked here. */
export const lastValueOf = (reads: readonly { by: string; text: string }[], name: string): string | null => {
  if (!/^[a-z_]{1,40}$/.test(name)) return null;
  for (const { by, text } of reads.toReversed()) {
    if (by === 'user' || by === 'assistant') continue;
    const found = [...text.matchAll(valueOf(name))].map((match) => match[1]).filter((value) => value !== 'null');
    const last = found.at(-1);
    if (last !== undefined) return last;
  }
  return null;
};
