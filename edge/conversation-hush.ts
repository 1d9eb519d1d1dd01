/** What makes a conversation fall silent at once; a bare "cancel" is not among them, it is about a task. */
const PHRASES =
  `stop|stop it|stop that|stop now|stop talking|stop speaking|be quiet|be silent|quiet|silence|hush|shut up|shush
  |halt|enough|that is enough|thats enough|cancel that|never mind|nevermind`
    .split('|')
    .map((phrase) => phrase.trim().replaceAll(' ', ' +'))
    .sort((a, b) => b.length - a.length)
    .join('|');
const LEAD = '(?:(?:okay|ok|oh|hey|no|please|now|just|and) +)*';
const HUSH = new RegExp(`^ *(?:${LEAD}(?:${PHRASES})(?: +(?:please|now|okay|ok|thanks|thank you))* +)+$`);
/** Longer ones are sentences. */
const MAX_CHARS = 80;

/** Nothing but a word to be silent: "Stop.", "Okay, stop, stop!", "please be quiet". Decided without any model. */
export const hushes = (text: string): boolean => {
  if (text.length > MAX_CHARS) return false;
  const words = text
    .toLowerCase()
    .replace(/['’]/g, '')
    .replace(/[^\p{L}\p{N}]+/gu, ' ');
  return HUSH.test(`${words} `);
};
