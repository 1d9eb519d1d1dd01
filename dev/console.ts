import type { Writable } from 'node:stream';
import { oneLine } from '../platform/text.ts';

/** What a terminal or a pipe gets. Only `ready {...}` and what was asked for go to standard output. */
export interface Console {
  /** One line a child wrote, made readable. */
  child(name: string, line: string): void;
  /** One or more lines of our own. */
  say(text: string): void;
  /** Lines for programs and results, on standard output. */
  print(text: string): void;
}

export interface ConsoleOptions {
  out: Writable;
  err: Writable & { isTTY?: boolean };
  /** Children's lines and our own as JSON objects `{child, ...}`. */
  json: boolean;
  /** Colour even without a terminal, or none on one; default: as the terminal is. */
  colour?: boolean;
}

/** Bytes waiting for a reader who does not read; beyond, children's lines are dropped and counted, never queued. */
const MAX_PENDING_BYTES = 1_000_000;
const NAME_WIDTH = 9;
const COLOURS = [36, 35, 33, 32, 34];
const LEVELS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};
/** Fields every log line has; a person does not need them. */
const PLUMBING = new Set(['level', 'time', 'ts', 'pid', 'hostname', 'name', 'v', 'msg', 'logging-call-at']);
const MAX_FIELDS = 6;

const parseObject = (line: string): Record<string, unknown> | null => {
  if (!line.startsWith('{')) return null;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
};

const fieldText = (value: unknown): string => {
  if (typeof value === 'string')
    return /^[^\s"=]+$/.test(value) ? oneLine(value, 160) : JSON.stringify(oneLine(value, 160));
  if (value !== null && typeof value === 'object' && 'message' in value) return fieldText(value.message);
  return oneLine(JSON.stringify(value) ?? '', 160);
};

/** A log line as a person reads it: level unless it is info, message, then a few fields. Other lines as they are. */
export const readable = (line: string): { level: string; text: string } => {
  const entry = parseObject(line);
  if (!entry || !('msg' in entry)) return { level: 'info', text: oneLine(line, 2_000) };
  const raw = entry['level'];
  const level =
    typeof raw === 'number' ? (LEVELS[raw] ?? 'info') : typeof raw === 'string' ? raw.toLowerCase() : 'info';
  const fields = Object.entries(entry)
    .filter(([name]) => !PLUMBING.has(name))
    .slice(0, MAX_FIELDS)
    .map(([name, value]) => `${name}=${fieldText(value)}`);
  const message = typeof entry['msg'] === 'string' ? oneLine(entry['msg'], 400) : fieldText(entry['msg']);
  return { level, text: [level === 'info' ? '' : level, message, ...fields].filter(Boolean).join(' ') };
};

const levelColour = (level: string): number | null =>
  level === 'warn' ? 33 : level === 'error' || level === 'fatal' ? 31 : null;

export const createConsole = ({ out, err, json, colour = err.isTTY === true }: ConsoleOptions): Console => {
  const names: string[] = [];
  let dropped = 0;
  // A reader who goes away (`make dev | head -1`) must not end the stack.
  out.on('error', () => undefined);
  err.on('error', () => undefined);

  const paint = (code: number | null, text: string): string =>
    colour && code !== null ? `\u001b[${code}m${text}\u001b[0m` : text;
  const colourOf = (name: string): number => {
    if (!names.includes(name)) names.push(name);
    return COLOURS[names.indexOf(name) % COLOURS.length] ?? 0;
  };
  const prefixed = (name: string, line: string): string => {
    if (json) return JSON.stringify({ child: name, ...(parseObject(line) ?? { msg: line }) });
    const { level, text } = readable(line);
    return `${paint(colourOf(name), `${name.padEnd(NAME_WIDTH)}|`)} ${paint(levelColour(level), text)}`;
  };
  const own = (text: string): string => (json ? JSON.stringify({ child: 'dev', msg: text }) : text);

  return {
    child: (name, line) => {
      if (line.trim() === '') return;
      if (err.writableLength > MAX_PENDING_BYTES) {
        dropped += 1;
        return;
      }
      if (dropped > 0) err.write(`${own(`(${dropped} lines were dropped: nobody read them)`)}\n`);
      dropped = 0;
      err.write(`${prefixed(name, line)}\n`);
    },
    say: (text) => void err.write(`${own(text)}\n`),
    print: (text) => void out.write(`${text}\n`),
  };
};
