/** What a text is that reaches the model in the middle of a job. `person`: somebody's own words. */
export interface MidJobNote {
  kind: 'person' | 'session_lost' | 'verification_failed' | 'notice';
  text: string;
}

/** What a person can order in mid-job so that rehearsal understands it. */
export interface Orders {
  stopNow: boolean;
  stopAfterTests: boolean;
  changeNothing: boolean;
  onlyFirstPage: boolean;
}

export const noOrders = (): Orders => ({
  stopNow: false,
  stopAfterTests: false,
  changeNothing: false,
  onlyFirstPage: false,
});

/** The orders, as people are told of them. */
export const KNOWN_ORDERS = '"stop", "stop after the tests", "change nothing", "only the first page"';

const PATTERNS: [keyof Orders, RegExp][] = [
  ['stopAfterTests', /\b(?:stop|finish|end|quit|halt)\b[^.!?]*\b(?:after|once|when)\b[^.!?]*\btests?\b/i],
  ['onlyFirstPage', /\bonly\b[^.!?]*\b(?:first|start|home|main|front|landing) ?page\b/i],
  [
    'changeNothing',
    /\b(?:change|edit|touch|modify|write)\s+nothing\b|\b(?:do not|don't|dont|never|no longer)\s+(?:change|edit|touch|modify|write)\b|\bread[- ]only\b|\bonly (?:report|look)\b|\bhands off\b/i,
  ],
  [
    'stopNow',
    /^\W*(?:please\s+)?(?:stop|halt|quit|abort|enough|finish)\b(?!\s+(?:the|a|an|using|calling|adding)\b)|\bstop (?:now|here|it|there|working|immediately)\b|\bthat(?:'s| is) enough\b/i,
  ],
];

/** The first known order in a person's words; null: none is known. */
export const readOrder = (text: string): keyof Orders | null =>
  PATTERNS.find(([, pattern]) => pattern.test(text))?.[0] ?? null;

/** Notices of the orchestrator that come without a tag; anything else is a person's own words. */
const NOTICES: [MidJobNote['kind'], RegExp][] = [
  ['session_lost', /\bsession was lost\b/i],
  ['verification_failed', /^\W*(?:verification|the verification|the tests fail|its tests fail)\b/i],
  ['notice', /^\W*your last (?:answer|tool call)\b|\bbudget\b.*\b(?:extended|raised)\b/i],
];

const kindOf = (tag: string | undefined): MidJobNote['kind'] =>
  tag === 'steer' ? 'person' : tag === 'session_lost' || tag === 'verification_failed' ? tag : 'notice';

/**
 * Reads a text that came in mid-job. The orchestrator tags its notes (`<note kind="…">`), one or several in a text;
 * a text without a tag is a person's words, unless it reads like a notice.
 */
export const readNotes = (text: string): MidJobNote[] => {
  const tagged = [...text.matchAll(/<note\s+kind="(\w+)"[^>]*>([^]*?)<\/note>/g)];
  if (tagged.length > 0) return tagged.map(([, tag, words]) => ({ kind: kindOf(tag), text: (words ?? '').trim() }));
  if (text.trim() === '') return [];
  const kind = NOTICES.find(([, pattern]) => pattern.test(text))?.[0] ?? 'person';
  return [{ kind, text: text.trim() }];
};
