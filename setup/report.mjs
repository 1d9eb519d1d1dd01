// What set-up says: on standard error, so that a command's own output stays clean for programs.

/** A step that cannot be done: what is missing, and the one thing to type. */
export class CannotDo extends Error {
  constructor(problem, type) {
    super(problem);
    this.type = type;
  }
}

/** One line of a step: what it looked for, what it found and where. */
export const say = (step, text) => void process.stderr.write(`set-up  ${step.padEnd(10)}  ${text}\n`);

/** The last lines of a tool's output, indented, for a person who has to see why it failed. */
export const tail = (output, lines = 8) =>
  output
    .trimEnd()
    .split('\n')
    .slice(-lines)
    .map((line) => `          | ${line}`)
    .join('\n');
