import { defaultPayloadConverter } from '@temporalio/common';
import type { Payload } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { temporal } from '@temporalio/proto';
import { TaskMemo } from '../task-engine.ts';
import type { Run, RunStatus } from '../task-engine.ts';

const { WorkflowExecutionStatus: STATUS } = proto.temporal.api.enums.v1;

/** A closed run that continued as new is not over; the newest run of its id says how it stands. */
const STATUSES: Readonly<Record<number, RunStatus>> = {
  [STATUS.WORKFLOW_EXECUTION_STATUS_RUNNING]: 'running',
  [STATUS.WORKFLOW_EXECUTION_STATUS_PAUSED]: 'running',
  [STATUS.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW]: 'running',
  [STATUS.WORKFLOW_EXECUTION_STATUS_COMPLETED]: 'completed',
  [STATUS.WORKFLOW_EXECUTION_STATUS_FAILED]: 'failed',
  [STATUS.WORKFLOW_EXECUTION_STATUS_CANCELED]: 'cancelled',
  [STATUS.WORKFLOW_EXECUTION_STATUS_TERMINATED]: 'terminated',
  [STATUS.WORKFLOW_EXECUTION_STATUS_TIMED_OUT]: 'timed_out',
};

type Timestamp = { seconds?: { toNumber(): number } | number | null; nanos?: number | null };

const isoOf = (time: Timestamp | null | undefined): string | null => {
  if (time?.seconds == null) return null;
  const seconds = typeof time.seconds === 'number' ? time.seconds : time.seconds.toNumber();
  return new Date(seconds * 1_000 + Math.floor((time.nanos ?? 0) / 1e6)).toISOString();
};

/** Search attributes are plain JSON on the wire, whatever their type. */
const attributeOf = (fields: Record<string, Payload> | null | undefined, name: string): unknown => {
  const data = fields?.[name]?.data;
  if (!data) return null;
  const value = JSON.parse(Buffer.from(data).toString('utf8')) as unknown;
  return Array.isArray(value) ? (value[0] ?? null) : value;
};

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

const memoOf = (fields: Record<string, Payload> | null | undefined): TaskMemo | null => {
  const parsed = TaskMemo.safeParse(
    Object.fromEntries(
      Object.entries(fields ?? {}).map(([name, payload]) => [
        name,
        defaultPayloadConverter.fromPayload<unknown>(payload),
      ]),
    ),
  );
  return parsed.success ? parsed.data : null;
};

/** What we want to know of a workflow, from the server's own message. */
export const runOf = (info: temporal.api.workflow.v1.IWorkflowExecutionInfo): Run => {
  const attributes = info.searchAttributes?.indexedFields;
  const cost = attributeOf(attributes, 'CostUsd');
  return {
    workflowId: info.execution?.workflowId ?? '',
    runId: info.execution?.runId ?? '',
    status: STATUSES[info.status ?? 0] ?? 'running',
    startedAt: isoOf(info.startTime) ?? new Date(0).toISOString(),
    closedAt: isoOf(info.closeTime),
    memo: memoOf(info.memo?.fields),
    attributes: {
      traceId: textOf(attributeOf(attributes, 'TraceId')),
      sessionId: textOf(attributeOf(attributes, 'SessionId')),
      agent: textOf(attributeOf(attributes, 'Agent')),
      outcome: textOf(attributeOf(attributes, 'Outcome')),
      utterance: textOf(attributeOf(attributes, 'Utterance')),
      costUsd: typeof cost === 'number' ? cost : null,
    },
  };
};
