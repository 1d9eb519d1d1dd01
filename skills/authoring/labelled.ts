import { NAME } from '../../contracts/skill.ts';
import type { DependencyCondition } from '../../contracts/names.ts';

/** One clause a person expects: any of these skills, with these parameters (as words), after the clause before. */
export interface ExpectedClause {
  skills: readonly string[];
  parameters: Readonly<Record<string, string>>;
  /** How it hangs on the clause before it; null: beside it, or the first. */
  after: DependencyCondition | null;
}

/** What a person expects of a sentence. */
export type Expected =
  | { kind: 'none' }
  | { kind: 'ask'; skill: string | null }
  | { kind: 'control'; action: string; target: string | null }
  | { kind: 'dispatch'; clauses: readonly ExpectedClause[] };

export interface LabelledSentence {
  label: string;
  expected: Expected;
  tags: readonly string[];
  text: string;
  /** Its place in the file, from 1. */
  line: number;
}

const SEPARATORS: Record<string, DependencyCondition | null> = {
  '#': null,
  '>': 'succeeded',
  '!>': 'failed',
  '=>': 'finished',
};
/** Other words for `none`, in lists of two columns. */
const NONE = ['none', 'oos', '-', ''];

const nameOf = (name: string, label: string): string => {
  if (!NAME.test(name)) throw new Error(`label "${label}": "${name}" is no name of a skill`);
  return name;
};

const clauseOf = (text: string, after: DependencyCondition | null, label: string): ExpectedClause => {
  const open = text.indexOf('{');
  const skills = (open < 0 ? text : text.slice(0, open)).split('/').map((name) => nameOf(name, label));
  const parameters: Record<string, string> = {};
  if (open >= 0) {
    if (!text.endsWith('}')) throw new Error(`label "${label}": a brace is not closed`);
    for (const pair of text.slice(open + 1, -1).split(';')) {
      const at = pair.indexOf('=');
      if (at < 1) throw new Error(`label "${label}": expected {name=value;name=value}`);
      parameters[pair.slice(0, at)] = pair.slice(at + 1);
    }
  }
  return { skills, parameters, after };
};

/**
 * Reads a label: `none`, `ask`, `ask:SKILL`, `control:ACTION:TARGET`, or clauses with a separator between them. A clause
 * is SKILL, or SKILL/SKILL where both are right, with `{name=value;name=value}` for parameters as lower-case words. The
 * separator says how a clause hangs on the one before it: `#` beside it, `>` after its success, `!>` after its failure,
 * `=>` after either end. @throws Error for a label that is none of these.
 */
export const parseLabel = (label: string): Expected => {
  if (label === 'none') return { kind: 'none' };
  const [kind, first, second] = label.split(':');
  if (kind === 'ask') return { kind: 'ask', skill: first === undefined ? null : nameOf(first, label) };
  if (kind === 'control' && first !== undefined) return { kind: 'control', action: first, target: second ?? null };
  const clauses: ExpectedClause[] = [];
  for (const part of label.split(/ (?=(?:#|>|!>|=>) )/)) {
    const [mark = '', ...rest] = clauses.length === 0 ? ['#', part] : part.split(' ');
    const after = SEPARATORS[mark];
    if (after === undefined) throw new Error(`label "${label}": "${mark}" joins nothing`);
    clauses.push(clauseOf(rest.join(' '), after, label));
  }
  return { kind: 'dispatch', clauses };
};

/** A label as lists of two columns may write it: nothing for none, skills joined by a bare `#` or `+`. */
const plainLabel = (label: string): string => {
  if (NONE.includes(label)) return 'none';
  return /[{\s]/.test(label) ? label : label.replace(/[#+]/g, ' # ');
};

/**
 * Reads lines `LABEL<TAB>SENTENCE` or `LABEL<TAB>TAGS<TAB>SENTENCE`, tags separated by commas. Blank lines and lines
 * that begin with `#` are left out. @throws Error naming the line.
 */
export const parseLabelled = (text: string): LabelledSentence[] =>
  text.split(/\r?\n/).flatMap((raw, i) => {
    if (raw.trim() === '' || raw.startsWith('#')) return [];
    const [given, ...columns] = raw.split('\t');
    const sentence = columns.pop()?.trim();
    const [tags = '', ...more] = columns;
    if (given === undefined || sentence === undefined || more.length > 0)
      throw new Error(`line ${i + 1}: expected a label, a tab and a sentence, or label, tags and sentence`);
    const label = plainLabel(given.trim());
    try {
      const expected = parseLabel(label);
      return [{ label, expected, tags: tags.split(',').filter((tag) => tag !== ''), text: sentence, line: i + 1 }];
    } catch (error) {
      throw new Error(`line ${i + 1}: ${(error as Error).message}`, { cause: error });
    }
  });
