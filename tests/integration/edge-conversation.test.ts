import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createOpenaiRealtime } from '../../edge/adapters/openai-realtime.ts';
import { Conversation } from '../../edge/conversation.ts';
import type { ConversationEvents, ConversationLimits } from '../../edge/conversation-options.ts';
import type { ConversationTools } from '../../edge/conversation-tools.ts';
import { FUNCTION_TOOLS } from '../../edge/conversation-tools.ts';
import type { SessionLimits } from '../../edge/realtime-limits.ts';
import { RealtimeSession } from '../../edge/realtime-session.ts';
import { conversationSettings } from '../../edge/realtime-settings.ts';
import { Heard } from '../fakes/heard.ts';
import type { FakeReply } from '../fakes/realtime-reply.ts';
import { startFakeRealtime } from '../fakes/realtime-server.ts';
import type { FakeRealtime } from '../fakes/realtime-server.ts';
import { speech } from '../fakes/realtime-session.ts';
import { FakeReplyAudio } from '../fakes/reply-audio.ts';
import { until } from '../fakes/until.ts';

const TRACE = 'a'.repeat(32);

class Talk extends Heard implements ConversationEvents {
  readonly replies: string[] = [];
  readonly unsentOnes: string[] = [];
  readonly troubles: string[] = [];
  replied(text: string): void {
    this.replies.push(text);
  }
  unsent(id: string): void {
    if (this.unsentOnes.includes(id)) this.complaints.push(`unsent of ${id} twice`);
    this.unsentOnes.push(id);
  }
  trouble(text: string): void {
    this.troubles.push(text);
  }
}

let server: FakeRealtime;
let talk: Talk;
let audio: FakeReplyAudio;
let tools: ConversationTools;
/** What the tools were asked to do. */
let done: string[];
let conversation: Conversation | null;
let answers: number;

beforeEach(async () => {
  server = await startFakeRealtime();
  talk = new Talk();
  audio = new FakeReplyAudio();
  done = [];
  answers = 0;
  tools = {
    submitTask: async (utteranceId, text) => {
      done.push(`submit ${utteranceId}: ${text}`);
      return 'Two jobs started.';
    },
    taskStatus: async (traceId) => {
      done.push(`status ${traceId}`);
      return 'running';
    },
    cancelTask: async (traceId, reason) => {
      done.push(`cancel ${traceId} ${reason}`);
      return 'cancelled';
    },
    approve: async ({ jobId, approvalId, decision, note }) => {
      done.push(`${decision} ${jobId} ${approvalId} ${note}`);
      return 'passed on';
    },
  };
  conversation = null;
});

afterEach(async () => {
  await conversation?.close();
  await server.close();
  expect(server.complaints).toEqual([]);
  expect(talk.faults).toEqual([]);
  // Each is handed over, not handed over, or lost: one of the three.
  const submitted = done.filter((line) => line.startsWith('submit')).map((line) => /^submit ([^:]+)/.exec(line)?.[1]);
  const ends = [...submitted, ...talk.unsentOnes, ...talk.lostOnes];
  expect(ends.toSorted()).toEqual(talk.outcomes.map(({ id }) => id).toSorted());
});

const open = async (
  limits: Partial<ConversationLimits> = {},
  session: Partial<SessionLimits> = {},
  wordsOfUser?: (id: string, text: string) => string,
): Promise<Conversation> => {
  conversation = new Conversation({
    open: (events, listener) =>
      new RealtimeSession({
        connect: createOpenaiRealtime({
          url: server.url,
          apiKey: 'no-key',
          session: { mode: 'converse', model: 'gpt-realtime-2.1' },
        }),
        settings: conversationSettings({
          transcriptionModel: 'gpt-live-transcribe',
          instructions: 'Be short.',
          voice: 'marin',
          tools: [...FUNCTION_TOOLS],
        }),
        events,
        listener,
        limits: { firstBackoffMs: 20, ...session },
      }),
    tools,
    audio,
    events: talk,
    limits,
    ...(wordsOfUser && { wordsOfUser }),
  });
  conversation.start();
  await talk.reached('open');
  return conversation;
};

const say = (at: Conversation, n: number, ms = 300): void => {
  at.begin(talk.utterance(`u${n}`));
  for (let from = 0; from < ms * 16; from += 320) at.append(speech(n, ms).subarray(from, from + 320));
  at.end();
};

/** The model answers the nth response (from 1) as told, later ones with nothing. */
const script = (...replies: ((reply: FakeReply) => void)[]): void => {
  server.onResponse = (reply) => {
    const act = replies[answers];
    answers += 1;
    if (act) act(reply);
    else reply.done();
  };
};

const answered = (n: number): Promise<unknown> => until(() => (answers >= n && !server.last.reply ? true : undefined));
const settle = (ms = 150): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const order = (...types: string[]): string[] => server.last.types().filter((type) => types.includes(type));
const outputs = (): string[] =>
  server.last.items.filter(({ kind }) => kind === 'function_call_output').map(({ text }) => text);

describe('a turn', () => {
  it('is written down, answered, handed over, and spoken about', async () => {
    const at = await open();
    script(
      (reply) => {
        reply.call('submit_task', { text: 'refactor the API' });
        reply.done();
      },
      (reply) => {
        reply.say('Two jobs started.', 400);
        reply.done();
      },
    );
    say(at, 1);
    await answered(2);
    await until(() => talk.replies[0]);
    expect(done).toEqual(['submit u1: refactor the API']);
    expect(outputs()).toEqual(['Two jobs started.']);
    expect(talk.replies).toEqual(['Two jobs started.']);
    await until(() => audio.played[0]?.heardMs ?? undefined);
    expect(audio.played.map(({ heardMs, text }) => [heardMs, text()])).toEqual([[400, 'Two jobs started.']]);
    expect(order('input_audio_buffer.commit', 'response.create')).toEqual([
      'input_audio_buffer.commit',
      'response.create',
      'response.create',
    ]);
    expect(order('conversation.item.truncate', 'response.cancel')).toEqual([]);
    expect(server.handshakes[0]?.query).toEqual({ model: 'gpt-realtime-2.1' });
    expect(server.last.settings).toMatchObject({
      type: 'realtime',
      output_modalities: ['audio'],
      audio: {
        input: { turn_detection: null },
        output: { format: { type: 'audio/pcm', rate: 24_000 }, voice: 'marin' },
      },
      tools: [{ name: 'submit_task' }, { name: 'task_status' }, { name: 'cancel_task' }, { name: 'approve' }],
    });
  });

  it('is played while the model still speaks', async () => {
    const at = await open();
    let speaking: FakeReply | undefined;
    script((reply) => {
      speaking = reply;
      reply.speak('item_early', 200);
    });
    say(at, 1);
    await until(() => (audio.played[0]?.samples === 4_800 ? true : undefined));
    speaking?.done();
    await until(() => audio.played[0]?.heardMs ?? undefined);
  });

  it('is played once, though its words come after its sound was heard', async () => {
    const at = await open();
    script((reply) => {
      const itemId = reply.say('', 100);
      setTimeout(() => {
        const about = { response_id: reply.id, item_id: itemId, content_index: 0 };
        reply.session.send({ type: 'response.output_audio_transcript.done', ...about, transcript: 'Hello.' });
        reply.done();
      }, 100);
    });
    say(at, 1);
    await until(() => (talk.replies.includes('Hello.') ? true : undefined));
    await until(() => talk.unsentOnes[0]);
    expect(audio.played.map(({ heardMs }) => heardMs)).toEqual([100]);
  });

  it('that only chats sends nothing', async () => {
    const at = await open();
    script((reply) => {
      reply.say('Hello.', 100);
      reply.done();
    });
    say(at, 1);
    await until(() => (talk.unsentOnes.length === 1 ? true : undefined));
    expect(done).toEqual([]);
  });

  it('is answered after its text, or 700 ms later at the latest', async () => {
    const at = await open({ transcriptMs: 200 });
    server.onCommit = (turn) => turn.confirm();
    script((reply) => reply.done());
    say(at, 1);
    await settle(100);
    expect(answers).toBe(0);
    await answered(1);
    server.turns[0]?.complete();
    await talk.settled();
  });

  it('hands over once, whatever the model wants', async () => {
    const at = await open();
    script((reply) => {
      reply.call('submit_task', { text: 'one' });
      reply.call('submit_task', { text: 'two' });
      reply.done();
    });
    say(at, 1);
    await answered(2);
    expect(done).toEqual(['submit u1: one']);
    expect(outputs()[1]).toContain('handed over already');
  });

  it('calls that cannot be read are told so', async () => {
    const at = await open();
    script((reply) => {
      reply.call('submit_task', { text: '' });
      reply.call('submit_task', { words: 'x' });
      reply.call('submit_task', 'no json');
      reply.call('format_disk', {});
      reply.call('approve', { job_id: 'x', approval_id: 'y', decision: 'maybe' });
      reply.call('task_status', {});
      reply.call('cancel_task', { trace_id: TRACE, reason: 'changed my mind' });
      reply.call('approve', { job_id: `${TRACE}-1`, approval_id: 'y', decision: 'reject' });
      reply.done();
    });
    say(at, 1);
    await answered(2);
    expect(done).toEqual(['status null', `cancel ${TRACE} changed my mind`, `reject ${TRACE}-1 y null`]);
    const [blank, unknown, noJson, none, bad] = outputs();
    expect(blank).toContain('text');
    expect(unknown).toContain('error');
    expect(noJson).toContain('not JSON');
    expect(none).toContain('there is no function format_disk');
    expect(bad).toContain('job_id');
  });

  it('a tool that fails or hangs is an answer to the model, too', async () => {
    const at = await open({ callMs: 100 });
    tools.submitTask = async () => {
      throw new Error('the gateway is away');
    };
    tools.taskStatus = () => new Promise(() => undefined);
    script(
      (reply) => {
        reply.call('submit_task', { text: 'one' });
        reply.call('task_status', {});
        reply.done();
      },
      (reply) => {
        reply.call('submit_task', { text: 'again' });
        reply.done();
      },
    );
    say(at, 1);
    await answered(3);
    expect(outputs()[0]).toBe('{"error":"the gateway is away"}');
    expect(outputs()[1]).toContain('error');
    expect(outputs()[2]).toBe('{"error":"the gateway is away"}');
    await until(() => (talk.unsentOnes.length === 1 ? true : undefined));
  });
});

describe('one response at a time', () => {
  it('what is said meanwhile is answered next, in one answer', async () => {
    const at = await open();
    const replies: FakeReply[] = [];
    server.onResponse = (reply) => void replies.push(reply);
    say(at, 1);
    await until(() => (replies.length === 1 ? true : undefined));
    say(at, 2);
    say(at, 3);
    await talk.settled();
    await settle();
    expect(replies).toHaveLength(1);
    replies[0]?.done();
    await until(() => (replies.length === 2 ? true : undefined));
    replies[1]?.call('submit_task', { text: 'both' });
    replies[1]?.done();
    await until(() => (replies.length === 3 ? true : undefined));
    replies[2]?.done();
    await until(() => (talk.unsentOnes.length === 2 ? true : undefined));
    expect(done).toEqual(['submit u3: both']);
    expect(talk.unsentOnes).toEqual(['u1', 'u2']);
  });

  it('nothing is asked for while the person speaks', async () => {
    const at = await open();
    say(at, 1);
    at.begin(talk.utterance('u2'));
    at.append(speech(2, 300));
    await until(() => talk.finals['u1']);
    await settle();
    expect(answers).toBe(0);
    expect(server.last.types()).not.toContain('response.create');
    at.end();
    await until(() => (talk.unsentOnes.length === 2 ? true : undefined));
    expect(order('response.create')).toHaveLength(1);
  });

  it('a response nobody knew of is waited for', async () => {
    const at = await open();
    let foreign = true;
    server.onCommit = (turn) => {
      turn.confirm();
      turn.complete();
    };
    server.refuseResponses = () => foreign;
    say(at, 1);
    await until(() => order('response.create')[0]);
    await settle();
    foreign = false;
    server.last.send({ type: 'response.done', response: { id: 'resp_foreign', status: 'completed', output: [] } });
    await until(() => (order('response.create').length === 2 ? true : undefined));
    await until(() => (talk.unsentOnes.length === 1 ? true : undefined));
  });

  it('a model that does not answer at all is said, and the line is renewed', async () => {
    const at = await open({ askedMs: 150 });
    server.deafToResponses = true;
    say(at, 1);
    await until(() => talk.troubles[0]);
    await until(() => (server.sessions.length === 2 ? true : undefined));
    expect(talk.unsentOnes).toEqual(['u1']);
  });
});

describe('barge-in', () => {
  it('cancels, and tells how much was heard', async () => {
    const at = await open();
    audio.stopsAtMs = 200;
    let itemId = '';
    script((reply) => {
      itemId = 'item_long';
      reply.speak(itemId, 1_000);
    });
    say(at, 1);
    await until(() => (audio.played[0]?.samples ? true : undefined));
    await settle(50);
    at.interrupt();
    await until(() => (order('conversation.item.truncate').length === 1 ? true : undefined));
    expect(order('response.cancel', 'conversation.item.truncate')).toEqual([
      'response.cancel',
      'conversation.item.truncate',
    ]);
    const truncate = server.last.received.find(({ type }) => type === 'conversation.item.truncate');
    expect(truncate).toMatchObject({ item_id: itemId, content_index: 0, audio_end_ms: 200 });
    await until(() => (talk.unsentOnes.length === 1 ? true : undefined));
  });

  it('never says that more was heard than came', async () => {
    const at = await open();
    audio.play = async (samples, _text, signal) => {
      for await (const _ of samples) if (signal.aborted) break;
      return 60_000;
    };
    script((reply) => reply.speak('item_short', 300));
    say(at, 1);
    await until(() => server.last.spokenMs.get('item_short'));
    await settle(50);
    at.interrupt();
    await until(() => order('conversation.item.truncate')[0]);
    const truncate = server.last.received.find(({ type }) => type === 'conversation.item.truncate');
    expect(truncate).toMatchObject({ audio_end_ms: 300 });
  });

  it('by the speaker itself: what was cut off is cancelled and truncated, too', async () => {
    const at = await open();
    let cut = (): void => undefined;
    audio.play = async (samples) => {
      const stopped = new Promise<void>((resolve) => (cut = resolve));
      for await (const _ of samples) break;
      await stopped;
      return 100;
    };
    script((reply) => {
      reply.say('A long story.', 3_000);
      reply.done();
    });
    say(at, 1);
    // The response is over, what it said is not.
    await until(() => talk.unsentOnes[0]);
    cut();
    await until(() => order('conversation.item.truncate')[0]);
    expect(order('response.cancel')).toEqual([]);
  });

  it('without a speaker nothing is cut off: it is read', async () => {
    const at = await open();
    audio.silent = true;
    script((reply) => {
      reply.say('Hello.', 1_000);
      reply.call('submit_task', { text: 'x' });
      reply.done();
    });
    say(at, 1);
    await answered(2);
    expect(order('conversation.item.truncate', 'response.cancel')).toEqual([]);
    expect(done).toHaveLength(1);
    expect(talk.replies).toEqual(['Hello.']);
  });
});

describe('a word to be silent', () => {
  it('acts before any model: no answer, nothing handed over, and no model reads it', async () => {
    const at = await open();
    server.onCommit = (turn) => {
      turn.confirm();
      turn.complete('Stop.');
    };
    say(at, 1);
    await until(() => talk.unsentOnes[0]);
    await settle();
    expect(order('response.create')).toEqual([]);
    expect(server.last.items).toEqual([]);
    expect(talk.finals).toEqual({ u1: 'Stop.' });
  });

  it('that comes late ends the answer that had begun, and nothing is done', async () => {
    const at = await open({ transcriptMs: 50 });
    server.onCommit = (turn) => turn.confirm();
    audio.stopsAtMs = 100;
    script((reply) => {
      reply.speak('item_x', 500);
      reply.call('submit_task', { text: 'stop everything' });
      reply.done();
    });
    say(at, 1);
    await until(() => audio.played[0]);
    await settle(100);
    expect(done).toEqual([]);
    server.turns[0]?.complete('please be quiet');
    await until(() => talk.unsentOnes[0]);
    await until(() => audio.played[0]?.heardMs ?? undefined);
    await until(() => outputs()[0]);
    expect(outputs()[0]).toContain('silent');
    await settle();
    expect(done).toEqual([]);
    expect(order('response.create')).toHaveLength(1);
  });

  it('stops what was said before it, not what is said after', async () => {
    const at = await open();
    const replies: FakeReply[] = [];
    server.onResponse = (reply) => void replies.push(reply);
    server.onCommit = (turn) => {
      turn.confirm();
      if (turn.n === 2) return;
      turn.complete();
    };
    say(at, 1);
    await until(() => (replies.length === 1 ? true : undefined));
    say(at, 2);
    await until(() => (server.turns.length === 2 ? true : undefined));
    at.begin(talk.utterance('u3'));
    at.append(speech(3, 300));
    server.turns[1]?.complete('stop');
    await until(() => (talk.unsentOnes.length === 2 ? true : undefined));
    expect(replies[0]?.isOver).toBe(true);
    at.end();
    await until(() => (replies.length === 2 ? true : undefined));
    replies[1]?.call('submit_task', { text: 'the third' });
    replies[1]?.done();
    await until(() => (replies.length === 3 ? true : undefined));
    replies[2]?.done();
    expect(done).toEqual(['submit u3: the third']);
  });

  it('our own voice in the microphone is no word of the person', async () => {
    const at = await open({}, {}, () => '');
    say(at, 1);
    await until(() => talk.unsentOnes[0]);
    await settle();
    expect(order('response.create')).toEqual([]);
    expect(server.last.items).toEqual([]);
  });
});

describe('no text', () => {
  it('nothing is done for what could not be written down', async () => {
    const at = await open({ transcriptMs: 50 });
    server.onCommit = (turn) => turn.confirm();
    script((reply) => {
      reply.call('submit_task', { text: 'guess' });
      reply.done();
    });
    say(at, 1);
    await until(() => (answers === 1 ? true : undefined));
    await settle(50);
    server.turns[0]?.fail('server_error');
    await answered(2);
    expect(talk.lostOnes).toEqual(['u1']);
    expect(outputs()[0]).toContain('could not be written down');
    expect(done).toEqual([]);
  });

  it('a text that never comes is given up while the conversation goes on', async () => {
    const at = await open({ transcriptMs: 50 }, { stallMs: 300 });
    server.onCommit = (turn) => turn.confirm();
    say(at, 1);
    await talk.settled();
    expect(talk.lostOnes).toEqual(['u1']);
    expect(server.sessions).toHaveLength(1);
    // Answered before it was lost: told of both, so the count at the end leaves one out.
    expect(talk.unsentOnes.splice(0)).toEqual(['u1']);
  });
});

describe('news', () => {
  it('is spoken at the next silence', async () => {
    const at = await open();
    script((reply) => {
      reply.call('submit_task', { text: 'of my own' });
      reply.call('cancel_task', {});
      reply.call('task_status', {});
      reply.done();
    });
    at.begin(talk.utterance('u1'));
    expect(at.tell('The tests pass.')).toBe(true);
    at.append(speech(1, 300));
    await settle();
    expect(server.last.items).toEqual([]);
    at.discard();
    talk.discarded('u1');
    await answered(2);
    expect(server.last.items[0]).toMatchObject({ kind: 'system', text: 'The tests pass.' });
    // Nobody asked for anything: only looking is allowed.
    expect(done).toEqual(['status null']);
    expect(outputs()[0]).toContain('did not ask');
  });

  it('without a session is for somebody else to say', async () => {
    const at = await open({}, { firstBackoffMs: 5_000 });
    server.last.drop();
    await talk.reached('waiting');
    expect(at.tell('The tests pass.')).toBe(false);
  });
});

describe('the line breaks', () => {
  it('while the model thinks: it is told what was said, and asked again', async () => {
    const at = await open();
    server.onResponse = (reply) => {
      answers += 1;
      if (answers === 1) return reply.session.drop();
      reply.call('submit_task', { text: 'after all' });
      reply.done();
      server.onResponse = (next) => next.done();
    };
    say(at, 1);
    await until(() => done[0]);
    expect(done).toEqual(['submit u1: after all']);
    expect(server.sessions).toHaveLength(2);
    expect(server.last.items[0]).toMatchObject({ kind: 'user', text: 'number 1' });
  });

  it('before the text came: the sound is said again, answered once', async () => {
    const at = await open({ transcriptMs: 50 });
    server.onCommit = (turn) => {
      turn.confirm();
      if (turn.n === 2) turn.complete();
    };
    server.onResponse = (reply) => {
      answers += 1;
      if (answers === 1) return reply.session.drop();
      reply.done();
    };
    say(at, 1);
    await until(() => talk.unsentOnes[0]);
    expect(answers).toBe(2);
    expect(server.last.items.map(({ kind }) => kind)).toEqual(['sound']);
  });

  it('while a call is carried out: it is not carried out twice, and the model learns of it', async () => {
    const at = await open();
    let finish = (): void => undefined;
    tools.submitTask = async (utteranceId, text) => {
      done.push(`submit ${utteranceId}: ${text}`);
      await new Promise<void>((resolve) => (finish = resolve));
      return 'Two jobs started.';
    };
    script((reply) => {
      reply.call('submit_task', { text: 'x' });
      reply.done();
    });
    say(at, 1);
    await until(() => done[0]);
    server.last.drop();
    await until(() => (server.sessions.length === 2 && talk.states.at(-1)?.state === 'open' ? true : undefined));
    finish();
    await until(() => (answers === 2 ? true : undefined));
    expect(done).toHaveLength(1);
    expect(server.last.items.map(({ kind, text }) => [kind, text])).toEqual([
      ['user', 'number 1'],
      ['system', 'submit_task: Two jobs started.'],
    ]);
  });

  it('for good: nothing stays open', async () => {
    const at = await open();
    server.welcome = () => ({ status: 401 });
    server.onResponse = (reply) => reply.session.drop();
    say(at, 1);
    await talk.reached('closed');
    say(at, 2);
    await talk.settled();
    expect(talk.unsentOnes).toEqual(['u1']);
    expect(talk.lostOnes).toEqual(['u2']);
  });
});
