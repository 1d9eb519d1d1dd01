import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { EdgeEvent } from '../../../edge/edge-events.ts';
import { createFace } from '../../../edge/face.ts';
import { levelBar, liveLine } from '../../../edge/live-line.ts';
import type { LiveState } from '../../../edge/live-line.ts';

const QUIET: LiveState = { activity: 'listening', levelDbfs: -Infinity, partial: '', tasks: 0, unsent: 0 };
const TRACE = 'a'.repeat(32);
const event = (fields: Partial<EdgeEvent> & Pick<EdgeEvent, 'event'>): EdgeEvent => ({
  atMs: 0,
  audioMs: 0,
  utteranceId: 'u-1',
  ...fields,
});

describe('the live line', () => {
  it('shows what is going on, the level and the words', () => {
    expect(liveLine(QUIET, 80)).toBe('listening     ··········');
    expect(liveLine({ activity: 'hearing', levelDbfs: -30, partial: 'refactor the', tasks: 2, unsent: 1 }, 80)).toBe(
      'hearing       █████·····  2 running, 1 not sent  refactor the',
    );
  });

  it('keeps the newest words of a long sentence', () => {
    const line = liveLine({ ...QUIET, partial: `${'early '.repeat(50)}newest words` }, 60);
    expect(line).toMatch(/…[a-z ]*newest words$/);
  });

  it('is never wider than the terminal, whatever happens', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.integer({ min: 1, max: 200 }),
        fc.double({ noNaN: true }),
        fc.nat(),
        (partial, columns, levelDbfs, tasks) => {
          const line = liveLine({ ...QUIET, partial, levelDbfs, tasks }, columns);
          expect(line.length).toBeLessThan(Math.max(columns, 1));
          expect(line).not.toMatch(/\p{Cc}/u);
        },
      ),
    );
  });

  it('has a bar from a quiet room to full scale', () => {
    expect([-Infinity, -60, -30, 0, 5].map((dbfs) => levelBar(dbfs).replaceAll('·', ''))).toEqual([
      '',
      '',
      '█'.repeat(5),
      '█'.repeat(10),
      '█'.repeat(10),
    ]);
  });
});

describe('the face', () => {
  const shown = (columns: number | null, act: (face: ReturnType<typeof createFace>) => void): string => {
    let text = '';
    const face = createFace({
      write: (more) => void (text += more),
      columns: columns === null ? null : () => columns,
      state: () => QUIET,
    });
    act(face);
    face.close();
    return text;
  };

  it('writes the history of a sentence, with its trace and its outcome', () => {
    const text = shown(null, (face) => {
      face.event(event({ event: 'final', text: 'Refactor the API.' }));
      face.event(
        event({
          event: 'acked',
          traceId: TRACE,
          reply: {
            status: 'accepted',
            trace_id: TRACE,
            workflow_id: `voice-${TRACE}`,
            jobs: [{ job_id: `${TRACE}-1`, agent: 'coding', skill: 'refactor', instruction: 'x', depends_on: [] }],
            links: { trace: '/t', events: '/e', temporal_ui: 'http://x' },
          },
        }),
      );
      face.told('One job started.');
      face.event(event({ event: 'error', text: 'the disk is full' }));
    });
    expect(text.split('\n')).toEqual([
      'you    Refactor the API.',
      `       accepted, one job: coding (refactor)  ${TRACE}`,
      'dual   One job started.',
      '!      the disk is full',
      '',
    ]);
  });

  it('says that nothing was understood, rather than nothing', () => {
    expect(shown(null, (face) => face.event(event({ event: 'final', text: '' })))).toBe('you    (not understood)\n');
  });

  it('lets nobody steer the terminal', () => {
    const text = shown(null, (face) => face.event(event({ event: 'final', text: '\u001b[2J\u0007boo' })));
    expect(text).not.toMatch(/[\u001b\u0007]/);
  });

  it('writes the history above the live line of a terminal, and takes the line away at the end', () => {
    const text = shown(80, (face) => {
      face.say('first');
      face.say('second');
    });
    expect(text).toBe(`first\n${liveLine(QUIET, 80)}\r\u001b[2Ksecond\n${liveLine(QUIET, 80)}\r\u001b[2K`);
  });
});
