import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { addressesIn, withoutAddresses } from '../../../../skills/routing/spoken-urls.ts';

const urlsIn = (text: string): string[] => addressesIn(text).map(({ url }) => url);

describe('addresses', () => {
  it.each([
    ['https colon slash slash staging dot example dot com slash login', 'https://staging.example.com/login'],
    ['http colon slash slash example dot com', 'http://example.com/'],
    ['h t t p s colon slash slash w w w dot example dot com', 'https://www.example.com/'],
    ['https slash slash example dot com', 'https://example.com/'],
    ['https://staging dot example dot com', 'https://staging.example.com/'],
    ['open staging dot example dot com and check it', 'https://staging.example.com/'],
    ['check Staging.Example.com.', 'https://staging.example.com/'],
    ['example.com/path?x=1#top', 'https://example.com/path?x=1#top'],
    ['(see "https://example.com/a")', 'https://example.com/a'],
    ['triple w dot example dot co dot uk', 'https://www.example.co.uk/'],
    ['double u double u double u dot example dot d e', 'https://www.example.de/'],
    ['my dash shop dot example dot com slash users slash forty two', 'https://my-shop.example.com/users/42'],
    ['example dot com slash', 'https://example.com/'],
    ['localhost port three thousand', 'http://localhost:3000/'],
    ['localhost colon eighty eighty', 'http://localhost:8080/'],
    ['one two seven dot zero dot zero dot one', 'http://127.0.0.1/'],
    ['one ninety two dot one sixty eight dot one dot one port eighty eighty', 'http://192.168.1.1:8080/'],
    ['http://[::1]:3000/x', 'http://[::1]:3000/x'],
    ['https slash slash intranet', 'https://intranet/'],
    ['file colon slash slash slash etc slash passwd', 'file:///etc/passwd'],
    ['look at example dot com', 'https://example.com/'],
    ['check the login page at example dot com', 'https://example.com/'],
  ])('%s', (text, url) => expect(urlsIn(text)).toEqual([url]));

  it('several, each with its place', () => {
    const text = 'compare example dot com, with example.org please';
    expect(addressesIn(text).map(({ start, end }) => text.slice(start, end))).toEqual([
      'example dot com',
      'example.org',
    ]);
    expect(withoutAddresses(text)).toBe('compare                , with             please');
  });

  it.each([
    'bob at example dot com',
    'write to bob at example dot com',
    'log in as bob at example dot com',
    'send the report by email to carol dot smith at example dot com',
    'write to bob.smith@example.com about it',
    'mailto:bob@example.com',
    'one dot two dot three',
    'update to version 1.2.3',
    'version 1.2.3.4',
    '999.1.1.1',
    'user service dot t s',
    'open index.html and README.md',
    'package dot json',
    'main dot py',
    'the app.It is slow',
    'e.g. this one... and that',
    'a dot com company',
    'slash and burn',
    'dot dot dot',
    'https colon slash slash',
    '',
  ])('none: %s', (text) => expect(urlsIn(text)).toEqual([]));

  it('what is written is found as it is, wherever it stands', () => {
    const label = fc.stringMatching(/^[a-z]{3,8}$/);
    fc.assert(
      fc.property(
        label,
        label,
        fc.constantFrom('com', 'org', 'io', 'de'),
        fc.option(label),
        (sub, name, ending, path) => {
          const url = `https://${sub}.${name}.${ending}/${path ?? ''}`;
          expect(urlsIn(`please open ${url}, then stop`)).toEqual([url]);
        },
      ),
    );
  });

  it('said and written are the same', () => {
    // Words that are neither numbers nor marks, as names on the web are.
    const label = fc.constantFrom('staging', 'example', 'shop', 'preview', 'acme', 'docs');
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 3 }), fc.array(label, { maxLength: 3 }), (host, path) => {
        const said = ['open', [...host, 'com'].join(' dot '), ...path.map((part) => `slash ${part}`)].join(' ');
        expect(urlsIn(said)).toEqual([`https://${[...host, 'com'].join('.')}/${path.join('/')}`]);
      }),
    );
  });

  it('anything at all: addresses lie in the text, one behind the other, in time', () => {
    const word = fc.oneof(
      fc.constantFrom(
        'dot',
        'slash',
        'colon',
        'port',
        'com',
        'https',
        'at',
        'one',
        'w',
        'localhost',
        '//',
        'http://',
        '[::1]',
        '@',
      ),
      fc.string({ maxLength: 12 }),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 40 }), (words) => {
        const text = words.join(' ');
        let last = 0;
        for (const { start, end } of addressesIn(text)) {
          expect(start).toBeGreaterThanOrEqual(last);
          expect(end).toBeGreaterThan(start);
          expect(end).toBeLessThanOrEqual(text.length);
          last = end;
        }
      }),
    );
    const started = performance.now();
    for (const unit of ['dot ', 'a dot ', 'slash ', 'w ', 'one ', 'x.', '!', 'http://'])
      addressesIn(unit.repeat(20_000));
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
