import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { fromRoot } from '../../../../platform/env.ts';
import { controlOf } from '../../../../skills/routing/control.ts';
import { CONTROL_PHRASES, spelledOut } from '../../../../skills/routing/control-phrases.ts';

const AGENTS = ['coding', 'browser', 'summarize', 'evaluation', 'deployment', 'site-check'];
/** `action target` of a sentence, or `-`. */
const read = (text: string): string => {
  const control = controlOf(text, AGENTS);
  return control ? `${control.action} ${control.target}` : '-';
};

/** One action with its target, and ways to say it. */
const SAID: Record<string, string[]> = {
  'cancel last': [
    'stop',
    'Stop!',
    'stop, stop, stop',
    'please abort the current job',
    'cancel that',
    'Cancel that, please.',
    'never mind',
    'nevermind',
    'forget it',
    'call it off',
    'halt',
    'kill the last job',
    'um could you please stop that now',
    'hey computer, stop',
    'actually, cancel that',
    'oh no wait, stop',
    'no, stop it',
    'would you mind stopping that',
    "stop what you're doing",
    'end the job',
    'cancel job',
    'cancel my last request',
    'you know what, cancel that',
    'cancel the most recent one',
  ],
  'cancel all': [
    'stop everything',
    'cancel all jobs',
    'abort all of them',
    'cancel every job',
    'kill all running jobs',
  ],
  'cancel browser': [
    'cancel whatever the browser agent is doing',
    'stop the browser',
    "cancel the browser agent's job",
    'cancel the job of the browser agent',
    'stop all browser jobs',
  ],
  'cancel coding': ['could you cancel the coding job please', 'stop the coder', 'cancel the current coding task'],
  'cancel deployment': ['cancel the deployment'],
  'cancel site-check': ['cancel the site check', 'stop the site-check agent'],
  'cancel 1': ['abort number one', 'cancel the first one', 'no, cancel the first job'],
  'cancel 2': ['cancel job two', 'stop task number 2', 'cancel the 2nd job', 'stop the second'],
  'cancel 3': ['um stop the third job'],
  'status last': [
    'status',
    "what's the status",
    'what is the status?',
    "how's it going",
    'Are you done yet?',
    'are you done',
    'is it finished',
    'what are you doing',
    "what's running",
    'progress',
    'any news',
    'where are we',
    'how far are you',
    'can you tell me what the status is',
    'give me a status update',
    'I want to know the status',
    "what's the status right now",
    'is the job done already',
    'is anything still running',
  ],
  'status coding': ['how is the coding agent getting on', 'what is the coding agent doing', 'status of the coding job'],
  'status summarize': ["how's the summary coming along"],
  'status 1': ['uh how far is the first one', 'has the first job finished yet'],
  'status 2': ['what is the status of job two'],
  'status all': ['what is the status of all jobs'],
  'approve last': [
    'approve',
    'approved',
    'approve that',
    'approve it, please',
    'Approved, you may continue.',
    'yes, approve',
    'yes go ahead',
    'yes, do it',
    'yes, please do it',
    'go ahead',
    'confirmed',
    'permission granted',
    'allow it',
    'you may proceed',
    'okay, approved',
    'sounds good, go ahead',
    'approve it and continue',
  ],
  'approve coding': ['approve the coding job'],
  'approve 2': ['yes, approve the second one'],
  'reject last': [
    'reject it',
    'no, reject it',
    'deny',
    'denied',
    "no, don't do it",
    "no, don't",
    "don't do that",
    'refuse',
    'okay orchestrator I refuse that',
    'not allowed',
    "that's not allowed",
    'decline it',
    'do not approve that',
    'permission denied',
  ],
  'reject deployment': ['reject the deployment'],
  'cost last': [
    'how much did that cost',
    'what did that cost',
    "what's the bill",
    'how much have we spent',
    'how much have we spent so far',
    'cost so far',
    'what does it cost so far',
    'how expensive was that',
    'can you tell me how much that cost',
  ],
  'cost 2': ['cost of the second job', 'how much did the second one cost'],
  'cost browser': ['how much did the browser agent cost'],
};

describe('a control word', () => {
  it.each(Object.entries(SAID).flatMap(([wanted, texts]) => texts.map((text) => [text, wanted])))(
    '"%s" is %s',
    (text, wanted) => {
      expect(read(text)).toBe(wanted);
    },
  );

  it('is what every line of the table says it is, and no line is written twice', () => {
    const seen = new Map<string, string>();
    for (const [action, lines] of Object.entries(CONTROL_PHRASES))
      for (const line of lines.flatMap(spelledOut)) {
        expect([line, seen.get(line)]).toEqual([line, undefined]);
        seen.set(line, action);
        // Marks stand for these; "yes:" and "no:" are said.
        const text = line.replace(/^(yes|no): /, '$1 ').replace(/[_%@^]/, 'the second job');
        expect([line, controlOf(text, AGENTS)?.action]).toEqual([line, action]);
      }
    expect(seen.size).toBeGreaterThan(500);
  });

  it('knows the agents it is told of, and no others', () => {
    expect(controlOf('cancel the deployment')).toBeNull();
    expect(controlOf('cancel the coding job')).toEqual({ action: 'cancel', target: 'coding' });
    expect(controlOf('cancel the translation', ['translation'])).toEqual({ action: 'cancel', target: 'translation' });
  });
});

describe('no control word', () => {
  it.each([
    '',
    '   ',
    'yes',
    'no',
    'yes please',
    'do it',
    'hold on',
    'wait',
    'stop by the bakery',
    'cancel that subscription',
    'constructor',
    'stop the __proto__ job',
    'how is the constructor agent doing',
    'status quo',
    'the bus stop in front of the school has been moved',
    'I need to cancel my gym membership',
    'The committee rejected his application twice.',
    "how's it going with the new baby",
    'go ahead and take the last piece of cake',
    'stop the tests',
    'stop coding',
    'drop everything',
    'cancel job one and job two',
    'approve it and stop',
    'make the job stop when the queue is empty',
    'how much did you pay for those shoes',
    'never mind the weather we are going anyway',
    `stop ${'stop '.repeat(100)}`,
  ])('is in "%s"', (text) => {
    expect(read(text)).toBe('-');
  });

  it.each([
    'no, go ahead',
    'no approve it',
    'yes no approve it',
    'go ahead?',
    'should we continue',
    'can we go ahead',
    'yes, we should continue',
    'maybe approve that',
    "let's continue",
  ])('approves anything in "%s": that is no plain yes', (text) => {
    expect(read(text)).toBe('-');
  });

  const skills = readdirSync(fromRoot('skills')).filter((name) => name.endsWith('.json'));
  it.each(skills)('is in the examples of %s', (file) => {
    const skill = JSON.parse(readFileSync(fromRoot(`skills/${file}`), 'utf8')) as {
      examples: string[];
      negative_examples?: string[];
    };
    const lines = [...skill.examples, ...(skill.negative_examples ?? [])];
    expect(lines.filter((line) => read(line) !== '-')).toEqual([]);
  });

  it('is in the lines that are no orders', () => {
    const lines = readFileSync(fromRoot('skills/routing/none-lines.txt'), 'utf8')
      .split('\n')
      .filter((line) => line.trim() !== '' && !line.startsWith('#'));
    expect(lines.length).toBeGreaterThan(300);
    expect(lines.filter((line) => read(line) !== '-')).toEqual([]);
  });

  it('is in a control word with one more word that says something, wherever it stands', () => {
    const more = ['bakery', 'subscription', 'quo', 'music', 'tests', 'because', 'branch'];
    const found: string[] = [];
    for (const text of Object.values(SAID).flat()) {
      const words = text.split(' ');
      for (let at = 0; at <= words.length; at++)
        for (const word of more) {
          const longer = words.toSpliced(at, 0, word).join(' ');
          if (read(longer) !== '-') found.push(longer);
        }
    }
    expect(found).toEqual([]);
  });
});

describe('a "not"', () => {
  it('never leaves an approval, wherever it stands', () => {
    for (const text of Object.values(SAID).flat()) {
      const words = text.split(' ');
      for (const not of ['not', 'never', "don't", 'no'])
        for (let at = 0; at <= words.length; at++)
          expect(read(words.toSpliced(at, 0, not).join(' '))).not.toMatch(/^approve/);
    }
  });
});

describe('the development half of the labelled sentences', () => {
  const lines = readFileSync(fromRoot('evals/routing/development.tsv'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split('\t') as [string, string, string]);

  it('holds control words that are all read, and nothing else is', () => {
    const wrong = lines.filter(([label, , text]) => {
      const said = controlOf(text, AGENTS);
      return (said ? `control:${said.action}:${said.target}` : '') !== (label.startsWith('control:') ? label : '');
    });
    expect(wrong).toEqual([]);
    expect(lines.filter(([label]) => label.startsWith('control:')).length).toBeGreaterThan(10);
  });
});

describe('the time it takes', () => {
  it.each([
    ['words that all begin a phrase', 'stop '.repeat(40)],
    ['words of politeness', 'please '.repeat(28)],
    ['words before the word', 'no yes wait oh '.repeat(13)],
    ['objects', 'status of the job of the coding '.repeat(6)],
    ['letters without end', 'a'.repeat(8_000)],
    ['white space without end', ' '.repeat(8_000)],
  ])('is short for %s', (_what, text) => {
    const started = performance.now();
    for (let n = 0; n < 20; n++) read(text);
    expect(performance.now() - started).toBeLessThan(200);
  });
});
