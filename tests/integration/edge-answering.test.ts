import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { FinalReply } from '../../contracts/replies.ts';
import { TraceEvent } from '../../contracts/trace-event.ts';
import { createProgramSpeaker } from '../../edge/adapters/program-speaker.ts';
import { findSpeakers, findVoices } from '../../edge/adapters/sound-programs.ts';
import { createAnswers } from '../../edge/answers.ts';
import type { Answers, SpokenOutcome } from '../../edge/answers.ts';
import { createBargeIn } from '../../edge/barge-in.ts';
import type { BargeIn } from '../../edge/barge-in.ts';
import { createOwnVoice } from '../../edge/own-voice.ts';
import type { Speaker } from '../../edge/speaker.ts';
import { createTaskAnswers } from '../../edge/task-answers.ts';
import type { TaskAnswers } from '../../edge/task-answers.ts';
import { playerProgram, RecordingSpeaker } from '../fakes/edge-speaker.ts';
import { until } from '../fakes/until.ts';

const TRACE = 'ab'.repeat(16);
const env = { PATH: process.env['PATH'] ?? '' };
const voices = findVoices({ platform: process.platform, env });
const [voice = null] = voices;
if (voice === null) console.warn('SKIPPED: no synthesiser is installed here (espeak-ng, flite, say or Windows)');

let folder: string;
let answers: Answers;
let bargeIn: BargeIn;
let tasks: TaskAnswers;
let spoken: { text: string; outcome: SpokenOutcome; heardMs: number }[];
let notices: string[];

const start = (speaker: Speaker): void => {
  const ownVoice = createOwnVoice();
  answers = createAnswers({
    speaker,
    voice,
    ownVoice,
    events: {
      told: () => undefined,
      spoken: ({ text, outcome, heardMs }) => void spoken.push({ text, outcome, heardMs }),
      notice: (text) => void notices.push(text),
    },
  });
  bargeIn = createBargeIn({ answers, ownVoice, enabled: true, notice: (text) => void notices.push(text) });
  tasks = createTaskAnswers({
    answers,
    fetchTask: async () => {
      throw new Error('the gateway is away');
    },
  });
};
const accepted: FinalReply = {
  status: 'accepted',
  trace_id: TRACE,
  workflow_id: `voice-${TRACE}`,
  jobs: ['Refactor the API', 'Validate the staging website'].map((instruction, i) => ({
    job_id: `${TRACE}-${i + 1}`,
    agent: i === 0 ? 'coding' : 'browser',
    skill: 'x',
    instruction,
    depends_on: [],
  })),
  links: { trace: '', events: '', temporal_ui: '' },
};
const event = (change: Partial<TraceEvent>): TraceEvent =>
  TraceEvent.parse({
    ...Object.fromEntries(Object.keys(TraceEvent.shape).map((name) => [name, null])),
    v: 1,
    event_id: '0'.repeat(32),
    ts: new Date().toISOString(),
    seq: 1,
    trace_id: TRACE,
    span_id: 's',
    payload: {},
    ...change,
  });
const asked = event({
  phase: 'approval_requested',
  agent: 'coding',
  job_id: `${TRACE}-1`,
  payload: { kind: 'approval', approval_id: `${TRACE}-1.1`, tool: 'bash', summary: 'run git push' },
});
const drained = (): Promise<void> => answers.drained(AbortSignal.timeout(20_000));
const now = (): number => performance.timeOrigin + performance.now();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'answering-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => {
  spoken = [];
  notices = [];
});
afterEach(() => answers.close());

(voice === null ? describe.skip : describe)('answers, spoken by a real voice through a real process', () => {
  it('are heard from the beginning of a task to its end', async () => {
    const { player, periods } = playerProgram(folder);
    start(createProgramSpeaker(player, env));
    tasks.acked(accepted);
    await drained();
    tasks.task(
      event({ phase: 'completed', payload: { outcome: 'succeeded', jobs: [{ job_id: `${TRACE}-1`, status: 'x' }] } }),
    );
    await tasks.settled();
    await drained();
    expect(spoken.map(({ text, outcome }) => [text, outcome])).toEqual([
      ['Two jobs started.', 'heard'],
      ['The task is done.', 'heard'],
    ]);
    for (const { heardMs } of spoken) expect(heardMs).toBeGreaterThan(600);
    const playedMs = periods().reduce((sum, { bytes }) => sum + bytes, 0) / 48;
    expect(playedMs).toBeGreaterThan(1_500);
    expect(notices).toEqual([]);
  });

  it('fall silent within 150 ms when a person speaks, and the question is asked again after the answer', async () => {
    const { player, periods } = playerProgram(folder);
    start(createProgramSpeaker(player, env));
    tasks.task(asked);
    await until(() => (periods().length > 20 ? true : undefined));
    const spokeAt = now();
    bargeIn.speechStart('u-1', performance.now() - 60);
    await until(() => (answers.playing ? undefined : true));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect((periods().at(-1)?.atMs ?? Infinity) - spokeAt).toBeLessThan(150);
    expect(spoken).toEqual([
      { text: 'The coding agent wants to push. Approve?', outcome: 'interrupted', heardMs: expect.any(Number) },
    ]);
    expect(spoken[0]?.heardMs).toBeLessThan(3_000);
    bargeIn.speechEnd('u-1', performance.now());
    expect(bargeIn.final('u-1', 'how is it going', performance.now())).toBe('how is it going');
    tasks.acked({
      status: 'control',
      trace_id: 'cd'.repeat(16),
      action: 'status',
      target: null,
      outcome: 'done',
      message: 'Coding is running.',
    });
    await drained();
    expect(spoken.map(({ text, outcome }) => [text, outcome]).slice(1)).toEqual([
      ['Coding is running.', 'heard'],
      ['The coding agent wants to push. Approve?', 'heard'],
    ]);
  });

  it('never approve themselves: the echo of a question is no answer, a person’s is', async () => {
    const device = new RecordingSpeaker();
    start(device);
    tasks.task(asked);
    await until(() => (device.played[0]?.samples ? true : undefined));
    const from = performance.now();
    await drained();
    const ended = performance.now();
    const heard = (id: string, text: string, fromMs: number, toMs: number): string => {
      bargeIn.speechStart(id, fromMs);
      bargeIn.speechEnd(id, toMs);
      return bargeIn.final(id, text, toMs + 300);
    };
    expect(heard('u-1', 'the coding agent wants to push approve', from + 80, ended + 90)).toBe('');
    expect(heard('u-2', 'approve', ended - 480, ended + 60)).toBe('');
    expect(heard('u-3', 'approve', ended + 40, ended + 520)).toBe('approve');
    expect(heard('u-4', 'yes', from + 500, from + 800)).toBe('yes');
    device.wav(join(folder, 'heard.wav'));
    expect(readFileSync(join(folder, 'heard.wav')).readUInt32LE(40)).toBe((device.played[0]?.samples ?? 0) * 2);
  });

  it('go on as text where no device plays, and say so once', async () => {
    const { player } = playerProgram(folder, 'has no device');
    start(createProgramSpeaker(player, env));
    tasks.acked(accepted);
    await drained();
    tasks.task(asked);
    await drained();
    expect(spoken.map(({ outcome }) => outcome)).toEqual(['muted', 'muted']);
    expect(notices).toEqual([
      'player cannot play: no default audio device configured; is a loudspeaker or headset connected?; answers go on as text',
    ]);
  });
});

it('the players of this machine play, or say what a person can do', async () => {
  const speakers = await findSpeakers({ platform: process.platform, env });
  if (speakers.length === 0) console.warn('SKIPPED: no player is installed here (sox, aplay, ffplay, decibri)');
  start(speakers[0] ?? new RecordingSpeaker());
  for (const speaker of speakers) {
    const sound = async function* () {
      yield new Int16Array(2_400);
    };
    const told = await speaker.play(sound(), AbortSignal.timeout(10_000)).then(
      (heardMs) => `heard ${heardMs}`,
      (error: unknown) => String(error),
    );
    expect(told).toMatch(/^heard (?:100|0)$|is a loudspeaker or headset connected\?$|did not come to its end/);
    await speaker.close();
  }
});
