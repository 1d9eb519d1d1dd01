import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fromRoot } from '../../../../platform/env.ts';
import { parseLabel, parseLabelled } from '../../../../skills/authoring/labelled.ts';
import { confusionOf, figuresOf, labelOf, outcomeOf } from '../../../../skills/authoring/outcome.ts';
import type { RouteResult } from '../../../../skills/routing/router.ts';
import { clauseOf, routeOf } from '../../../fakes/scripted-router.ts';

describe('a label', () => {
  it('is nothing, a question, a control word, or clauses that hang on each other', () => {
    const clause = (skill: string, after: string | null = null, parameters = {}) => ({
      skills: skill.split('/'),
      parameters,
      after,
    });
    expect(parseLabel('none')).toEqual({ kind: 'none' });
    expect(parseLabel('ask')).toEqual({ kind: 'ask', skill: null });
    expect(parseLabel('ask:deploy')).toEqual({ kind: 'ask', skill: 'deploy' });
    expect(parseLabel('control:cancel:last')).toEqual({ kind: 'control', action: 'cancel', target: 'last' });
    expect(parseLabel('a/b > c{from=order list;to=x=y} # d !> e => f')).toEqual({
      kind: 'dispatch',
      clauses: [
        clause('a/b'),
        clause('c', 'succeeded', { from: 'order list', to: 'x=y' }),
        clause('d'),
        clause('e', 'failed'),
        clause('f', 'finished'),
      ],
    });
  });

  it.each(['', 'a b', 'A', 'a &', 'a > ', 'ask:', 'a{x=1', 'a{x}', 'a{=x}'])('"%s" is none', (label) => {
    expect(() => parseLabel(label)).toThrow(/^label "/);
  });

  it('may be short in a list of two columns', () => {
    const labels = (text: string): string[] => parseLabelled(text).map(({ label }) => label);
    expect(labels('oos\tx\n-\tx\n\tx\na#b\tx\na+b\tx\na # b\tx\n')).toEqual([
      'none',
      'none',
      'none',
      'a # b',
      'a # b',
      'a # b',
    ]);
  });
});

describe('labelled lines', () => {
  it('are read back as they were written, with and without tags', () => {
    const text = fc.stringMatching(/^[a-z ,.]{1,30}$/).filter((said) => said.trim() !== '');
    const tags = fc.array(fc.constantFrom('short', 'noise'), { maxLength: 2 });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('a', 'none', 'a > b'), tags, text)), (lines) => {
        const file = lines.map(([label, own, said]) => [label, ...(own.length > 0 ? [own.join(',')] : []), said]);
        expect(
          parseLabelled(file.map((columns) => columns.join('\t')).join('\r\n')).map((line) => [
            line.label,
            line.tags,
            line.text,
            line.line,
          ]),
        ).toEqual(lines.map(([label, own, said], i) => [label, own, said.trim(), i + 1]));
      }),
    );
  });

  it('name the line that is none', () => {
    expect(() => parseLabelled('# c\na\tx\nno tab\n')).toThrow('line 3: expected a label, a tab and a sentence');
    expect(() => parseLabelled('a\tb\tc\td\n')).toThrow('line 1: ');
    expect(() => parseLabelled('a\tx\nA b\tx\n')).toThrow('line 2: label "A b"');
  });

  it('are what the development set consists of', () => {
    const lines = parseLabelled(readFileSync(fromRoot('evals/routing/development.tsv'), 'utf8'));
    expect(lines.length).toBeGreaterThan(100);
    expect(lines.every(({ tags }) => tags.length > 0)).toBe(true);
  });
});

describe('what became of a sentence', () => {
  const ordered = (when: 'succeeded' | 'failed'): RouteResult =>
    routeOf('dispatch', [
      clauseOf('x', { skill: 'a' }),
      clauseOf('y', { skill: 'b', parameters: { name: 'getUserById' }, depends_on: [{ clause: 0, when }] }),
    ]);
  const outcome = (label: string, result: RouteResult) => {
    const [sentence] = parseLabelled(`${label}\tx`);
    if (!sentence) throw new Error('no line');
    return outcomeOf(sentence, result);
  };

  it('is written as its label would be', () => {
    expect(labelOf(routeOf('decline'), true)).toBe('none');
    expect(labelOf(routeOf('control', [], { action: 'cost', target: 'last' }), true)).toBe('control:cost:last');
    expect(labelOf(routeOf('clarify', [clauseOf('x'), clauseOf('y', { skill: 'b', ask: true })]), true)).toBe('ask:b');
    expect(labelOf(ordered('succeeded'), false)).toBe('a > b');
    expect(labelOf(ordered('failed'), true)).toBe('a !> b{name=get user by id}');
  });

  it('is right by its label, and wrong by another', () => {
    const right = outcome('a > b{name=get user by id}', ordered('succeeded'));
    expect([right.exact, right.ordered, right.filled, right.spurious]).toEqual([true, true, true, 0]);
    const wrong = outcome('a !> c{name=x}', ordered('succeeded'));
    expect([wrong.exact, wrong.ordered, wrong.filled, wrong.spurious]).toEqual([false, false, false, 1]);
    expect(outcome('none', ordered('failed')).spurious).toBe(2);
    expect(figuresOf([right, wrong])).toMatchObject({ sentences: 2, exact: 0.5, spurious: 0.25 });
  });

  it('is counted clause by clause, where clauses can be held against each other', () => {
    expect(
      confusionOf([
        outcome('a > b', ordered('succeeded')),
        outcome('a # c', ordered('succeeded')),
        outcome('a # b # c', ordered('succeeded')),
        outcome('z/b', routeOf('dispatch', [clauseOf('x', { skill: 'b' })])),
        outcome('none', routeOf('clarify', [clauseOf('x', { ask: true })])),
        outcome('a', routeOf('decline')),
      ]),
    ).toEqual([
      { expected: 'a', got: 'a', count: 2 },
      { expected: 'a', got: 'none', count: 1 },
      { expected: 'b', got: 'b', count: 2 },
      { expected: 'c', got: 'b', count: 1 },
      { expected: 'none', got: 'ask', count: 1 },
      { expected: 'several', got: 'several', count: 1 },
    ]);
  });
});
