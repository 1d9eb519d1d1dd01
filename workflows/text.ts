/** Bytes of one character as it travels: UTF-8 inside a JSON string. */
const bytesOf = (letter: string): number => {
  const code = letter.codePointAt(0) ?? 0;
  if (letter === '"' || letter === '\\' || (code >= 0x08 && code <= 0x0d && code !== 0x0b)) return 2;
  if (code < 0x20 || (code >= 0xd800 && code <= 0xdfff)) return 6; // \u0001, a lone surrogate
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
};

/** Bytes of a text inside JSON; `Buffer` does not exist where workflows are replayed. */
export const byteLength = (text: string): number => {
  let bytes = 0;
  for (const letter of text) bytes += bytesOf(letter);
  return bytes;
};

/** `text` cut to at most `maxBytes` as it travels, never inside a character; a cut is shown by `…`. */
export const cut = (text: string, maxBytes: number): string => {
  if (byteLength(text) <= maxBytes) return text;
  let kept = '';
  let room = maxBytes - 3;
  for (const letter of text) {
    room -= bytesOf(letter);
    if (room < 0) break;
    kept += letter;
  }
  return `${kept}…`;
};

/** `$0.0123`; an unknown price is said to be unknown, never 0. */
export const money = (usd: number | null): string =>
  usd === null ? 'unknown (a price is missing)' : `$${usd.toFixed(4)}`;
