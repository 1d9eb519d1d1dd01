import { createHmac, randomBytes } from 'node:crypto';
import { createMatcher } from './token.ts';

/** A link must be used within this time, and once. */
export const CODE_TTL_MS = 5 * 60_000;
/** How long a browser stays logged in. */
export const COOKIE_TTL_MS = 30 * 24 * 3_600_000;
/** Open links at once; the oldest goes first. */
const MAX_CODES = 100;

const COOKIE = 'dual_session';

export interface BrowserLogin {
  /** A code for one login. */
  mint(): { code: string; expiresAt: string };
  /** The Set-Cookie header for a code; null when it is unknown, used or expired. */
  redeem(code: string): string | null;
  /** True when the Cookie header carries a login that still holds. */
  admits(cookieHeader: string | undefined): boolean;
}

/**
 * One-time links and the cookie they turn into. The cookie is signed with the token: it survives a restart of the
 * gateway and ends with a change of the token. HttpOnly and SameSite=Strict, so no page reads or sends it for another.
 */
export const createBrowserLogin = (token: string, now: () => number = Date.now): BrowserLogin => {
  const codes = new Map<string, number>();
  const sign = (expires: number): string => createHmac('sha256', token).update(`cookie|${expires}`).digest('base64url');
  return {
    mint: () => {
      const code = randomBytes(24).toString('base64url');
      const expires = now() + CODE_TTL_MS;
      codes.set(code, expires);
      for (const oldest of codes.keys()) {
        if (codes.size <= MAX_CODES) break;
        codes.delete(oldest);
      }
      return { code, expiresAt: new Date(expires).toISOString() };
    },
    redeem: (code) => {
      const expires = codes.get(code);
      codes.delete(code);
      if (expires === undefined || expires < now()) return null;
      const until = now() + COOKIE_TTL_MS;
      return `${COOKIE}=${until}.${sign(until)}; Path=/; Max-Age=${COOKIE_TTL_MS / 1_000}; HttpOnly; SameSite=Strict`;
    },
    admits: (cookieHeader) => {
      const value = cookieHeader
        ?.split(';')
        .map((pair) => pair.trim())
        .find((pair) => pair.startsWith(`${COOKIE}=`))
        ?.slice(COOKIE.length + 1);
      const [, until, signature] = /^(\d{1,15})\.([\w-]{43})$/.exec(value ?? '') ?? [];
      if (until === undefined || signature === undefined) return false;
      return createMatcher(sign(Number(until)))(signature) && Number(until) > now();
    },
  };
};
