/** Words that turn an order round, in a form without apostrophes. */
export const NEGATION: readonly string[] =
  `not|dont|do not|doesnt|didnt|never|without|no|nothing|none|neither|nor|except|skip|avoid|leave out|leave alone
   |cant|cannot|wont|isnt|arent|shouldnt|wouldnt|couldnt|mustnt|neednt`.split(/\s*\|/);

/** Words with which a speaker takes something back. */
export const CORRECTION: readonly string[] =
  `actually|wait|sorry|oops|i mean|i meant|instead|rather|scratch that|strike that|forget that|forget it|never mind
   |nevermind|make that|correction|on second thought|hang on|hold on|let me rephrase|changed my mind`.split(/\s*\|/);

/** Words that make an order wait for something. */
export const CONDITION: readonly string[] =
  `if|unless|otherwise|or else|when|whenever|once|until|till|after|before|in case|as soon as|as long as|provided|assuming
   |depending|only then`.split(/\s*\|/);

const KINDS = { correction: CORRECTION, negation: NEGATION, condition: CONDITION } as const;

export interface Doubt {
  kind: keyof typeof KINDS;
  word: string;
}

/** The words of a text: lower case, without apostrophes and marks, one space around each. */
const wordsOf = (text: string): string => {
  const plain = text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/['’‘`]/g, '');
  return ` ${plain.match(/[\p{L}\p{N}]+/gu)?.join(' ') ?? ''} `;
};

/**
 * The first word of correction, negation or condition in a sentence, in this order of kinds; null when there is none.
 * Whole words only: "note" and "notify" say nothing of "not".
 */
export const doubtWordIn = (sentence: string): Doubt | null => {
  const words = wordsOf(sentence);
  for (const kind of Object.keys(KINDS) as Doubt['kind'][]) {
    const word = KINDS[kind].find((phrase) => words.includes(` ${phrase} `));
    if (word !== undefined) return { kind, word };
  }
  return null;
};
