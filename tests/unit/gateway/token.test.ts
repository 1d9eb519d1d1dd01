import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CODE_TTL_MS, COOKIE_TTL_MS, createBrowserLogin } from '../../../gateway/browser-login.ts';
import { createMatcher, loadToken } from '../../../gateway/token.ts';

let dir: string;
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), 'token-'))));
afterEach(() => rm(dir, { recursive: true, force: true }));

describe('the token file', () => {
  it('is made once, for its owner alone, and found again', async () => {
    const file = join(dir, 'data', 'gateway-token');
    const token = await loadToken(file);
    expect(token).toMatch(/^[\w-]{43}$/);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await loadToken(file)).toBe(token);
    expect(await readdir(join(dir, 'data'))).toEqual(['gateway-token']);
  });

  it('is one and the same for gateways that start at once', async () => {
    const tokens = await Promise.all(Array.from({ length: 8 }, () => loadToken(join(dir, 'token'))));
    expect(new Set(tokens).size).toBe(1);
    expect((await readFile(join(dir, 'token'), 'utf8')).trim()).toBe(tokens[0]);
  });

  it.each([
    ['nothing', ''],
    ['two lines', 'one\ntwo'],
  ])('refuses a file with %s', async (_what, text) => {
    const file = join(dir, 'token');
    await writeFile(file, text);
    await expect(loadToken(file)).rejects.toThrow('GATEWAY_TOKEN_FILE: holds no token on one line');
  });

  it('says when it cannot be read', async () => {
    await expect(loadToken(dir)).rejects.toThrow('GATEWAY_TOKEN_FILE: cannot be read (EISDIR)');
  });

  it('matches itself and nothing else', () => {
    const matches = createMatcher('secret');
    expect(['secret', 'secret ', 'Secret', '', 'secre'].map(matches)).toEqual([true, false, false, false, false]);
  });
});

describe('browser login', () => {
  const cookieOf = (header: string | null): string => header?.split(';')[0] ?? '';

  it('turns a link into a cookie that no script can read, once', () => {
    const login = createBrowserLogin('t');
    const { code } = login.mint();
    const header = login.redeem(code);
    expect(header).toMatch(/^dual_session=\d+\.[\w-]{43}; Path=\/; Max-Age=2592000; HttpOnly; SameSite=Strict$/);
    expect(login.redeem(code)).toBeNull();
    expect(login.admits(`other=1; ${cookieOf(header)}`)).toBe(true);
  });

  it('holds over a restart, and ends with another token', () => {
    const login = createBrowserLogin('t');
    const cookie = cookieOf(login.redeem(login.mint().code));
    expect(createBrowserLogin('t').admits(cookie)).toBe(true);
    expect(createBrowserLogin('u').admits(cookie)).toBe(false);
  });

  it('ends with its time', () => {
    let now = 1_000_000;
    const login = createBrowserLogin('t', () => now);
    const stale = login.mint().code;
    now += CODE_TTL_MS + 1;
    expect(login.redeem(stale)).toBeNull();
    const cookie = cookieOf(login.redeem(login.mint().code));
    now += COOKIE_TTL_MS + 1;
    expect(login.admits(cookie)).toBe(false);
  });

  it.each([undefined, '', 'dual_session=', 'dual_session=1.x', `dual_session=9999999999999.${'a'.repeat(43)}`])(
    'admits no forged cookie: %p',
    (cookie) => {
      expect(createBrowserLogin('t').admits(cookie)).toBe(false);
    },
  );

  it('keeps a bounded number of open links', () => {
    const login = createBrowserLogin('t');
    const first = login.mint().code;
    for (let n = 0; n < 100; n++) login.mint();
    expect(login.redeem(first)).toBeNull();
  });
});
