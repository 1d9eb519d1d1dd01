import { EXIT } from '../contracts/exit-codes.ts';
import type { ExitCode } from '../contracts/exit-codes.ts';
import type { FinalReply } from '../contracts/replies.ts';
import type { TraceEvent } from '../contracts/trace-event.ts';

/** What matters most comes first. */
const WORST_FIRST: readonly ExitCode[] = [EXIT.unreachable, EXIT.failed, EXIT.unanswered, EXIT.succeeded];

/** Keeps the books of one run: what was said, what became of it, and whether anything is still open. */
export interface Outcome {
  begun(utteranceId: string): void;
  /** Nothing will become of it: noise, an echo, silence. */
  dropped(utteranceId: string): void;
  /** It could not be turned into text. */
  lost(utteranceId: string): void;
  acked(utteranceId: string, reply: FinalReply): void;
  refused(utteranceId: string): void;
  task(event: TraceEvent): void;
  /** Sentences without a word of the gateway. */
  readonly undelivered: number;
  /** Tasks that are running. */
  readonly tasks: number;
  /** Everything that was said was taken, and every task has ended. */
  readonly isSettled: boolean;
  /** Of all of it; `undelivered` sentences count as not reached. */
  exitCode(): ExitCode;
}

const codeOfReply = (reply: FinalReply): ExitCode =>
  reply.status === 'control' && reply.outcome === 'done' ? EXIT.succeeded : EXIT.unanswered;

/** Whether a task's last event says that all of it succeeded. */
const codeOfEnd = ({ phase, payload }: TraceEvent): ExitCode =>
  phase === 'completed' && (payload['outcome'] ?? 'succeeded') === 'succeeded' ? EXIT.succeeded : EXIT.failed;

export const createOutcome = (): Outcome => {
  const open = new Set<string>();
  const running = new Set<string>();
  /** Ends that came before the acknowledgement of their sentence. */
  const ended = new Map<string, ExitCode>();
  /** By trace, so that the answer to a question takes its place; by utterance where there is none. */
  const codes = new Map<string, ExitCode>();

  return {
    begun: (utteranceId) => void open.add(utteranceId),
    dropped: (utteranceId) => void open.delete(utteranceId),
    lost: (utteranceId) => {
      open.delete(utteranceId);
      codes.set(utteranceId, EXIT.unreachable);
    },
    acked: (utteranceId, reply) => {
      open.delete(utteranceId);
      if (reply.status !== 'accepted') codes.set(reply.trace_id, codeOfReply(reply));
      else if (!ended.has(reply.trace_id)) {
        codes.delete(reply.trace_id);
        running.add(reply.trace_id);
      }
    },
    refused: (utteranceId) => {
      open.delete(utteranceId);
      codes.set(utteranceId, EXIT.failed);
    },
    task: (event) => {
      if (event.job_id !== null || !['completed', 'failed', 'cancelled'].includes(event.phase)) return;
      running.delete(event.trace_id);
      ended.set(event.trace_id, codeOfEnd(event));
      codes.set(event.trace_id, codeOfEnd(event));
      // A day of talking: enough to know an end that overtakes its acknowledgement.
      if (ended.size > 1_000) ended.delete(ended.keys().next().value ?? '');
    },
    get undelivered() {
      return open.size;
    },
    get tasks() {
      return running.size;
    },
    get isSettled() {
      return open.size === 0 && running.size === 0;
    },
    exitCode: () => {
      if (open.size > 0) return EXIT.unreachable;
      if (running.size > 0) return EXIT.failed;
      return WORST_FIRST.find((code) => [...codes.values()].includes(code)) ?? EXIT.unanswered;
    },
  };
};
