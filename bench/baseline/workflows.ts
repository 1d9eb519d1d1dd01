import { executeChild, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';

/** The least a person would write, and the same with as many activities as ours has. */
interface BaselineActivities {
  work(input: string): Promise<string>;
  record(input: string): Promise<void>;
}
const { work } = proxyActivities<BaselineActivities>({ startToCloseTimeout: '1m', retry: { maximumAttempts: 3 } });
const { record } = proxyLocalActivities<BaselineActivities>({ startToCloseTimeout: '5s' });

export async function leastChild(input: string): Promise<string> {
  return work(input);
}

/** Two children with one activity each. */
export async function leastTask(input: string): Promise<string[]> {
  return Promise.all(['1', '2'].map((n) => executeChild(leastChild, { args: [`${input} ${n}`] })));
}

export async function minimalChild(input: string): Promise<string> {
  const result = await work(input);
  await record(result);
  return result;
}

/** Two children with an activity each, and an end recorded by each and by the task, as ours does. */
export async function minimalTask(input: string): Promise<string[]> {
  const results = await Promise.all(['1', '2'].map((n) => executeChild(minimalChild, { args: [`${input} ${n}`] })));
  await record(input);
  return results;
}
