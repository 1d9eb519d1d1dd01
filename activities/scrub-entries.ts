import type { Scrub } from '../platform/secrets.ts';
import type { Entry } from './models/model.ts';

/**
 * Fields of a provider's own content that it signed or encrypted: changed by one character they are refused. They are
 * long base64, in which chance alone spells the beginning of a well-known credential now and then.
 */
const SEALED = new Set(['signature', 'thoughtSignature', 'thought_signature', 'data']);
const BASE64 = /^[A-Za-z0-9+/_=-]+$/;
/** Arguments of a call are the model's own words, whatever their names. */
const ARGUMENTS = new Set(['input', 'args']);

const clean = (value: unknown, scrub: Scrub, mayBeSealed: boolean): unknown => {
  if (typeof value === 'string') return scrub(value);
  if (Array.isArray(value)) return value.map((each) => clean(each, scrub, mayBeSealed));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => {
      if (mayBeSealed && SEALED.has(key) && typeof field === 'string' && BASE64.test(field)) return [key, field];
      return [scrub(key), clean(field, scrub, mayBeSealed && !ARGUMENTS.has(key))];
    }),
  );
};

/** The entries with every secret replaced, keys included; what a provider sealed in `raw` stays as it is. */
export const scrubEntries = (entries: readonly Entry[], scrub: Scrub): Entry[] =>
  entries.map((entry) => {
    if (entry.role !== 'assistant') return clean(entry, scrub, false) as Entry;
    const { raw, ...rest } = entry;
    return { ...(clean(rest, scrub, false) as Omit<typeof entry, 'raw'>), raw: clean(raw, scrub, true) };
  });
