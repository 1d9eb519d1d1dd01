/** `text` cut to at most `maxBytes` of UTF-8, never inside a character; a cut is shown by `…`. */
export const previewBytes = (text: string, maxBytes: number): string => {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  const room = maxBytes - Buffer.byteLength('…');
  let cut = Buffer.from(text).subarray(0, Math.max(0, room)).toString('utf8');
  while (Buffer.byteLength(cut) > room || cut.endsWith('�')) cut = cut.slice(0, -1);
  return `${cut}…`;
};

/** One line of at most `maxChars` characters: white space and control characters folded. */
export const oneLine = (text: string, maxChars: number): string => {
  const folded = text.replace(/[\p{Cc}\s]+/gu, ' ').trim();
  const letters = Array.from(folded);
  return letters.length <= maxChars ? folded : `${letters.slice(0, maxChars - 1).join('')}…`;
};
