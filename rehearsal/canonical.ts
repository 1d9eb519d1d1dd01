import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** JSON with sorted keys: the same value has the same text, whoever serialised it. */
export const canonicalJson = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([key, field]) => `${JSON.stringify(key)}:${canonicalJson(field)}`);
    return `{${fields.join(',')}}`;
  }
  return JSON.stringify(value ?? null);
};

/** Hexadecimal SHA-256 of the canonical JSON of a value. */
export const hashOf = (value: unknown): string => createHash('sha256').update(canonicalJson(value)).digest('hex');

/** Not a secret: it makes a signature recognisable to a restarted server, which is all rehearsal needs. */
const SIGNING_KEY = 'rehearsal';
const NONCE_CHARS = 12;

const seal = (nonce: string, payload: unknown): string =>
  createHmac('sha256', SIGNING_KEY)
    .update(`${nonce}|${canonicalJson(payload)}`)
    .digest('base64');

/** An opaque signature over `payload`; `nonce` makes signatures of equal payloads differ. */
export const sign = (payload: unknown, nonce: string): string => {
  const head = nonce.padEnd(NONCE_CHARS, '0').slice(0, NONCE_CHARS);
  return Buffer.from(head + seal(head, payload)).toString('base64');
};

/** True when `signature` was made by `sign` for exactly this payload. */
export const isSignatureOf = (signature: string, payload: unknown): boolean => {
  const opened = Buffer.from(signature, 'base64').toString('utf8');
  const given = Buffer.from(opened.slice(NONCE_CHARS));
  const expected = Buffer.from(seal(opened.slice(0, NONCE_CHARS), payload));
  return given.length === expected.length && timingSafeEqual(given, expected);
};
