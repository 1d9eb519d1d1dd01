import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startRehearsal } from '../../../rehearsal/server.ts';
import type { Rehearsal } from '../../../rehearsal/server.ts';
import { codingTools, CODING_TOOLS, converse } from '../../fakes/workbench.ts';
import type { ConverseOptions, Conversed } from '../../fakes/workbench.ts';

const EXAMPLE = new URL('../../../examples/workspace', import.meta.url).pathname;

let rehearsal: Rehearsal;
let dir: string;
beforeAll(async () => {
  rehearsal = await startRehearsal();
});
afterAll(() => rehearsal.close());
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'rehearsal-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const work = (opening: string, change: Partial<ConverseOptions> = {}): Promise<Conversed> =>
  converse({ url: rehearsal.url, opening, execute: codingTools(dir), ...change });
const lay = (files: Record<string, string>): void => {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
};
const read = (path: string): string => readFileSync(join(dir, path), 'utf8');
/** The shipped example; its tests are run without npm, which takes longer than they do. */
const COMMAND = 'node --test';
const layExample = (): void => {
  cpSync(EXAMPLE, dir, { recursive: true });
  lay({ '.dual/workspace.json': JSON.stringify({ verify: COMMAND }) });
};
const everyFile = (): Record<string, string> =>
  Object.fromEntries(
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => [path, readFileSync(path, 'utf8')]),
  );
const testsPass = (): boolean => {
  try {
    execFileSync(process.execPath, ['--test'], { cwd: dir, stdio: 'ignore', env: { PATH: process.env['PATH'] } });
    return true;
  } catch {
    return false;
  }
};
const edits = (conversed: Conversed): number =>
  conversed.calls.filter(({ input }) => ['create', 'str_replace', 'insert'].includes(String(input['command']))).length;

/** The example told differently: other names, other files, other numbers, the failing line elsewhere, no comments. */
const disguise = (): void => {
  layExample();
  renameSync(join(dir, 'src/pricing.ts'), join(dir, 'src/money.ts'));
  renameSync(join(dir, 'test/pricing.test.ts'), join(dir, 'test/sums.test.ts'));
  const names: [RegExp, string][] = [
    [/\bpercentOf\b/g, 'shareOf'],
    [/\bcalcStuff\b/g, 'settle'],
    [/\bdiscountPercent\b/g, 'rebate'],
    [/\bcents\b/g, 'amount'],
    [/\bpercent\b/g, 'rate'],
    [/pricing\.ts/g, 'money.ts'],
    [/\b1995\b/g, '2345'],
    [/\b2285\b/g, '2600'],
    [/teapot/g, 'carafe'],
    [/^\s*\/\*\*.*\*\/\n/gm, ''],
  ];
  for (const file of ['src/money.ts', 'src/orders.ts', 'src/customers.ts', 'test/sums.test.ts', 'test/orders.test.ts'])
    writeFileSync(
      join(dir, file),
      names.reduce((text, [from, to]) => text.replace(from, to), read(file)),
    );
  const test = read('test/sums.test.ts');
  const start = test.indexOf("describe('discounts'");
  const second = test.indexOf("describe('an order'");
  writeFileSync(
    join(dir, 'test/sums.test.ts'),
    `${test.slice(0, start)}\n\n${test.slice(second)}\n// moved\n\n${test.slice(start, second)}`,
  );
  const code = read('src/money.ts').split(/\n(?=export function )/);
  writeFileSync(join(dir, 'src/money.ts'), [code[0], ...code.slice(1).reverse()].join('\n\n\n'));
};

describe('run the tests and fix the one that fails', () => {
  it('mends the example', async () => {
    layExample();
    expect(testsPass()).toBe(false);
    const done = await work('run the tests and fix the one failing assertion');
    expect(testsPass()).toBe(true);
    expect(done.text).toMatch(/^\(rehearsal\) node --test: before 11 passed, 1 failed; now 12 passed, 0 failed\./);
    expect(done.text).toContain('Fixed src/pricing.ts:');
    expect(done.turns).toBeLessThan(20);
  });

  it('goes by what files and output say: other names, places and numbers change nothing', async () => {
    disguise();
    expect(testsPass()).toBe(false);
    const done = await work('fix the failing test');
    expect(testsPass()).toBe(true);
    expect(done.text).toContain('Fixed src/money.ts:');
    expect(read('src/money.ts')).toContain('Math.round((amount * rate) / 100)');
    expect(read('test/sums.test.ts')).toContain('2600');
  });

  it('finds other slips than that one, and leaves nothing else changed', async () => {
    layExample();
    writeFileSync(join(dir, 'src/pricing.ts'), read('src/pricing.ts').replace('Math.floor', 'Math.round'));
    const sound = everyFile();
    writeFileSync(join(dir, 'src/pricing.ts'), read('src/pricing.ts').replace('Math.max(', 'Math.min('));
    await work('make the tests pass again');
    expect(everyFile()).toEqual(sound);
  });

  it('takes everything back and says so when nothing helps', async () => {
    lay({
      'package.json': '{"type":"module","scripts":{"test":"node --test"}}',
      'src/a.js': 'export const answer = (x) => x * 2;\n',
      'test/a.test.js':
        "import assert from 'node:assert/strict';\nimport { it } from 'node:test';\nimport { answer } from '../src/a.js';\nit('is deep', () => { assert.equal(answer(3), 'forty-two'); });\n",
    });
    const before = everyFile();
    const done = await work('fix the failing test');
    expect(everyFile()).toEqual(before);
    expect(done.text).toMatch(/small changes helped, and I took them back; this needs a real model/);
    expect(done.text).toContain("- is deep (test/a.test.js:4): expected 'forty-two', got 6");
  });

  it('changes nothing where nothing fails or nothing can be run', async () => {
    lay({ 'package.json': '{"scripts":{"test":"true"}}' });
    expect((await work('fix the failing test')).text).toContain('Nothing to fix');
    rmSync(join(dir, 'package.json'));
    lay({ 'README.md': 'hello' });
    expect((await work('fix the failing test')).text).toContain('I found no way to run tests here');
    expect((await work('fix the failing test', { tools: [] })).text).toContain('I did nothing');
  });
});

describe('refactor', () => {
  const OPENING =
    '<instruction>\nRefactor the API\n</instruction>\n\n<request>\nRefactor the API and validate the staging website.\n</request>';

  it('the example: duplicates in one place, a telling name, tests green, documents up to date', async () => {
    layExample();
    const done = await work(OPENING);
    expect(testsPass()).toBe(true);
    const sources = ['src/customers.ts', 'src/orders.ts', 'src/validation.ts'].map(read);
    expect(sources.filter((text) => text.includes('function requireText('))).toHaveLength(1);
    expect(sources[0]).toContain("import { requireCount, requireText } from './validation.ts';");
    expect(Object.values(everyFile()).join('\n')).not.toContain('calcStuff');
    expect(read('README.md')).not.toContain('Known debts');
    expect(done.text).toContain('Renamed calcStuff to priceOrder');
    expect(done.text).toContain('before 11 passed, 1 failed; now 12 passed, 0 failed');
    expect(done.turns).toBeLessThan(30);
  });

  it('goes on when every turn meets a server that was just started', async () => {
    layExample();
    let current: Rehearsal | undefined;
    const url = async (): Promise<string> => {
      await current?.close();
      current = await startRehearsal();
      return current.url;
    };
    try {
      const done = await work(OPENING, { url });
      expect(testsPass()).toBe(true);
      expect(done.text).toContain('Renamed calcStuff to priceOrder');
    } finally {
      await current?.close();
    }
  });

  it('code that is sound: reports, changes nothing', async () => {
    lay({
      'package.json': '{"type":"module","scripts":{"test":"node --test"}}',
      'src/add.js': 'export const add = (a, b) => a + b;\n',
      'test/add.test.js':
        "import assert from 'node:assert/strict';\nimport { it } from 'node:test';\nimport { add } from '../src/add.js';\nit('adds', () => assert.equal(add(1, 2), 3));\n",
    });
    const before = everyFile();
    const done = await work('refactor the code');
    expect(everyFile()).toEqual(before);
    expect(edits(done)).toBe(0);
    expect(done.text).toContain('I found nothing that rehearsal can refactor safely');
  });

  it('leaves alone, and names, what it cannot move safely', async () => {
    const copy = (name: string): string =>
      `const LIMIT = 3;\n\nfunction clip(list) {\n  if (list.length > LIMIT) {\n    return list.slice(0, LIMIT);\n  }\n  return list;\n}\n\nexport const ${name} = (x) => clip(x);\n`;
    const python = 'def total(rows):\n    result = 0\n    for row in rows:\n        result += row\n    return result\n';
    lay({ 'src/a.mjs': copy('one'), 'src/b.mjs': copy('two'), 'lib/a.py': python, 'lib/b.py': python });
    const before = everyFile();
    const done = await work('clean up the duplicated code');
    expect(everyFile()).toEqual(before);
    expect(done.text).toMatch(
      /clip \(src\/a\.mjs:3\) and clip \(src\/b\.mjs:3\) are the same code; left as they are: it uses LIMIT/,
    );
    expect(done.text).toMatch(/total \(lib\/a\.py:1\).*JavaScript and TypeScript modules only/);
  });

  it('puts everything back when the tests are worse afterwards', async () => {
    const helper = 'function doStuff(x) {\n  const y = x + 1;\n  return y;\n}\n';
    lay({
      'package.json': '{"type":"module","scripts":{"test":"node --test"}}',
      'src/a.js': `/** Adds numbers: one more. */\nexport ${helper}`,
      // Reads the source: no rename can please it.
      'test/a.test.js':
        "import assert from 'node:assert/strict';\nimport { readFileSync } from 'node:fs';\nimport { it } from 'node:test';\nit('keeps its name', () => assert.ok(readFileSync('src/a.js', 'utf8').includes('do' + 'Stuff')));\n",
    });
    const before = everyFile();
    const done = await work('refactor the code');
    expect(everyFile()).toEqual(before);
    expect(done.text).toContain('Tried and taken back, since tests failed: Renamed doStuff to addNumbers');
  });
});

describe('rename everywhere', () => {
  it('whole names in code, comments and documents, and in nothing else', async () => {
    layExample();
    const done = await work('rename requireText to needText everywhere');
    const all = Object.values(everyFile()).join('\n');
    expect(all).not.toMatch(/\brequireText\b/);
    expect(all.match(/\bneedText\b/g)).toHaveLength(7);
    expect(done.text).toContain('Renamed requireText to needText: 7 places in 3 files');
    expect(done.text).toContain('Nothing is called requireText any more.');
    expect(done.text).toContain('(the same as before)');
  });

  it('as it is spoken, and by parameters', async () => {
    layExample();
    await work(
      '<instruction>\nrename the function percent of to share of\n</instruction>\n<parameters>\n{"from":"percent of","to":"share of"}\n</parameters>',
    );
    expect(read('src/pricing.ts')).toContain('export function shareOf(');
    expect(read('test/pricing.test.ts')).not.toContain('percentOf');
  });

  it('many uses, names with a dollar sign, in files that are no code', async () => {
    lay({ 'a.txt': Array.from({ length: 60 }, (_, at) => `${at} $old $older old`).join('\n') });
    const done = await work('rename $old to $new everywhere');
    expect(read('a.txt')).toBe(Array.from({ length: 60 }, (_, at) => `${at} $new $older old`).join('\n'));
    expect(done.text).toContain('60 places in 1 file');
    expect(done.text).toContain('I found no tests to run.');
  });

  it('not where the name is taken, missing, or no name', async () => {
    layExample();
    const before = everyFile();
    expect((await work('rename percentOf to calcStuff')).text).toContain('Something is already called calcStuff');
    expect((await work('rename nothingLikeIt to other')).text).toContain('I found no “nothingLikeIt”');
    expect((await work('rename percentOf to 3things')).text).toContain('cannot be a name in code');
    expect(everyFile()).toEqual(before);
  });

  it.each(['anthropic', 'gemini'] as const)('with the search tool alone, over %s', async (provider) => {
    layExample();
    const tools = CODING_TOOLS.filter(({ name }) => name !== 'bash');
    const done = await work('rename isCoupon to knowsCoupon everywhere', { tools, provider });
    expect(Object.values(everyFile()).join('\n')).not.toMatch(/\bisCoupon\b/);
    expect(done.text).toContain('(rehearsal) Renamed isCoupon to knowsCoupon');
  });
});

describe('run the tests and report', () => {
  it('counts, names what fails, changes nothing', async () => {
    layExample();
    const before = everyFile();
    const done = await work('run the tests and report what fails');
    expect(everyFile()).toEqual(before);
    expect(edits(done)).toBe(0);
    expect(done.text).toContain(
      'node --test (.dual/workspace.json says so): 11 passed, 1 failed, exit code 1. I changed nothing.',
    );
    expect(done.text).toMatch(
      /- rounds half a cent of discount up \(test\/pricing\.test\.ts:\d+\): expected 2285, got 2286/,
    );
  });

  it('finds a Makefile, and quotes a runner it does not know', async () => {
    lay({ Makefile: 'test:\n\t@echo gremlins; exit 3\n' });
    const done = await work('run the tests');
    expect(done.text).toContain('make test (the Makefile has a test target): failed (exit 2)');
    expect(done.text).toContain('> gremlins');
  });
});

describe('a person in mid-job', () => {
  it('“stop after the tests” stops it after the tests', async () => {
    layExample();
    const before = everyFile();
    const done = await work('run the tests and fix what fails', {
      notes: { 1: '<note kind="steer">\nstop after the tests\n</note>' },
    });
    expect(everyFile()).toEqual(before);
    expect(done.text).toMatch(/^\(rehearsal\) Stopped as you asked \(“stop after the tests”\)/);
    expect(done.text).toContain('ran node --test: 11 passed, 1 failed');
    expect(done.turns).toBe(3);
  });

  it('“stop after the tests” said later: they run once more before anything is changed', async () => {
    layExample();
    const before = everyFile();
    const done = await work('refactor the API', { notes: { 3: 'stop after the tests' } });
    expect(everyFile()).toEqual(before);
    expect(done.calls.filter(({ input }) => String(input['command']).startsWith(COMMAND))).toHaveLength(2);
  });

  it('“change nothing” ends it before the next change', async () => {
    layExample();
    const before = everyFile();
    const done = await work('refactor the API', { notes: { 2: 'please change nothing' } });
    expect(everyFile()).toEqual(before);
    expect(done.text).toContain('You said in between: “please change nothing”. I kept to it.');
  });

  it('a failed verification makes it try to mend', async () => {
    layExample();
    const note = '<note kind="verification_failed">\n`npm test` fails after your changes (exit 1)\n</note>';
    const done = await work('say ready', { notes: { 1: note } });
    expect(testsPass()).toBe(true);
    expect(done.text).toContain('Fixed src/pricing.ts');
  });
});

describe('the rest', () => {
  it('counts with bash, one turn each', async () => {
    const done = await work('count to 12 using bash');
    expect(done.turns).toBe(13);
    expect(done.calls.map(({ input }) => input['command'])).toEqual(
      Array.from({ length: 12 }, (_, at) => `echo ${at + 1}`),
    );
    expect(done.text).toContain('Counted to 12 in 12 turns.');
  });

  it('says something in one turn', async () => {
    expect(await work('say good morning')).toMatchObject({ turns: 1, text: '(rehearsal) good morning' });
  });

  it('answers anything else with what it can do and how to set keys', async () => {
    const { text, turns } = await work('build me a rocket');
    expect(turns).toBe(1);
    expect(text).toContain('a rehearsal cannot do this: “build me a rocket”');
    expect(text).toContain('rename X to Y everywhere');
    expect(text).toMatch(/ANTHROPIC_API_KEY .* GEMINI_API_KEY .* \.env\.wsl/);
  });
});
