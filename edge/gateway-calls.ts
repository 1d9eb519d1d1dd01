import { z } from 'zod';
import type { FinalReply, Problem } from '../contracts/replies.ts';
import type { TaskResult } from '../contracts/task.ts';
import type { Transcript } from '../contracts/transcript.ts';

/** `type` of the problems that are found on this side of the wire. */
export const LOCAL_PROBLEMS = {
  /** Nothing listens, the connection broke, no answer in time. */
  unreachable: 'urn:dual:edge:unreachable',
  /** What answers there does not speak as a gateway does. */
  stranger: 'urn:dual:edge:not-a-gateway',
  /** This process has no token to show. */
  noToken: 'urn:dual:edge:no-token',
  /** It does not have the form the gateway asks for, so it was never sent. */
  unsendable: 'urn:dual:edge:unsendable',
} as const;

/** Why a request was not answered as wished. */
export interface CallFailure {
  ok: false;
  /** null: there was no answer. */
  status: number | null;
  /** What the gateway said; one of `LOCAL_PROBLEMS` where it said nothing that can be read. */
  problem: Problem;
  /** null: the gateway does not ask to wait. */
  retryAfterMs: number | null;
}
export type CallResult<T> = { ok: true; status: number; reply: T } | CallFailure;

/** What the gateway answers to a command. */
export const Received = z.strictObject({ status: z.literal('received') });
export type Received = z.infer<typeof Received>;

/** The person's word on what a job waits for. */
export interface ApprovalAnswer {
  approvalId: string;
  decision: 'approve' | 'reject';
  note?: string;
}

/** The gateway over HTTP. Nothing here throws or rejects; an aborted signal is a failure without status. */
export interface GatewayCalls {
  /** For people: where the gateway is. */
  readonly url: string;
  submit(final: Transcript, signal?: AbortSignal): Promise<CallResult<FinalReply>>;
  /** Also a number that needs no turn, see `Forwarder.skip`. */
  partial(partial: Transcript, signal?: AbortSignal): Promise<CallResult<unknown>>;
  task(traceId: string, signal?: AbortSignal): Promise<CallResult<TaskResult>>;
  cancel(traceId: string, reason?: string, signal?: AbortSignal): Promise<CallResult<Received>>;
  answerApproval(jobId: string, answer: ApprovalAnswer, signal?: AbortSignal): Promise<CallResult<Received>>;
  alive(signal?: AbortSignal): Promise<CallResult<unknown>>;
}

/** A failure that was found on this side. */
export const localFailure = (
  kind: keyof typeof LOCAL_PROBLEMS,
  title: string,
  status: number | null = null,
): CallFailure => ({
  ok: false,
  status,
  problem: { type: LOCAL_PROBLEMS[kind], title, status: status ?? 0 },
  retryAfterMs: null,
});

/** A longer wait than this is not believed: ten minutes, as the command line. */
const MOST_RETRY_AFTER_MS = 600_000;

/** A Retry-After header in milliseconds. Only the form in seconds: a date would need both clocks to agree. */
export const retryAfterMs = (header: string | undefined): number | null =>
  header !== undefined && /^\s*\d{1,9}(\.\d+)?\s*$/.test(header)
    ? Math.min(Number(header) * 1_000, MOST_RETRY_AFTER_MS)
    : null;
