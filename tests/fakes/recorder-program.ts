import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A program in place of sox: it notes its pid, words and environment in `notes`, then does what `body` says. */
export interface RecorderProgram {
  readonly command: string;
  /** What it noted when it started. @throws when it did not start yet */
  notes(): { pid: number; args: string[]; env: Record<string, string> };
  isRunning(): boolean;
  remove(): void;
}

/** `body`: JavaScript with `write(bytes)` to standard output. Runs where scripts have a first line: not on Windows. */
export const createRecorderProgram = (body: string): RecorderProgram => {
  const folder = mkdtempSync(join(tmpdir(), 'dual-recorder-'));
  const command = join(folder, 'sox');
  const notesFile = join(folder, 'notes.json');
  writeFileSync(
    command,
    `#!${process.execPath}
const { writeFileSync } = require('node:fs');
writeFileSync(${JSON.stringify(notesFile)}, JSON.stringify({ pid: process.pid, args: process.argv.slice(2), env: process.env }));
const write = (bytes) => process.stdout.write(Buffer.from(bytes));
process.stdout.on('error', () => process.exit(1));
${body}
`,
  );
  chmodSync(command, 0o755);
  const notes: RecorderProgram['notes'] = () =>
    JSON.parse(readFileSync(notesFile, 'utf8')) as ReturnType<RecorderProgram['notes']>;
  return {
    command,
    notes,
    isRunning: () => {
      try {
        process.kill(notes().pid, 0);
        return true;
      } catch {
        return false;
      }
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
};
