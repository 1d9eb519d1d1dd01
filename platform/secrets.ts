const MASK = '[secret]';
/** Names of settings whose values must never be seen. */
const SECRET_NAME = /(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL)/i;
/** Shapes of well-known credentials, for those that come from elsewhere. */
const SHAPES = [
  /\bsk-[A-Za-z0-9_-]{16,}/g,
  /\bAIza[A-Za-z0-9_-]{20,}/g,
  /\bgh[pousr]_[A-Za-z0-9]{20,}/g,
  /\bBearer\s+[A-Za-z0-9._~+/-]{16,}=*/gi,
];

export type Scrub = (text: string) => string;

/** Values of the environment that are secrets by their variable's name; shorter than 8 characters hides too much else. */
export const secretsOf = (environment: Readonly<Record<string, string>>): string[] =>
  Object.entries(environment)
    .filter(([name, value]) => SECRET_NAME.test(name) && !/_(FILE|PATH)$/.test(name) && value.length >= 8)
    .map(([, value]) => value);

/** Replaces each secret (also JSON-escaped and URL-encoded) and anything shaped like a credential by `[secret]`. */
export const createScrub = (secrets: readonly string[]): Scrub => {
  const forms = new Set<string>();
  for (const secret of secrets) {
    if (secret.length < 8) continue;
    forms
      .add(secret)
      .add(JSON.stringify(secret).slice(1, -1))
      .add(encodeURIComponent(secret))
      .add(Buffer.from(secret).toString('base64'));
  }
  const longestFirst = [...forms].sort((a, b) => b.length - a.length);
  return (text) => {
    let clean = text;
    for (const form of longestFirst) if (clean.includes(form)) clean = clean.replaceAll(form, MASK);
    for (const shape of SHAPES) clean = clean.replace(shape, MASK);
    return clean;
  };
};

/** The same, for a JSON value: every string in it, keys included. */
export const scrubJson = <T>(value: T, scrub: Scrub): T => JSON.parse(scrub(JSON.stringify(value))) as T;
