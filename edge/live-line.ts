import { oneLine } from '../platform/text.ts';

/** What the edge is doing, as one word. */
export type Activity =
  | 'starting'
  | 'listening'
  | 'hearing'
  | 'sending'
  | 'waiting'
  | 'speaking'
  | 'muted'
  | 'no microphone'
  | 'no recogniser'
  | 'no gateway';

export interface LiveState {
  activity: Activity;
  /** Loudness of the last frame, dB below full scale; -Infinity for silence. */
  levelDbfs: number;
  /** What is being said, as far as it is understood. */
  partial: string;
  /** Tasks that are running. */
  tasks: number;
  /** Finals the gateway has not taken yet. */
  unsent: number;
}

const BAR_CELLS = 10;
/** The quietest sound that shows; a quiet room is at about -60. */
const FLOOR_DBFS = -60;
const ACTIVITY_WIDTH = 13;

/** A bar of ten cells, empty at -60 dBFS and full at 0. */
export const levelBar = (dbfs: number): string => {
  const share = Math.min(1, Math.max(0, (dbfs - FLOOR_DBFS) / -FLOOR_DBFS));
  const full = Math.round(share * BAR_CELLS);
  return '█'.repeat(full) + '·'.repeat(BAR_CELLS - full);
};

/** The one line that is always there, never wider than the terminal. */
export const liveLine = (state: LiveState, columns: number): string => {
  const counts = [
    ...(state.tasks > 0 ? [`${state.tasks} running`] : []),
    ...(state.unsent > 0 ? [`${state.unsent} not sent`] : []),
  ].join(', ');
  const head = `${state.activity.padEnd(ACTIVITY_WIDTH)} ${levelBar(state.levelDbfs)}${counts ? `  ${counts}` : ''}`;
  const room = columns - head.length - 3;
  const partial = oneLine(state.partial, 10_000);
  // The newest words matter: a long sentence shows its end.
  const tail = partial.length <= room ? partial : room > 1 ? `…${partial.slice(partial.length - room + 1)}` : '';
  return oneLineOf(`${head}${tail ? `  ${tail}` : ''}`, columns - 1);
};

const oneLineOf = (text: string, most: number): string => text.slice(0, Math.max(0, most));
