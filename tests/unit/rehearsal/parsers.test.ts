import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { openingMessage, noteMessage } from '../../../activities/opening-message.ts';
import { renderPageReport } from '../../../activities/browser/page-report.ts';
import type { PageFacts } from '../../../activities/browser/page-report.ts';
import type { JobPlan } from '../../../contracts/agent.ts';
import { canonicalJson, isSignatureOf, sign } from '../../../rehearsal/canonical.ts';
import { keySentences, readEarlierJobs, readTasks } from '../../../rehearsal/condense.ts';
import { maskStrings, namesIn, splitBlocks } from '../../../rehearsal/code/blocks.ts';
import { applied, editBetween, replaceLines, undo } from '../../../rehearsal/code/edits.ts';
import { textOfView } from '../../../rehearsal/code/hands.ts';
import { nameFrom, renameAsked, styleOf, wholeName, wordsOf } from '../../../rehearsal/code/names.ts';
import { readTestOutput } from '../../../rehearsal/code/test-output.ts';
import { readNotes, readOrder } from '../../../rehearsal/notes.ts';
import { readOpening } from '../../../rehearsal/opening.ts';
import { readPageReport } from '../../../rehearsal/site/page-report.ts';
import { jobPlan } from '../../fakes/job-plan.ts';

/** Text a person might say, with what might confuse a parser. */
const words = fc.oneof(
  fc.string({ maxLength: 80 }),
  fc.string({
    unit: fc.constantFrom(
      'a',
      ' ',
      '<',
      '>',
      '/',
      '\n',
      '"',
      '#',
      '-',
      ':',
      'note',
      'instruction',
      '{',
      '}',
      '`',
      '1',
      '\t',
    ),
  }),
);
const trimmed = words.map((text) => text.trim()).filter((text) => text !== '');
/** Free of what the writer of the message tames. */
const plain = trimmed.filter((text) => !/<\s*\/?\s*[a-z]/i.test(text));

describe('the opening message', () => {
  it('is read back as it was written', () => {
    fc.assert(
      fc.property(
        plain,
        plain,
        fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.oneof(fc.integer(), plain)),
        plain,
        (instruction, utterance, parameters, context) => {
          const plan: JobPlan = {
            ...jobPlan(),
            instruction,
            utterance,
            parameters,
            context,
            targets: [{ name: 'staging', url: 'http://127.0.0.1:4000' }],
          };
          const opening = readOpening(openingMessage(plan, []));
          expect(opening).toMatchObject({ instruction, request: utterance, targets: plan.targets, context });
          expect(canonicalJson(opening.parameters)).toBe(canonicalJson(parameters));
        },
      ),
    );
  });

  it('of a foreign client is one instruction, and never throws', () => {
    fc.assert(fc.property(words, (text) => void readOpening(text)));
    fc.assert(
      fc.property(plain, (text) =>
        expect(readOpening(text)).toMatchObject({ instruction: text, request: text, parameters: {} }),
      ),
    );
  });
});

describe('notes', () => {
  it('are read back with their kind, several in one text too', () => {
    fc.assert(
      fc.property(plain, plain, (said, lost) => {
        const text = [
          noteMessage({ kind: 'steer', text: said }),
          noteMessage({ kind: 'session_lost', text: lost }),
        ].join('\n');
        expect(readNotes(text)).toEqual([
          { kind: 'person', text: said },
          { kind: 'session_lost', text: lost },
        ]);
      }),
    );
    fc.assert(fc.property(words, (text) => void readNotes(text)));
  });

  it.each<[string, ReturnType<typeof readOrder>]>([
    ['stop', 'stopNow'],
    ['please stop', 'stopNow'],
    ['OK, that is enough', 'stopNow'],
    ['stop after the tests', 'stopAfterTests'],
    ['finish once the tests have run', 'stopAfterTests'],
    ['please change nothing from now on', 'changeNothing'],
    ['do not edit any files', 'changeNothing'],
    ['only look at the start page', 'onlyFirstPage'],
    ['stop using tabs', null],
    ['use British spelling', null],
    ['the tests should not stop you', null],
  ])('“%s” is understood as %s', (text, order) => expect(readOrder(text)).toBe(order));
});

describe('page_report', () => {
  const label = fc.string({ maxLength: 30 });
  const place = fc.option(fc.tuple(fc.nat(999), fc.nat(999)), { nil: null });
  const path = fc.stringMatching(/^[a-z]{1,8}$/).map((name) => `http://127.0.0.1:4000/${name}`);
  const facts: fc.Arbitrary<PageFacts> = fc.record({
    title: label,
    lang: fc.constantFrom('', 'en'),
    scroll: fc.tuple(fc.nat(100), fc.nat(900)),
    headings: fc.array(fc.record({ level: fc.integer({ min: 1, max: 6 }), text: label }), { maxLength: 3 }),
    links: fc.array(fc.record({ text: label, href: path, place }), { maxLength: 4 }),
    buttons: fc.array(fc.record({ text: label, place }), { maxLength: 2 }),
    forms: fc.array(
      fc.record({
        name: label,
        method: fc.constantFrom('get', 'post'),
        action: path,
        fields: fc.array(
          fc.record({
            type: fc.constantFrom('text', 'select', 'password'),
            label,
            name: fc.constant('n'),
            required: fc.boolean(),
            options: fc.array(label, { maxLength: 2 }),
            place,
          }),
          { maxLength: 3 },
        ),
      }),
      { maxLength: 2 },
    ),
    images: fc.array(fc.record({ problem: fc.constantFrom('no alt' as const, 'not loaded' as const), src: path }), {
      maxLength: 2,
    }),
    insecure: fc.constant([]),
    totals: fc.constant({}),
  });

  it('is read back as the browser wrote it', () => {
    fc.assert(
      fc.property(
        facts,
        fc.option(fc.integer({ min: 200, max: 599 }), { nil: null }),
        label,
        path,
        (page, status, text, url) => {
          const report = readPageReport(
            renderPageReport({
              url: 'http://127.0.0.1:4000/',
              status,
              facts: page,
              consoleErrors: { kept: [{ page: url, text, where: `${url}:3` }], lost: 0 },
              failedRequests: { kept: [{ page: url, outcome: '404', method: 'GET', url }], lost: 2 },
            }),
          );
          expect(report).toMatchObject({
            url: 'http://127.0.0.1:4000/',
            title: page.title,
            status,
            below: Math.max(0, page.scroll[1] - page.scroll[0]),
            more: { 'Failed requests': 2 },
          });
          expect(report?.headings).toEqual(page.headings);
          expect(report?.links).toEqual(page.links.map(({ text: said, href }) => ({ text: said, href })));
          expect(
            report?.forms.map(({ name, fields }) => [name, fields.map((field) => [field.type, field.label])]),
          ).toEqual(page.forms.map((form) => [form.name, form.fields.map((field) => [field.type, field.label])]));
          expect(report?.images).toEqual(page.images);
          expect(report?.consoleErrors).toEqual([{ text, where: `${url}:3` }]);
          expect(report?.failedRequests).toEqual([{ outcome: '404', method: 'GET', url }]);
        },
      ),
    );
  });

  it('never throws, and knows what is none', () => {
    fc.assert(fc.property(words, (text) => void readPageReport(`# Page report\n${text}`)));
    expect(readPageReport('Opened http://h/ (HTTP 200).')).toBeNull();
  });
});

describe('test output', () => {
  it('never throws', () => {
    fc.assert(
      fc.property(
        words,
        fc.option(fc.integer({ min: 0, max: 255 }), { nil: null }),
        (text, exit) => void readTestOutput(text, exit),
      ),
    );
  });

  it('is read in time, however long a word in it is', () => {
    const report = readTestOutput(`${'a/'.repeat(20_000)}${'x'.repeat(20_000)}.ts\nℹ pass 3\nℹ fail 0\n`, 1);
    expect(report.passed).toBe(3);
  });
});

describe('views of files', () => {
  it('give the text back, numbers taken off', () => {
    const line = fc.string({ maxLength: 20 }).filter((text) => !text.includes('\n') && !text.includes('\r'));
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 50 }),
        fc.boolean(),
        (lines, first, noted) => {
          const printed = lines.map((text, at) => `${String(first + at).padStart(6)}\t${text}`).join('\n');
          expect(textOfView(noted ? `[note: x]\n${printed}` : printed, first)).toEqual({
            text: lines.join('\n'),
            next: null,
          });
          expect(
            textOfView(`${printed}\n[cut after line ${first + lines.length - 1} of 900; go on with view_range]`, first)
              .next,
          ).toBe(first + lines.length);
        },
      ),
    );
    expect(textOfView('(empty file)')).toEqual({ text: '', next: null });
    expect(textOfView('plain text of a client without numbers')).toEqual({
      text: 'plain text of a client without numbers',
      next: null,
    });
  });
});

describe('code', () => {
  const code = fc.array(
    fc.constantFrom(
      'function f() {',
      '  return 1;',
      '}',
      '',
      '/** says',
      ' * more',
      ' */',
      "const a = 'x';",
      'import { b } from "./b.ts";',
      '// note',
      'export const g = (x) => {',
      '};',
      '`t${a}`',
      'if (x) {',
    ),
    { maxLength: 30 },
  );
  it('is split into blocks that lie in order and hold what the lines say', () => {
    fc.assert(
      fc.property(code, (lines) => {
        let end = 0;
        for (const block of splitBlocks('a.ts', lines.join('\n'))) {
          expect(block.from).toBeGreaterThanOrEqual(end);
          expect(block.code).toBe(lines.slice(block.codeFrom, block.to).join('\n'));
          end = block.to;
        }
      }),
    );
  });

  it('keeps its length and lines when strings are masked', () => {
    fc.assert(
      fc.property(words, (text) => {
        const masked = maskStrings(text);
        expect(masked).toHaveLength(text.length);
        expect(masked.split('\n')).toHaveLength(text.split('\n').length);
      }),
    );
    expect([...namesIn("call(`a ${inner} b`, 'text') // comment")]).toEqual(['call', 'inner']);
  });

  it('is edited by calls that do just what they say, and can be taken back', () => {
    const lines = fc.array(fc.constantFrom('a', 'b', 'c', '', '  d'), { minLength: 2, maxLength: 10 });
    fc.assert(
      fc.property(
        lines,
        fc.nat(9),
        fc.nat(3),
        fc.array(fc.constantFrom('x', 'y', ''), { maxLength: 3 }),
        (text, from, count, after) => {
          const to = from + 1 + count;
          const whole = text.join('\n');
          const call = replaceLines('f', whole, from, to, after);
          if (!call) return;
          const expected = [...text.slice(0, from), ...after, ...text.slice(to)].join('\n');
          expect(applied(whole, call)).toBe(expected);
          const back = undo(call, whole);
          if (back) expect(applied(expected, back)).toBe(whole);
        },
      ),
    );
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const call = editBetween('f', before.join('\n'), after.join('\n'));
        if (call) expect(applied(before.join('\n'), call)).toBe(after.join('\n'));
      }),
    );
  });
});

describe('names', () => {
  const word = fc.stringMatching(/^[a-z]{2,6}$/);
  it('keep their words through every style', () => {
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 2, maxLength: 4 }),
        fc.constantFrom('camel' as const, 'pascal' as const, 'snake' as const, 'constant' as const, 'kebab' as const),
        (parts, style) => {
          const name = nameFrom(parts, style);
          expect(wordsOf(name)).toEqual(parts);
          expect(styleOf(name)).toBe(style);
        },
      ),
    );
  });

  it('are found whole only, dollar signs included', () => {
    const found = (name: string, text: string): number => [...text.matchAll(wholeName(name))].length;
    expect(found('get', 'get(getter, widget, get_x, get$, $get, a.get)')).toBe(2);
    expect(found('$a', '$a $ab $$a')).toBe(1);
  });

  it.each([
    ['rename parseUser to readUser everywhere', 'parseUser', 'readUser'],
    ['rename the function get total to compute total', 'get total', 'compute total'],
    ['Rename `calcStuff` to `priceOrder` in all files.', 'calcStuff', 'priceOrder'],
    ['change the name of the constant LIMIT to MAX_ITEMS', 'LIMIT', 'MAX_ITEMS'],
    ['rename handler into dispatcher throughout the workspace', 'handler', 'dispatcher'],
    ['can you rename the type Item to CartItem, please', 'Item', 'CartItem'],
  ])('“%s”', (instruction, from, to) => expect(renameAsked({}, instruction)).toEqual({ from, to }));

  it('come from the parameters first', () => {
    expect(renameAsked({ from: 'a', to: 'b' }, 'rename x to y')).toEqual({ from: 'a', to: 'b' });
    expect(renameAsked({}, 'refactor the API')).toBeNull();
  });

  it('are words again when nobody wrote them, so that the code decides how a new name is written', () => {
    const asked = { from: 'getTotal', to: 'computeTotal' };
    expect(renameAsked(asked, 'rename get total to compute total')).toEqual({ ...asked, to: 'compute total' });
    expect(renameAsked(asked, 'rename getTotal to computeTotal')).toEqual(asked);
    expect(renameAsked(asked, 'rename get total to compute total in camel case')).toEqual(asked);
  });
});

describe('material', () => {
  it('never throws', () => {
    fc.assert(fc.property(words, (text) => void [readTasks(text), readEarlierJobs(text), keySentences(text, 3)]));
  });

  it('is condensed to sentences of its own, in order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z ]{5,30}$/), { maxLength: 12 }),
        fc.integer({ min: 1, max: 5 }),
        (lines, count) => {
          const sentences = keySentences(lines.map((line) => `${line}.`).join(' '), count);
          expect(sentences.length).toBeLessThanOrEqual(Math.max(count, 1));
        },
      ),
    );
  });
});

describe('signatures', () => {
  it('fit their payload alone', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), fc.string(), (payload, other, nonce) => {
        const signature = sign(payload, nonce.replace(/[^\x20-\x7e]/g, 'x'));
        expect(isSignatureOf(signature, payload)).toBe(true);
        expect(isSignatureOf(signature, other)).toBe(canonicalJson(other) === canonicalJson(payload));
      }),
    );
    fc.assert(fc.property(fc.string(), (text) => expect(isSignatureOf(text, 'x')).toBe(false)));
  });
});
