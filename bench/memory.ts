import { readFileSync } from 'node:fs';
import { openLab } from '../tests/fakes/lab.ts';
import { boundFigure, ratioFigure } from './figures.ts';
import type { Benchmark } from './figures.ts';
import type { TestProcess } from '../tests/fakes/processes.ts';

const TASKS = 100;
const AT_ONCE = 8;

/** Resident memory in MB, millions of bytes (Linux). */
const residentMb = (process_: TestProcess): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${process_.pid}/status`, 'utf8'))?.[1]) * 1.024e-3;

/** The lowest of several looks: what is held, not what the collector has not yet looked at. */
const settled = async (process_: TestProcess): Promise<number> => {
  const looks: number[] = [];
  for (let look = 0; look < 10; look++) {
    looks.push(residentMb(process_));
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  return Math.min(...looks);
};

export const memory: Benchmark = {
  name: 'memory',
  about: 'memory of worker and gateway, idle and after 100 and 200 tasks of a summary each',
  run: async (say) => {
    const lab = await openLab();
    try {
      const [worker, gateway] = await Promise.all([lab.worker(), lab.gateway()]);
      const processes = { worker, gateway };
      const measure = async (): Promise<Record<'worker' | 'gateway', number>> => ({
        worker: await settled(worker),
        gateway: await settled(gateway),
      });
      const batch = async (): Promise<void> => {
        let left = TASKS;
        const lane = async (): Promise<void> => {
          while (left-- > 0) {
            const answer = await lab.post(gateway, '/transcript', {
              text: 'Summarize what happened today.',
              is_final: true,
            });
            if (answer.status !== 202) throw new Error(`not accepted: ${answer.status} ${await answer.text()}`);
            const { trace_id } = (await answer.json()) as { trace_id: string };
            await lab.finished(gateway, trace_id);
          }
        };
        await Promise.all(Array.from({ length: AT_ONCE }, lane));
      };
      say('idle');
      const idle = await measure();
      say(`${TASKS} tasks`);
      await batch();
      const hundred = await measure();
      say(`${TASKS} tasks more`);
      await batch();
      const twoHundred = await measure();
      const limits = { worker: 350, gateway: 160 } as const;
      return (Object.keys(processes) as ('worker' | 'gateway')[]).flatMap((name) => [
        boundFigure({ figure: `${name} memory, idle`, value: idle[name], unit: 'MB', atMost: limits[name] }),
        boundFigure({
          figure: `${name} memory after ${2 * TASKS} tasks`,
          value: twoHundred[name],
          unit: 'MB',
          atMost: limits[name],
        }),
        ratioFigure({
          figure: `${name} memory after ${2 * TASKS} tasks`,
          value: twoHundred[name],
          unit: 'MB',
          against: { what: `after ${TASKS}`, value: hundred[name] },
          goal: { atMost: 1.05 },
        }),
      ]);
    } finally {
      await lab.close();
    }
  },
};
