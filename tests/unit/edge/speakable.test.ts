import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { counted, firstSentence, sentence, shortened, speakable } from '../../../edge/speakable.ts';

describe('what can be said of a text', () => {
  it.each([
    // Addresses and paths by their last name.
    ['broken link: http://127.0.0.1:4000/old-page.html answers 404', 'broken link: the page old page answers 404'],
    ['look at https://staging.example.com/.', 'look at the start page.'],
    ['image not loaded: http://127.0.0.1:4000/img/logo.png', 'image not loaded: logo dot png'],
    ['Renamed in src/api/users.ts and ./lib/a_b.py', 'Renamed in users dot ts and a b dot py'],
    ['see C:\\Users\\me\\notes.txt', 'see notes dot txt'],
    ['changed package.json', 'changed package dot json'],
    ['mail to someone.else@example.com', 'mail to a mail address'],
    ['and/or 3/4 of them', 'and/or 3/4 of them'],
    // Marks.
    [
      '**Refactored** `getTotal`: see [the notes](http://x.y/z) & _more_',
      'Refactored getTotal: see the notes and more',
    ],
    ['# Report\n\n- one\n- two', 'Report one two'],
    ['before\n```sh\nrm -rf /\n```\nafter', 'before after'],
    ['| a | b |\n|---|---|\n| 1 | 2 |\ntext', 'text'],
    ['50% -> 70% — done… 😀 “quoted”', '50 percent to 70 percent, done quoted'],
    ['[[rate 300]] <b>bold</b> <script>alert(1)</script>', 'rate 300 bold alert(1)'],
    // Ids, hashes, keys.
    ['it waits for 0123456789abcdef0123456789abcdef-2', 'it waits for job 2'],
    ['commit 9f8e7d6c1a pushed', 'commit pushed'],
    ['session 123e4567-e89b-12d3-a456-426614174000 is over', 'session is over'],
    ['key sk-proj1234567890abcdefgh leaked', 'key leaked'],
    ['it said [secret] twice', 'it said a secret twice'],
    ['open http://h/0123456789abcdef0123 now', 'open the page now'],
    // Words that only look like hashes stay.
    ['the facade was effaced', 'the facade was effaced'],
    // Money.
    [
      'Two jobs: coding is running, turn 3; browser succeeded. 0.12 dollars so far.',
      'Two jobs: coding is running, turn 3; browser succeeded.',
    ],
    ['It is done. No cost so far; it is a rehearsal.', 'It is done. it is a rehearsal.'],
    ['$0.12 of $0.10 are spent', 'an amount of an amount are spent'],
    ['an unknown price for coding', 'an amount for coding'],
    ['', ''],
    ['\u0000\u0007 \n\t', ''],
  ])('%j', (text, said) => {
    expect(speakable(text)).toBe(said);
  });

  it('is short, ends where a part of it ends, and never within brackets', () => {
    const long =
      'Looked at 4 pages: the start page, the shop, the page about us (with its two forms, three tables, and a map of the town), and the end.';
    expect(speakable(long, 12)).toBe('Looked at 4 pages: the start page, the shop');
    expect(speakable(long, 16)).toBe('Looked at 4 pages: the start page, the shop');
    expect(speakable('one two three four five (six seven) eight', 6)).toBe('one two three four five');
    expect(shortened('one two three, four five and', 6)).toBe('one two three, four five and');
    expect(shortened('one two three, four five and six', 6)).toBe('one two three');
    expect(shortened('one two three four five and six', 6)).toBe('one two three four five');
  });

  it('holds no address, id, price, mark or more than 25 words, whatever the text', () => {
    const parts = fc.constantFrom(
      'https://user:pass@host.example:8443/a/b?token=abcdef1234567890abcd#x',
      'http://[::1]/',
      '$1,234.56',
      '12 dollars',
      '9f8e7d6c5b4a39281706f5e4d3c2b1a0',
      '0123456789abcdef0123456789abcdef-3',
      '`code`',
      '[link](javascript:alert(1))',
      '../../etc/passwd',
      '\\\\server\\share',
      '<img src=x onerror=1>',
      '```',
      'word',
      'a sentence.',
      '\n',
      '|',
      '%zz',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(parts, fc.string({ maxLength: 20 })), { maxLength: 40 }), (pieces) => {
        const said = speakable(pieces.join(' '));
        expect(said).not.toMatch(/:\/\/|[$€£]\s?\d|\b[0-9a-f]{16,}\b|[`<>{}[\]|\\*_~\n]|\b\d+ dollars/i);
        expect(said.split(' ').length).toBeLessThanOrEqual(25);
        expect(said).toBe(said.trim());
      }),
      { numRuns: 300 },
    );
  });

  it('takes no time over text that is made to take it', () => {
    for (const piece of ['a', '/', 'a/', '[', '*', '1', '<', '`', 'a.', '((', '_ ', '$1'])
      expect(speakable(piece.repeat(50_000)).length).toBeLessThan(4_001);
  }, 5_000);
});

describe('sentences', () => {
  it('takes the first that says something, not a heading', () => {
    expect(firstSentence('# Report\n\nFixed 3.5 things in v1.2. Then more.')).toBe('Fixed 3.5 things in v1.2.');
    expect(firstSentence('- **All** tests pass\n- more')).toBe('All tests pass');
    expect(firstSentence('')).toBe('');
  });

  it('begins with a capital letter and ends', () => {
    expect([sentence('two jobs started'), sentence('Approve?'), sentence('  ')]).toEqual([
      'Two jobs started.',
      'Approve?',
      '',
    ]);
    expect([counted(0), counted(2), counted(12), counted(13)]).toEqual(['no', 'two', 'twelve', '13']);
  });
});
