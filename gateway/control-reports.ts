import { QUERIES, voiceTaskId } from '../contracts/names.ts';
import type { JobResult } from '../contracts/task.ts';
import { costSentence, counted, sentence, shown, statusSentence } from './spoken-reports.ts';
import { isPlace, jobAt, SEVERAL } from './steered-tasks.ts';
import type { Performed, SteeredTask, SteeredTasks } from './steered-tasks.ts';
import type { TaskEngine } from './task-engine.ts';
import type { TaskStatus } from './task-status.ts';

/** Tasks one answer tells of; more are too many to listen to. */
const MAX_TOLD = 5;

export interface ControlReports {
  /** @throws EngineUnavailable from both. */
  status(sessionId: string | null, target: string): Promise<Performed>;
  cost(sessionId: string | null, target: string): Promise<Performed>;
}

export interface ControlReportDeps {
  engine: Pick<TaskEngine, 'query'>;
  tasks: Pick<SteeredTasks, 'last' | 'running'>;
  status: Pick<TaskStatus, 'task'>;
}

/** What is told of one task: some of its jobs, or all. */
interface Told {
  utterance: string;
  jobs: JobResult[];
  /** All of them, by which each gets a name of its own. */
  among: JobResult[];
  /** No worker answered: it is put together from what Temporal knows. */
  silent: boolean;
}

type Sentence = (jobs: readonly JobResult[], among: readonly JobResult[]) => string;

const NOTHING: Performed = { outcome: 'nothing', message: 'nothing has been asked for yet' };

/** Answers to "how is it going" and "how much did that cost", as sentences that can be read out. */
export const createControlReports = ({ engine, tasks, status }: ControlReportDeps): ControlReports => {
  const look = async ({ traceId, running }: SteeredTask, about: (job: JobResult) => boolean): Promise<Told[]> => {
    const [task, answer] = await Promise.all([
      status.task(traceId),
      running ? engine.query(voiceTaskId(traceId), QUERIES.status) : null,
    ]);
    const jobs = task?.jobs.filter(about) ?? [];
    if (!task || jobs.length === 0) return [];
    const silent = running && answer === null && task.completed_at === null;
    return [{ utterance: task.utterance, jobs, among: task.jobs, silent }];
  };

  const tell = (told: readonly Told[], say: Sentence, more = ''): Performed => {
    const [only] = told;
    if (!only) return NOTHING;
    const sentences = told.map(({ utterance, jobs, among }) =>
      told.length > 1 ? `"${shown(utterance)}": ${say(jobs, among)}` : say(jobs, among),
    );
    const silent = told.some((one) => one.silent) ? 'No worker answers now, so this may be out of date. ' : '';
    return { outcome: 'done', message: silent + sentences.join(' ') + more };
  };

  /** Of the task asked for last, or of one of its jobs. */
  const ofLast = async (
    sessionId: string | null,
    place: string | null,
    say: Sentence,
    more: (task: SteeredTask) => Promise<string> = async () => '',
  ): Promise<Performed> => {
    const last = await tasks.last(sessionId);
    if (last === 'several') return SEVERAL;
    if (last === null) return NOTHING;
    const id = place === null ? null : jobAt(last, place)?.job_id;
    if (id === undefined)
      return { outcome: 'nothing', message: `the last task has ${counted(last.jobs.length, 'job')}` };
    return tell(await look(last, ({ job_id }) => id === null || job_id === id), say, await more(last));
  };

  const ofAll = async (sessionId: string | null, say: Sentence): Promise<Performed> => {
    const running = await tasks.running(sessionId, MAX_TOLD + 1);
    if (running.length === 0) return ofLast(sessionId, null, say);
    const told = await Promise.all(running.slice(0, MAX_TOLD).map((task) => look(task, () => true)));
    return tell(told.flat(), say, running.length > MAX_TOLD ? ' More tasks run.' : '');
  };

  /** The agent's jobs of the last task, over or not; else of the tasks that run. */
  const ofAgent = async (sessionId: string | null, agent: string, say: Sentence): Promise<Performed> => {
    const last = await tasks.last(sessionId);
    const has = (task: SteeredTask): boolean => task.jobs.some((job) => job.agent === agent);
    const found =
      last !== null && last !== 'several' && has(last)
        ? [last]
        : (await tasks.running(sessionId)).filter(has).slice(0, MAX_TOLD);
    if (found.length === 0) return { outcome: 'nothing', message: `no ${agent} job runs` };
    const told = await Promise.all(found.map((task) => look(task, (job) => job.agent === agent)));
    return tell(told.flat(), say);
  };

  const report = (
    sessionId: string | null,
    target: string,
    say: Sentence,
    more?: (task: SteeredTask) => Promise<string>,
  ): Promise<Performed> => {
    if (target === 'last') return ofLast(sessionId, null, say, more);
    if (target === 'all') return ofAll(sessionId, say);
    return isPlace(target) ? ofLast(sessionId, target, say) : ofAgent(sessionId, target, say);
  };

  return {
    status: (sessionId, target) =>
      report(sessionId, target, statusSentence, async ({ traceId }) => {
        const others = (await tasks.running(sessionId)).filter((task) => task.traceId !== traceId).length;
        return others === 0
          ? ''
          : ` ${sentence(counted(others, 'other task'))} ${others === 1 ? 'runs' : 'run'} as well.`;
      }),
    cost: (sessionId, target) => report(sessionId, target, costSentence),
  };
};
