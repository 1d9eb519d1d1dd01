import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createLog } from '../../../platform/log.ts';
import { createScrub, scrubJson, secretsOf } from '../../../platform/secrets.ts';

describe('scrubbing', () => {
  it('finds secrets by the name of their variable', () => {
    expect(
      secretsOf({
        ANTHROPIC_API_KEY: 'aaaaaaaaaaaa',
        GATEWAY_TOKEN: 'bbbbbbbbbbbb',
        GATEWAY_TOKEN_FILE: '/path/to/token',
        CODING_MODEL: 'cccccccccccc',
        SHORT_KEY: 'x',
      }),
    ).toEqual(['aaaaaaaaaaaa', 'bbbbbbbbbbbb']);
  });

  it('removes a secret in every form it travels in, from any JSON', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 8, maxLength: 60 }), fc.string(), fc.string(), (secret, before, after) => {
        fc.pre(!'[secret]'.includes(secret) && !/\[?secret\]?/.test(secret) && secret.trim() === secret);
        const scrub = createScrub([secret]);
        const clean = JSON.stringify(scrubJson({ deep: [{ text: before + secret + after }] }, scrub));
        return (
          !clean.includes(JSON.stringify(secret).slice(1, -1)) &&
          !scrub(`?key=${encodeURIComponent(secret)}`).includes(encodeURIComponent(secret)) &&
          !scrub(Buffer.from(secret).toString('base64')).includes(Buffer.from(secret).toString('base64'))
        );
      }),
    );
  });

  it('removes what has the shape of a credential, wherever it came from', () => {
    const scrub = createScrub([]);
    expect(scrub('authorization: Bearer abcdefghijklmnop1234 and sk-ant-abcdefghijklmnopqrst')).toBe(
      'authorization: [secret] and [secret]',
    );
  });

  it('reaches messages, fields and stacks of log lines', () => {
    const lines: string[] = [];
    const log = createLog('test', createScrub(['correct-horse']), 'info', (line) => lines.push(line));
    log.error({ err: new Error('login with correct-horse failed'), field: 'correct-horse' }, 'correct-horse');
    expect(lines.join('')).not.toContain('correct-horse');
    expect(lines.join('')).toContain('[secret]');
  });
});
