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

/** How many letters must be changed, added, dropped or swapped with their neighbour to turn one word into the other. */
const distance = (a: string, b: string): number => {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const changed = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      const swapped = i > 0 && j > 0 && a[i] === b[j - 1] && a[i - 1] === b[j] ? (before[j - 1] ?? 0) + 1 : Infinity;
      next.push(Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, changed, swapped));
    }
    [before, row] = [row, next];
  }
  return row[b.length] ?? 0;
};

/** The known word nearest to a mistyped one; undefined when none is near. */
export const nearest = (word: string, known: readonly string[]): string | undefined => {
  const given = word.slice(0, 40);
  const ranked = known
    .map((name) => ({ name, far: distance(given, name) }))
    .sort((a, b) => a.far - b.far)
    .filter(({ name, far }) => far <= Math.max(1, Math.floor(name.length / 3)));
  return ranked[0]?.name;
};
