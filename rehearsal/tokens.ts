/**
 * Tokens as rehearsal counts them: one per four characters, rounded up, which is the providers' own rule of thumb for
 * English and code. Real counts differ by some 20 %; what matters here is that every figure is counted the same way.
 */
export const CHARS_PER_TOKEN = 4;

export const estimateTokens = (text: string): number => Math.ceil(text.length / CHARS_PER_TOKEN);

/** A 1280x800 screenshot: Anthropic documents width x height / 750, Gemini 258 a tile of 768x768 (here four). */
export const IMAGE_TOKENS = { anthropic: 1_365, gemini: 1_032 } as const;
