import { describe, expect, it } from '@jest/globals';
import { SpokenReply } from '../../../edge/conversation-reply.ts';

const make = (): SpokenReply => new SpokenReply({ itemId: 'item', contentIndex: 0, responseId: 'resp' });
const ms = (count: number): Int16Array => new Int16Array(count * 24);

const listen = async (reply: SpokenReply): Promise<number> => {
  let samples = 0;
  for await (const piece of reply.samples()) samples += piece.length;
  return samples / 24;
};

describe('the sound of a reply', () => {
  it('comes as it comes, and ends with it', async () => {
    const reply = make();
    reply.push(ms(100));
    const heard = listen(reply);
    await Promise.resolve();
    reply.push(ms(50));
    reply.end();
    expect(await heard).toBe(150);
    expect(reply.receivedMs).toBe(150);
  });

  it('ends at a cut, at once, and takes nothing more', async () => {
    const reply = make();
    const heard = listen(reply);
    reply.push(ms(100));
    reply.cut();
    reply.push(ms(100));
    expect(await heard).toBe(0);
    expect(reply.receivedMs).toBe(200);
  });

  it('is dropped when its listener leaves', async () => {
    const reply = make();
    reply.push(ms(100));
    for await (const _ of reply.samples()) break;
    for (let minute = 0; minute < 20; minute += 1) expect(reply.push(ms(60_000))).toBe(true);
  });

  it('waits for a listener as long as anybody would listen, not longer', () => {
    const reply = make();
    for (let minute = 0; minute < 5; minute += 1) expect(reply.push(ms(60_000))).toBe(true);
    expect(reply.push(ms(1))).toBe(false);
  });
});
