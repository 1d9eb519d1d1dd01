/** Bytes of UTF-8; `Buffer` does not exist where workflows are replayed. */
export const byteLength = (text: string): number => {
  let bytes = 0;
  for (const letter of text) {
    const code = letter.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
};

/** `text` cut to at most `maxBytes` of UTF-8, never inside a character; a cut is shown by `…`. */
export const cut = (text: string, maxBytes: number): string => {
  if (byteLength(text) <= maxBytes) return text;
  let kept = '';
  let room = maxBytes - 3;
  for (const letter of text) {
    room -= byteLength(letter);
    if (room < 0) break;
    kept += letter;
  }
  return `${kept}…`;
};

/** `$0.0123`; an unknown price is said to be unknown, never 0. */
export const money = (usd: number | null): string =>
  usd === null ? 'unknown (a price is missing)' : `$${usd.toFixed(4)}`;
