/** How many words must be changed, put in or left out to make of `said` what was `heard`. */
export const wordErrors = (said: readonly string[], heard: readonly string[]): number => {
  let above = Array.from({ length: heard.length + 1 }, (_, at) => at);
  for (const [row, word] of said.entries()) {
    const line = [row + 1];
    for (const [at, other] of heard.entries())
      line.push(Math.min((above[at] ?? 0) + (word === other ? 0 : 1), (above[at + 1] ?? 0) + 1, (line[at] ?? 0) + 1));
    above = line;
  }
  return above.at(-1) ?? 0;
};
