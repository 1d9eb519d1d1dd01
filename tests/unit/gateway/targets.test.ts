import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { spokenTargets, targetsFor } from '../../../gateway/targets.ts';

const LISTED = [
  { name: 'staging', url: 'http://127.0.0.1:4000' },
  { name: 'preview', url: 'https://preview.example.org/start' },
  { name: 'intranet', url: 'http://intranet/' },
];

describe('addresses said in a clause', () => {
  it.each([
    ['check staging dot example dot com slash login', 'staging.example.com', 'https://staging.example.com/login'],
    ['check http://example.com', 'example.com', 'http://example.com/'],
    ['check https://example.com:443/', 'example.com', 'https://example.com/'],
    ['check http://93.184.216.34/', '93.184.216.34', 'http://93.184.216.34/'],
    ['check http://127.0.0.1:4000/login', 'staging', 'http://127.0.0.1:4000/login'],
    ['one two seven dot zero dot zero dot one port four thousand', 'staging', 'http://127.0.0.1:4000/'],
    ['check preview dot example dot org', 'preview', 'https://preview.example.org/'],
    ['check http://intranet/wiki', 'intranet', 'http://intranet/wiki'],
    // The list's origin, and nothing of what was said around it.
    ['check http://user:secret@127.0.0.1:4000/x', 'staging', 'http://127.0.0.1:4000/x'],
    ['check http://2130706433:4000/', 'staging', 'http://127.0.0.1:4000/'],
  ])('%s', (text, name, url) => expect(spokenTargets(text, LISTED)).toEqual([{ name, url }]));

  it.each([
    ['http://127.0.0.1/', '127.0.0.1 is a private address'],
    ['one two seven dot zero dot zero dot one', '127.0.0.1 is a private address'],
    ['http://127.0.0.1:4001/', '127.0.0.1 is a private address'],
    ['https://127.0.0.1:4000/', '127.0.0.1 is a private address'],
    ['localhost port four thousand', 'localhost is a private address'],
    ['http://app.localhost/', 'app.localhost is a private name'],
    ['http://10.0.0.5/', '10.0.0.5 is a private address'],
    ['one ninety two dot one sixty eight dot one dot one', '192.168.1.1 is a private address'],
    ['http://169.254.169.254/latest/meta-data', '169.254.169.254 is a private address'],
    ['http://metadata.google.internal/', 'metadata.google.internal is a private name'],
    ['http://printer.local/', 'printer.local is a private name'],
    ['http://[::1]/', '::1 is an IPv6 address'],
    ['http://[2606:4700::1111]/', '2606:4700::1111 is an IPv6 address'],
    ['http://[::ffff:10.0.0.1]/', 'is an IPv6 address'],
    ['http://2130706433/', '127.0.0.1 is a private address'],
    ['http://0x7f.1/', '127.0.0.1 is a private address'],
    ['http://0177.0.0.1/', '127.0.0.1 is a private address'],
    ['http://0x5db8d822/', 'is an address in disguise'],
    ['http://127.0.0.1./', '127.0.0.1 is a private address'],
    ['https://example.com./', 'example.com. ends in a dot'],
    ['https://wiki/', 'wiki is not a public name'],
    ['https://user@example.com/', 'example.com is said with a user name'],
    ['https://example.com@10.0.0.1/', '10.0.0.1 is said with a user name'],
    ['https://münchen.example/', 'looks like other names'],
    ['https://xn--mnchen-3ya.example/', 'looks like other names'],
    ['https://example.com:8443/', 'example.com:8443 names a port'],
    ['file:///etc/passwd', 'file: addresses are not opened'],
    ['ftp://example.com/', 'ftp: addresses are not opened'],
    ['http://exa_mple..com\\@x/', 'list it in TARGETS_FILE'],
  ])('refuses %s', (text, reason) => {
    expect(() => spokenTargets(`open ${text} now`, LISTED)).toThrow(
      expect.objectContaining({ type: 'Forbidden', message: expect.stringContaining(reason) }),
    );
    expect(() => spokenTargets(`open ${text} now`, LISTED)).toThrow('list it in TARGETS_FILE');
  });

  it('no way of writing a private IPv4 address passes', () => {
    const forms = [
      (a: number[]) => a.join('.'),
      (a: number[]) => a.map((n) => `0x${n.toString(16)}`).join('.'),
      (a: number[]) => a.map((n) => `0${n.toString(8)}`).join('.'),
      (a: number[]) => String(((a[0] ?? 0) * 2 ** 24 + (a[1] ?? 0) * 2 ** 16 + (a[2] ?? 0) * 256 + (a[3] ?? 0)) >>> 0),
      (a: number[]) => `0x${a.map((n) => n.toString(16).padStart(2, '0')).join('')}`,
      (a: number[]) => `[::ffff:${a.join('.')}]`,
      (a: number[]) => `user@${a.join('.')}`,
      (a: number[]) => `${a.join('.')}.`,
    ];
    const byte = fc.integer({ min: 0, max: 255 });
    const address = fc.oneof(
      fc.tuple(fc.constantFrom(10, 127, 0), byte, byte, byte),
      fc.tuple(fc.constant(192), fc.constant(168), byte, byte),
      fc.tuple(fc.constant(169), fc.constant(254), byte, byte),
      fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), byte, byte),
    );
    fc.assert(
      fc.property(address, fc.constantFrom(...forms), fc.constantFrom('http', 'https'), (parts, form, scheme) => {
        expect(() => spokenTargets(`open ${scheme}://${form(parts)}/`, [])).toThrow('list it in TARGETS_FILE');
      }),
    );
  });
});

describe('what one job may open', () => {
  it('an address that was said, before the sites that are listed', () => {
    expect(targetsFor(LISTED, {}, 'open example dot com').map(({ name }) => name)).toEqual([
      'example.com',
      'staging',
      'preview',
      'intranet',
    ]);
    expect(targetsFor(LISTED, {}, 'open http://127.0.0.1:4000/login').map(({ url }) => url)).toEqual([
      'http://127.0.0.1:4000/login',
      'https://preview.example.org/start',
      'http://intranet/',
    ]);
  });

  it('the target that the parameters name, by name or address, and no other', () => {
    expect(targetsFor(LISTED, { target: 'preview' }, 'check preview')).toEqual([LISTED[1]]);
    const spoken = [{ name: 'example.com', url: 'https://example.com/' }];
    expect(targetsFor(LISTED, { target: 'https://example.com/' }, 'check the site')).toEqual(spoken);
    expect(targetsFor(LISTED, { target: 'https://example.com/' }, 'check example dot com')).toEqual(spoken);
    expect(targetsFor(LISTED, { target: 'elsewhere' }, 'check it')).toEqual([]);
    expect(() => targetsFor(LISTED, { target: 'http://10.0.0.1/' }, 'check it')).toThrow('private address');
  });
});
