import { messageOf, OperationError } from '../../platform/errors.ts';
import type { ArtifactStore } from '../../platform/artifacts.ts';
import { oneLine } from '../../platform/text.ts';
import { describeCall } from '../describe-call.ts';
import type { Part, ToolCall, ToolResult } from '../models/model.ts';
import { ACTIONS } from './actions.ts';
import type { CallKey, Claims } from './claims.ts';
import { inTime } from './deadline.ts';
import { shortUrl } from './navigate.ts';
import type { Hands } from './navigate.ts';

/** A page that does not answer is a result, not a hang; the longest honest action is typing 10,000 characters. */
const ACTION_LIMIT_MS = 25_000;
const PICTURE_LIMIT_MS = 5_000;
/** Characters of what is told of a failure: much of it is the page's own words. */
const MAX_FAILURE_CHARS = 500;
/** Characters of a refusal, which may list what there is to choose from. */
const MAX_REFUSAL_CHARS = 1_000;
/** Characters of a whole result; a page report has 8,000. */
const MAX_TEXT_CHARS = 12_000;

/** What the calls of one session share. */
export interface Workbench {
  hands: Hands;
  claims: Claims;
  artifacts: ArtifactStore;
  /** Told of every picture, for the session's list. */
  pictured(key: CallKey, summary: string, sha256: string): void;
}

interface Outcome {
  text: string;
  isError?: boolean;
  unknown?: boolean;
  confirmed?: boolean;
  picture?: boolean;
}

/** PNG of the page as it is now, or a sentence about why there is none. */
const picture = async (bench: Workbench, key: CallKey, summary: string): Promise<Part> => {
  try {
    const png = await inTime(PICTURE_LIMIT_MS, bench.hands.signal, () => bench.hands.window.screenshot());
    const { sha256, media_type } = await bench.artifacts.put(png, { name: 'screenshot.png', mediaType: 'image/png' });
    bench.pictured(key, summary, sha256);
    return { type: 'image', sha256, media_type };
  } catch (error) {
    bench.hands.signal.throwIfAborted();
    return { type: 'text', text: `No screenshot could be taken: ${oneLine(messageOf(error), MAX_FAILURE_CHARS)}` };
  }
};

const conclude = async (bench: Workbench, key: CallKey, call: ToolCall, outcome: Outcome): Promise<ToolResult> => {
  const { window } = bench.hands;
  const summary = describeCall(call);
  const image = outcome.picture === false ? null : await picture(bench, key, summary);
  const said = [outcome.text, ...window.takeNotes()].join('\n');
  const text = said.length <= MAX_TEXT_CHARS ? said : `${said.slice(0, MAX_TEXT_CHARS - 1)}…`;
  return {
    call_id: call.id,
    name: call.name,
    content: [{ type: 'text', text }, ...(image ? [image] : [])],
    is_error: outcome.isError ?? false,
    unknown: outcome.unknown ?? false,
    summary,
    url: shortUrl(window.url()),
    confirmed: outcome.confirmed ?? false,
  };
};

const UNKNOWN =
  'An earlier attempt at this was interrupted, and whether it happened is not known. It was not repeated. The screenshot shows the page as it is now.';

/**
 * One call of the model, from its claim to its picture. What goes wrong is in the result; only a lost window and an
 * aborted signal reject.
 */
export const runCall = async (
  bench: Workbench,
  key: CallKey,
  call: ToolCall,
  confirmed: boolean,
): Promise<ToolResult> => {
  const { hands, claims } = bench;
  const { window, signal } = hands;
  const end = (outcome: Outcome): Promise<ToolResult> => conclude(bench, key, call, { ...outcome, confirmed });
  const action = Object.hasOwn(ACTIONS, call.name) ? ACTIONS[call.name] : undefined;
  if (!action)
    return end({
      text: `There is no action "${call.name}". There are: ${Object.keys(ACTIONS).join(', ')}.`,
      isError: true,
    });
  if (call.confirm !== null && !confirmed)
    return end({ text: 'Not done: a person has to confirm this first, and nobody did.', isError: true });
  let act: ReturnType<typeof action.prepare>;
  try {
    act = action.prepare(call.input);
  } catch (error) {
    return end({ text: `Not done. ${oneLine(messageOf(error), MAX_REFUSAL_CHARS)}`, isError: true });
  }

  if (action.effect) {
    const claim = await claims.take(key);
    if (claim.state === 'done') return claim.result;
    if (claim.state === 'unknown') return end({ text: UNKNOWN, isError: true, unknown: true });
    if (claim.state === 'acted') {
      const result = await end({ text: claim.text });
      await claims.finish(key, result);
      return result;
    }
  }
  let outcome: Outcome;
  try {
    const text = await inTime(ACTION_LIMIT_MS, signal, (own) => act({ ...hands, signal: own }));
    if (action.effect) claims.acted(key, text);
    outcome = { text, picture: action.picture };
  } catch (error) {
    signal.throwIfAborted();
    if (!(await window.alive())) throw new OperationError('SessionLost', 'the browser is gone', { cause: error });
    const refused = error instanceof OperationError && error.type === 'BadInput';
    outcome = refused
      ? { text: `Not done: ${oneLine(error.message, MAX_REFUSAL_CHARS)}`, isError: true }
      : { text: `It failed: ${oneLine(messageOf(error), MAX_FAILURE_CHARS)}`, isError: true, unknown: action.effect };
  }
  if (action.picture) await window.settle(signal);
  const result = await end(outcome);
  if (action.effect) await claims.finish(key, result);
  return result;
};
