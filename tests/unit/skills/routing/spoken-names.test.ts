import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { nameAfter } from '../../../../skills/routing/name-ends.ts';
import { branchFrom, fileFrom, isBranch, symbolFrom } from '../../../../skills/routing/spoken-names.ts';
import { tokensOf } from '../../../../skills/routing/spoken-words.ts';

const symbol = (text: string): string | undefined => symbolFrom(nameAfter(tokensOf(text), 0, true));
const file = (text: string): string | undefined => fileFrom({ words: tokensOf(text) });
const branch = (text: string): string | undefined => branchFrom({ words: tokensOf(text) });

describe('symbols', () => {
  it.each([
    ['get user by I D', 'getUserById'],
    ['get user by I.D.', 'getUserById'],
    ['get user by ID', 'getUserById'],
    ['base u r l', 'baseUrl'],
    ['a p i root', 'apiRoot'],
    ['getUserById', 'getUserById'],
    ['getUser by id', 'getUserById'],
    ['get_user', 'get_user'],
    ['$x', '$x'],
    ['handler', 'handler'],
    ['Handler', 'Handler'],
    ['the function get total', 'getTotal'],
    ['the class order service', 'OrderService'],
    ['the constant max items', 'MAX_ITEMS'],
    ['the private method save order', 'saveOrder'],
    ['get underscore user', 'get_user'],
    ['get dash user', 'get-user'],
    ['snake case get user', 'get_user'],
    ['get user in snake case', 'get_user'],
    ['get user in pascal case please', 'GetUser'],
    ['all caps max items', 'MAX_ITEMS'],
    ['max items in constant case', 'MAX_ITEMS'],
    ['order service dot create', 'orderService.create'],
    ['created at everywhere', 'createdAt'],
    ['log in user', 'logInUser'],
    ['on click', 'onClick'],
    ['get all users in the code', 'getAllUsers'],
    ['to', undefined],
    ['everywhere', undefined],
    ['it', undefined],
  ])('%s', (text, name) => expect(symbol(text)).toBe(name));

  it('words in any case, joined and split, are the same words', () => {
    const word = fc.constantFrom('get', 'user', 'total', 'price', 'order', 'line', 'net');
    fc.assert(
      fc.property(fc.array(word, { minLength: 2, maxLength: 5 }), (words) => {
        const name = symbol(words.join(' ')) ?? '';
        expect(name).toMatch(/^[a-z]+([A-Z][a-z]+)+$/);
        expect(name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)).toBe(words.join(' '));
        expect(symbol(`${words.join(' ')} in snake case`)).toBe(words.join('_'));
      }),
    );
  });
});

describe('files', () => {
  it.each([
    ['user service dot t s', 'user-service.ts'],
    ['user service dot test dot t s', 'user-service.test.ts'],
    ['user service dot pie', 'user_service.py'],
    ['user service dot java', 'UserService.java'],
    ['userService dot ts', 'userService.ts'],
    ['user underscore service dot ts', 'user_service.ts'],
    ['src slash user service dot t s', 'src/user-service.ts'],
    ['s r c slash index dot h t m l', 'src/index.html'],
    ['package dot jason', 'package.json'],
    ['read me', 'README.md'],
    ['read me dot m d', 'README.md'],
    ['docker file', 'Dockerfile'],
    ['dot env', '.env'],
    ['dot git ignore', '.gitignore'],
    ['src/userService.ts', 'src/userService.ts'],
    ['dot dot slash secrets dot env', undefined],
    ['dot', undefined],
  ])('%s', (text, path) => expect(file(text)).toBe(path));
});

describe('branches', () => {
  it.each([
    ['feature slash login page', 'feature/login-page'],
    ['feature slash login dash page', 'feature/login-page'],
    ['release slash one dot two', 'release/1.2'],
    ['jira one two three dash fix', 'jira-123-fix'],
    ['Main', 'main'],
    ['JIRA-12_x/LoginPage', 'JIRA-12_x/LoginPage'],
    ['slash x', undefined],
    ['x dot dot y', undefined],
    ['-force', undefined],
    ['x.lock', undefined],
    ['HEAD@{1}', undefined],
  ])('%s', (text, name) => expect(branch(text)).toBe(name));
});

it('any text gives a name git takes, a path below the repository, an identifier without spaces, or nothing', () => {
  const word = fc.oneof(
    fc.constantFrom(
      'dot',
      'slash',
      'dash',
      'underscore',
      'I',
      'd',
      'one',
      'twenty',
      'user',
      'in',
      'snake',
      'case',
      '..',
      '/',
    ),
    fc.string({ maxLength: 10 }),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 12 }), (words) => {
      const text = words.join(' ');
      for (const name of [symbol(text), file(text)]) expect(name === undefined || !/\s/.test(name)).toBe(true);
      const name = branch(text);
      expect(name === undefined || isBranch(name)).toBe(true);
    }),
  );
});
