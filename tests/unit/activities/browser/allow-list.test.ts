import { describe, expect, it } from '@jest/globals';
import { allowListOf } from '../../../../activities/browser/allow-list.ts';
import { isPrivateAddress, plainHost } from '../../../../platform/addresses.ts';
import { addressOf } from '../../../../activities/browser/navigate.ts';

describe('allow-list', () => {
  const allow = allowListOf([
    { url: 'http://127.0.0.1:4000/start' },
    { url: 'https://staging.example' },
    { url: 'file:///etc/passwd' },
    { url: 'nonsense' },
  ]);

  it('keeps http and https targets only', () => {
    expect(allow.targets).toEqual(['http://127.0.0.1:4000/start', 'https://staging.example/']);
    expect(allow.origins).toEqual(['http://127.0.0.1:4000', 'https://staging.example']);
  });

  it.each([
    ['http://127.0.0.1:4000/other', true],
    ['ws://127.0.0.1:4000/socket', true],
    ['wss://staging.example/socket', true],
    ['https://STAGING.example/x', true],
    ['blob:http://127.0.0.1:4000/1-2', true],
    ['http://127.0.0.1:4001/', false],
    ['http://localhost:4000/', false],
    ['https://127.0.0.1:4000/', false],
    ['http://staging.example/', false],
    ['https://staging.example:8443/', false],
    ['https://staging.example.evil.test/', false],
    ['https://evil.test/#https://staging.example', false],
    ['https://staging.example@evil.test/', false],
    ['wss://127.0.0.1:4000/', false],
    ['blob:https://evil.test/1', false],
    ['file:///etc/passwd', false],
    ['data:text/html,x', false],
    ['chrome://settings', false],
    ['about:blank', false],
    ['javascript:alert(1)', false],
    ['', false],
  ])('%s: %s', (url, permitted) => expect(allow.permits(url)).toBe(permitted));

  it('lets the proxy connect to the host and port of a target, however the host is written', () => {
    expect(allow.permitsEndpoint('staging.example.', 443)).toBe(true);
    expect(allow.permitsEndpoint('Staging.Example', 443)).toBe(true);
    expect(allow.permitsEndpoint('staging.example', 80)).toBe(false);
    expect(allow.permitsEndpoint('127.0.0.1', 4000)).toBe(true);
    expect(allow.permitsEndpoint('127.0.0.1', 4001)).toBe(false);
    expect(allowListOf([{ url: 'http://[::1]:80/' }]).permitsEndpoint('::1', 80)).toBe(true);
  });

  it.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.31.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    'fe80::1',
    'fd00::1',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:10.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'not an address',
  ])('%s is private', (address) => expect(isPrivateAddress(address)).toBe(true));

  it.each(['93.184.216.34', '172.32.0.1', '2606:4700::1111', '::ffff:93.184.216.34'])('%s is public', (address) =>
    expect(isPrivateAddress(address)).toBe(false),
  );

  it('takes only what a target spells out as private', () => {
    expect(['127.0.0.1', '[::1]', 'localhost', 'api.localhost'].map((host) => allow.mayBePrivate(host))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(allow.mayBePrivate('staging.example')).toBe(false);
    expect(plainHost('[FE80::1]')).toBe('fe80::1');
  });
});

describe('what a model means by an address', () => {
  const allow = allowListOf([{ url: 'http://127.0.0.1:4000' }, { url: 'https://staging.example' }]);
  it.each([
    ['/contact', 'http://127.0.0.1:4000/contact'],
    ['?page=2', 'http://127.0.0.1:4000/here?page=2'],
    ['127.0.0.1:4000/x', 'http://127.0.0.1:4000/x'],
    ['staging.example/x', 'https://staging.example/x'],
    [' https://evil.test/ ', 'https://evil.test/'],
    ['//evil.test/x', 'http://evil.test/x'],
    ['javascript:alert(1)', 'javascript:alert(1)'],
    ['what?', undefined],
  ])('%s', (typed, meant) => expect(addressOf(typed, 'http://127.0.0.1:4000/here', allow)?.href).toBe(meant));
});
