import { describe, expect, it } from '@jest/globals';
import { createContext, joinLeaning } from '../../../../skills/routing/context.ts';
import type { Wording } from '../../../../skills/routing/context.ts';
import { piecesOf } from '../../../../skills/routing/split.ts';

const VERBS = new Set('write run rename fix repair test sort open close find validate deploy move'.split(' '));
const contextOf = (text: string) => {
  const asked: { wordings: readonly Wording[]; before: string | undefined }[] = [];
  const pieces = joinLeaning(piecesOf(text, VERBS), VERBS);
  /** Always the last wording: the one that borrows most. */
  const context = createContext(text, pieces, VERBS, (wordings, before) => {
    asked.push({ wordings, before });
    return wordings.length - 1;
  });
  return { asked, pieces, context, meant: pieces.map((_, i) => context.stretch(i, i + 1).meant) };
};

describe('what a clause borrows of its neighbours', () => {
  it.each<[string, string, string[], ('object' | 'verb' | null)[]]>([
    ['a pronoun', 'write tests for the parser and run them', ['write tests for the parser', 'run tests'], [null, null]],
    ['a pronoun, over "then"', 'open parserPage then close it', ['open parserPage', 'close parserPage'], [null, null]],
    ['an object', 'fix and test the parser', ['fix the parser', 'test the parser'], ['object', null]],
    [
      'a verb',
      'rename fooId to customerId and barId to supplierId',
      ['rename fooId to customerId', 'rename barId to supplierId'],
      [null, 'verb'],
    ],
    [
      'a verb and what follows it',
      'move the old parser to core and the lexer',
      ['move the old parser to core', 'move the old parser the lexer'],
      [null, 'verb'],
    ],
    [
      'a verb behind "both"',
      'validate both staging and production',
      ['validate both staging', 'validate production'],
      [null, 'verb'],
    ],
  ])('%s', (_what, text, meant, borrows) => {
    const found = contextOf(text);
    expect(found.meant).toEqual(meant);
    expect(found.pieces.map((_, i) => found.context.borrows(i))).toEqual(borrows);
  });

  it.each([
    ['a clause that says enough', 'fix the parser and test the lexer'],
    ['a pronoun in a long clause', 'fix the parser and run every test that there is for it'],
    ['a pronoun behind something told', 'the tests of the parser are slow then run them'],
    ['a pronoun behind what must not be done', "don't fix the parser, run it"],
    ['a fragment behind "then"', 'rename foo to bar then baz to qux'],
    ['a long fragment', 'run the tests and the old ones in the cellar of the house too'],
    ['a verb and then another', 'fix then test the parser'],
  ])('nothing: %s', (_what, text) => {
    const { meant, context, pieces } = contextOf(text);
    expect(meant).toEqual(pieces.map((_, i) => context.stretch(i, i + 1).text));
    expect(pieces.map((_, i) => context.borrows(i)).filter(Boolean)).toEqual([]);
  });

  it('is for `prefer` to decide, told the own wording first and what was said before', () => {
    const { asked } = contextOf('write tests for the parser and run them');
    expect(asked.map(({ wordings, before }) => [before, ...wordings.map(({ text }) => text)])).toEqual([
      ['write tests for the parser', 'run them', 'run tests'],
    ]);
  });

  it('is nothing where `prefer` likes the own words best', () => {
    const text = 'fix and test the parser';
    const context = createContext(text, piecesOf(text, VERBS), VERBS, () => 0);
    expect([context.stretch(0, 1).meant, context.borrows(0)]).toEqual(['fix', null]);
  });

  it('leaves a stretch of several clauses as it was said', () => {
    const { context } = contextOf('fix and test the parser');
    expect(context.stretch(0, 2)).toEqual({ text: 'fix and test the parser', meant: 'fix and test the parser' });
  });
});

describe('a statement and the order that leans on it', () => {
  it.each([
    ['the parser crashes on leap years, repair it', 'repair it'],
    ['three specs are failing, sort them out', 'sort them out'],
    ['the build is red since monday, find out why', 'find out why'],
  ])('are one: %s', (text, order) => {
    const { pieces, asked } = contextOf(text);
    expect(pieces).toHaveLength(1);
    expect(pieces[0]).toMatchObject({ start: 0, end: text.length, tail: order.split(' ').length });
    // The order alone is one of its meanings, for where the whole says nothing.
    expect(asked[0]?.wordings).toEqual([
      { text: text.replace(',', ''), by: 'own' },
      { text: order, by: 'tail' },
    ]);
  });

  it.each([
    ['an order and another', 'run the tests, fix them'],
    ['a statement and an order that says enough', 'the parser crashes on leap years, run the tests'],
    ['a statement and what must not be done', 'the parser crashes on leap years, do not repair it'],
    ['a statement with "then"', 'the parser crashes on leap years, then repair it'],
    ['two words', 'the parser, repair it'],
    ['a condition at its end', 'the parser crashes on leap years if it fails and repair it'],
  ])('are two: %s', (_what, text) => {
    const { pieces } = contextOf(text);
    expect(pieces).toHaveLength(2);
    expect(pieces.map(({ tail }) => tail)).toEqual([0, 0]);
  });
});
