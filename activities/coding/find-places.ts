/**
 * Where `part` begins in `text`, overlapping places too; the first `most` of them, in order. Takes time in proportion
 * to both texts whatever they are (Knuth, Morris and Pratt): `indexOf` takes 40 s for a file of one repeated letter and
 * 20,000 letters with one other among them, and nothing else of the process runs meanwhile.
 */
export const findPlaces = (text: string, part: string, most: number): number[] => {
  const places: number[] = [];
  const { length } = part;
  if (length === 0) return places;
  // For each end in `part`: how many of its first letters stand right before that end as well.
  const shorter = new Int32Array(length);
  const grow = (matched: number, code: number): number => {
    let count = matched;
    while (count > 0 && part.charCodeAt(count) !== code) count = shorter[count - 1] ?? 0;
    return part.charCodeAt(count) === code ? count + 1 : 0;
  };
  for (let at = 1, matched = 0; at < length; at += 1) {
    matched = grow(matched, part.charCodeAt(at));
    shorter[at] = matched;
  }
  for (let at = 0, matched = 0; at < text.length && places.length < most; at += 1) {
    matched = grow(matched, text.charCodeAt(at));
    if (matched < length) continue;
    places.push(at - length + 1);
    matched = shorter[length - 1] ?? 0;
  }
  return places;
};

/** Numbers, from 1, of the lines that these places are in; `places` in order. One pass over the text. */
export const linesOfPlaces = (text: string, places: readonly number[]): number[] => {
  let line = 1;
  let end = text.indexOf('\n');
  return places.map((place) => {
    for (; end !== -1 && end < place; end = text.indexOf('\n', end + 1)) line += 1;
    return line;
  });
};
