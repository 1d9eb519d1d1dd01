// One set-up at a time. The lock names its owner, so that a dead one's is taken over, after ending what it left running.
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { killGroup } from './commands.mjs';
import { readJson } from './places.mjs';
import { CannotDo } from './report.mjs';

/** Longer than any set-up: a slow network needs minutes for a gigabyte. */
const PATIENCE_MS = 30 * 60_000;
const POLL_MS = 200;
/** A takeover lasts microseconds; one that is this old belongs to a process that died in it. */
const TAKEOVER_MS = 10_000;

/**
 * When a process started, in clock ticks since boot: tells it from a later one with the same number. Null where /proc is
 * not, `over` for one that only waits to be reaped.
 */
const startOf = (pid) => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? 'over' : (fields[19] ?? null);
  } catch {
    return null;
  }
};
const describe = (pid) => ({ pid, start: startOf(pid) });

const isAlive = ({ pid, start }) => {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (error.code === 'ESRCH') return false;
  }
  return start === null || startOf(pid) === start;
};

const createExclusively = (path, value) => {
  try {
    writeFileSync(path, JSON.stringify(value), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
};

/** Ends the tool that a dead set-up left running (an npm that goes on writing would undo the repair). */
const endLeftover = (tool) => {
  if (!tool) return;
  const now = startOf(tool.pid);
  if (now === null || now === tool.start) killGroup(tool.pid);
};

/** Removes a dead owner's lock, unless another waiter did so first. */
const takeOver = (path, dead) => {
  const takeover = `${path}.takeover`;
  if (!createExclusively(takeover, describe(process.pid))) {
    try {
      if (Date.now() - statSync(takeover).mtimeMs > TAKEOVER_MS) rmSync(takeover, { force: true });
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
    return;
  }
  try {
    const held = readJson(path);
    if (held?.pid === dead?.pid && held?.start === dead?.start) {
      endLeftover(held?.tool);
      rmSync(path, { force: true });
    }
  } finally {
    rmSync(takeover, { force: true });
  }
};

/**
 * Waits for the lock and resolves with `{tool(pid), release()}`. `tool` notes the group of a long-running tool (null when
 * it is over), to be ended by whoever finds this process dead. `onWait(pid)` is called once when somebody else holds it.
 */
export const takeLock = async (path, onWait) => {
  mkdirSync(dirname(path), { recursive: true });
  const mine = { ...describe(process.pid), host: hostname(), tool: null };
  const deadline = Date.now() + PATIENCE_MS;
  let told = false;
  while (!createExclusively(path, mine)) {
    const held = readJson(path);
    // A file without content is one being written, or a crash between its making and its filling.
    const dead = held ? held.host === mine.host && !isAlive(held) : isOlderThan(path, TAKEOVER_MS);
    if (dead) takeOver(path, held);
    else {
      if (!told && held) onWait(held.pid, held.host);
      told ||= held !== null;
      if (Date.now() > deadline)
        throw new CannotDo(`another set-up still holds ${path} after ${PATIENCE_MS / 60_000} minutes`, `rm ${path}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
  return {
    tool: (pid) => {
      mine.tool = pid === null ? null : describe(pid);
      writeFileSync(`${path}.new`, JSON.stringify(mine));
      renameSync(`${path}.new`, path);
    },
    release: () => rmSync(path, { force: true }),
  };
};

const isOlderThan = (path, ms) => {
  try {
    return Date.now() - statSync(path).mtimeMs > ms;
  } catch (error) {
    if (error.code === 'ENOENT') return false;
    throw error;
  }
};
