const ONES =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  );
const TENS = 'zero ten twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');

/** 0 to 99 as a number, longer ones digit by digit, which is how people read codes out. */
const digits = (text: string): string[] => {
  const value = Number(text);
  if (text.length > 2 || (text.length > 1 && text.startsWith('0'))) return [...text].map((digit) => ONES[+digit] ?? '');
  const one = ONES[value];
  if (one !== undefined) return [one];
  const rest = value % 10 === 0 ? [] : [ONES[value % 10] ?? ''];
  return [TENS[Math.floor(value / 10)] ?? '', ...rest];
};

/** A written sentence as it is said: lower-case words, numbers in words, `file.ts` as "file dot ts", `parseLine` as "parse line". */
export const spokenWords = (text: string): string[] =>
  text
    .replaceAll('\u2019', "'")
    .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .replace(/(?<=[a-z0-9])\.(?=[a-z0-9])/g, ' dot ')
    .replace(/(?<=[a-z])(?=\d)|(?<=\d)(?=[a-z])/g, ' ')
    .match(/[a-z]+(?:'[a-z]+)*'?|\d+/g)
    ?.flatMap((word) => (/\d/.test(word) ? digits(word) : [word.endsWith("s'") ? word : word.replace(/'$/, '')])) ?? [];
