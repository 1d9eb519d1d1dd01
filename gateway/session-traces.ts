import { z } from 'zod';
import { voiceTaskId } from '../contracts/names.ts';
import { TraceId } from '../contracts/task.ts';
import { sha256Of } from '../platform/artifacts.ts';
import type { ArtifactStore } from '../platform/artifacts.ts';
import { messageOf } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import { quoted, untilAnswered } from './task-engine.ts';
import type { Run, TaskEngine } from './task-engine.ts';

/** Tasks of one session that are found again, the newest; a speaker starts fewer in a week. */
const MAX_TASKS = 1_000;
const PAGE = 200;
/** Tasks of earlier sessions that one session answers for; and sessions that have any. The oldest go first. */
const MAX_ADOPTED = 200;
const MAX_SESSIONS = 100;

/** Which tasks a session hears of: its own, as Temporal knows them, and those it brought for an earlier one. */
export interface SessionTraces {
  /** One run a task, oldest first; waits for a Temporal that is away. @throws the signal's reason */
  of(sessionId: string, signal: AbortSignal): Promise<Run[]>;
  /** A task of another session whose transcript this one brought. Durable when it resolves, unless the disk refuses. */
  adopt(sessionId: string, traceId: string): Promise<void>;
}

const Saved = z.object({ traces: z.array(TraceId) });
const keyOf = (sessionId: string): string => `links/${sha256Of(sessionId)}`;

export const createSessionTraces = (deps: {
  engine: Pick<TaskEngine, 'list' | 'describe'>;
  /** A small durable store. */
  state: Pick<ArtifactStore, 'getRef' | 'setRef'>;
  log: Log;
}): SessionTraces => {
  const { engine, state, log } = deps;
  const adopted = new Map<string, Promise<Set<string>>>();
  let writing: Promise<void> = Promise.resolve();

  const read = async (sessionId: string): Promise<Set<string>> => {
    const saved = Saved.safeParse(await state.getRef(keyOf(sessionId)).catch(() => null));
    return new Set(saved.success ? saved.data.traces : []);
  };
  const adoptedBy = (sessionId: string): Promise<Set<string>> => {
    const traces = adopted.get(sessionId) ?? read(sessionId);
    adopted.delete(sessionId);
    adopted.set(sessionId, traces);
    for (const oldest of adopted.keys()) {
      if (adopted.size <= MAX_SESSIONS) break;
      adopted.delete(oldest);
    }
    return traces;
  };

  const listed = async (sessionId: string, signal: AbortSignal): Promise<Run[]> => {
    const runs: Run[] = [];
    const query = `WorkflowType = 'voiceTask' AND SessionId = ${quoted(sessionId)}`;
    let cursor: string | null = null;
    do {
      const page: { runs: Run[]; next: string | null } = await untilAnswered(
        () => engine.list(query, { limit: PAGE, cursor }),
        signal,
      );
      runs.push(...page.runs);
      cursor = page.next;
    } while (cursor !== null && runs.length < MAX_TASKS);
    return runs;
  };

  return {
    of: async (sessionId, signal) => {
      const own = await listed(sessionId, signal);
      const others = [...(await adoptedBy(sessionId))];
      const described = await Promise.all(
        others.map((traceId) => untilAnswered(() => engine.describe(voiceTaskId(traceId)), signal)),
      );
      const runs = new Map<string, Run>();
      // The newest run of an id comes first in the list.
      for (const run of [...own, ...described]) if (run && !runs.has(run.workflowId)) runs.set(run.workflowId, run);
      return [...runs.values()].sort((a, b) => Date.parse(a.startedAt) - Date.parse(b.startedAt));
    },
    adopt: (sessionId, traceId) => {
      writing = writing
        .then(async () => {
          const traces = await adoptedBy(sessionId);
          if (traces.has(traceId)) return;
          traces.add(traceId);
          for (const oldest of traces) {
            if (traces.size <= MAX_ADOPTED) break;
            traces.delete(oldest);
          }
          await state.setRef(keyOf(sessionId), { traces: [...traces] });
        })
        .catch((error: unknown) =>
          log.warn({ error: messageOf(error) }, 'a task of an earlier session cannot be noted; known while this runs'),
        );
      return writing;
    },
  };
};
