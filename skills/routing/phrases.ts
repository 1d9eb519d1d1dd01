/** The words of a text, for asking whether one is among them. */
export const wordSet = (text: string): ReadonlySet<string> => new Set(text.split(' '));

/** Phrases written as "one phrase|another", each as its words. */
export const phraseList = (text: string): string[][] => text.split('|').map((phrase) => phrase.split(' '));

/** Whether a phrase stands in a sentence from a word on. */
export const standsAt = (words: readonly { readonly key: string }[], at: number, phrase: readonly string[]): boolean =>
  phrase.every((key, i) => words[at + i]?.key === key);

/** The same in a list of keys; default: at its beginning. */
export const startsWith = (keys: readonly string[], phrase: readonly string[], at = 0): boolean =>
  phrase.every((key, i) => keys[at + i] === key);
