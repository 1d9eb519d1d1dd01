import { closeSync, ftruncateSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Info } from '@temporalio/activity';
import { messageOf } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';

/** What is written while an activity runs, so that a successor can report its end. */
interface Running {
  token: string;
  activity: string;
  queue: string;
}

/** Field 22 of /proc/<pid>/stat: when a process began, which a reused pid does not share. null: no such process. */
const startOf = (pid: number): string | null => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19] ?? null;
  } catch {
    return null; // gone, or a system without /proc: then nothing is reported, and heartbeats find out more slowly
  }
};

/** Reports the failure of one activity of a dead worker to Temporal. */
export type ReportFailure = (running: { token: Uint8Array; activity: string; queue: string }) => Promise<void>;

export interface Journal {
  /** Notes that an activity runs; call the answer when it is over. */
  begin(info: Pick<Info, 'taskToken' | 'activityType' | 'taskQueue'>): () => void;
  close(): void;
}

/**
 * Task tokens of running activities, one file each, in a folder per life of a process. Temporal would need a missed
 * heartbeat (seconds) to see that a killed worker's activities are dead; its successor knows at once.
 * A file is emptied when its activity is over and serves the next one: making and removing it would cost ten times as
 * much.
 */
export const openJournal = (dir: string): Journal => {
  const own = join(dir, `${process.pid}-${startOf(process.pid) ?? '0'}`);
  mkdirSync(own, { recursive: true, mode: 0o700 });
  const files: number[] = [];
  const free: number[] = [];
  let closed = false;
  const openFile = (): number => {
    const file = openSync(join(own, `${files.length}.json`), 'w', 0o600);
    files.push(file);
    return file;
  };
  return {
    begin: (info) => {
      const file = free.pop() ?? openFile();
      const running: Running = {
        token: Buffer.from(info.taskToken).toString('base64'),
        activity: info.activityType,
        queue: info.taskQueue,
      };
      writeSync(file, JSON.stringify(running), 0);
      return () => {
        if (closed) return; // the number may be another file's by now
        ftruncateSync(file);
        free.push(file);
      };
    },
    close: () => {
      closed = true;
      for (const file of files) closeSync(file);
      rmSync(own, { recursive: true, force: true });
    },
  };
};

/** Empty when the folder is not there (any more): a first start, or another worker that starts now has seen to it. */
const filesOf = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};

/** Reports what dead predecessors left running, and removes their folders. Never throws: heartbeats remain as the slow way. */
export const reportDead = async (dir: string, report: ReportFailure, log: Log): Promise<number> => {
  let reported = 0;
  if (startOf(process.pid) === null) return reported; // nobody can be told dead from alive here
  for (const life of filesOf(dir)) {
    const [pid, start] = life.split('-');
    if (startOf(Number(pid)) === start) continue;
    const folder = join(dir, life);
    for (const file of filesOf(folder)) {
      try {
        const text = readFileSync(join(folder, file), 'utf8');
        if (text === '') continue;
        const running = JSON.parse(text) as Running;
        await report({ ...running, token: Buffer.from(running.token, 'base64') });
        reported += 1;
      } catch (error) {
        log.warn(
          { file, error: messageOf(error) },
          'activity of a dead worker could not be reported; its heartbeat will tell',
        );
      }
    }
    rmSync(folder, { recursive: true, force: true });
  }
  return reported;
};
