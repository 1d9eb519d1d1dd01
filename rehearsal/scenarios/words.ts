import type { Workspace } from '../code/hands.ts';
import { CLUE_FILES } from '../code/test-command.ts';
import type { TestReport } from '../code/test-output.ts';
import type { Job } from '../program.ts';

/** Where keys go; every answer that a model would have given better ends with it. */
export const HOW_TO_SET_KEYS =
  'For a real model, set ANTHROPIC_API_KEY (coding, summaries) and GEMINI_API_KEY (browser) in .env.wsl and start again.';

/** One line for each failing test, as far as the output tells. */
export const failureLines = (report: TestReport): string[] =>
  report.failures.map(({ name, file, line, expected, actual }) => {
    const place = file === null ? '' : ` (${file}${line === null ? '' : `:${line}`})`;
    const values = expected === null ? '' : `: expected ${expected}, got ${actual}`;
    return `- ${name}${place}${values}`;
  });

export const noCommandText = (workspace: Workspace): string =>
  `I found no way to run tests here: none of ${CLUE_FILES.join(', ')} says how, and there are no test files among ${workspace.files.length} files. I changed nothing.`;

export const needsHands = (job: Job, what: string): string =>
  `This needs ${what}, and this agent was given ${job.conversation.tools.size === 0 ? 'no tools' : [...job.conversation.tools].join(', ')}. I did nothing. ${HOW_TO_SET_KEYS}`;
