import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { delay } from '../../../platform/lifecycle.ts';
import { createLog } from '../../../platform/log.ts';
import { openRegistry } from '../../../skills/registry.ts';
import type { Registry } from '../../../skills/registry.ts';
import { createRouter } from '../../../skills/routing/route.ts';
import { openGateway } from '../../fakes/gateway.ts';
import type { TestGateway } from '../../fakes/gateway.ts';
import { createSkillsFolder } from '../../fakes/skills-folder.ts';
import type { SkillsFolder } from '../../fakes/skills-folder.ts';

/** From a changed file to the first sentence that is understood by it. */
const DEADLINE_MS = 5_000;
const PLANTS = ['water the plants', 'water the flowers', 'give the plants some water'];
const SILVER = ['polish the silver', 'polish all spoons', 'clean the silver spoons'];

let folder: SkillsFolder;
let registry: Registry;
let gateway: TestGateway;
let logged: string[];

beforeEach(async () => {
  logged = [];
  folder = createSkillsFolder();
  folder.skill('plants', PLANTS);
  folder.skill('silver', SILVER);
  const log = createLog(
    'test',
    (text) => text,
    'info',
    (line) => void logged.push(line),
  );
  registry = await openRegistry({ dir: folder.dir, log, watch: true, pollMs: 20 });
  gateway = await openGateway({ registry, router: createRouter({ registry, log }) });
});
afterEach(async () => {
  registry.close();
  await gateway.close();
  folder.remove();
});

/** What the gateway says to a sentence: `accepted SKILL`, or its status alone. */
const say = async (text: string): Promise<string> => {
  const reply = await gateway.call('/transcript', { text, is_final: true });
  const body = (await reply.json()) as { status: string; jobs?: { skill: string }[] };
  return [body.status, ...(body.jobs ?? []).map(({ skill }) => skill)].join(' ');
};
const reasons = async (): Promise<Record<string, string>> => {
  const { quarantined } = (await (await gateway.call('/skills')).json()) as {
    quarantined: { file: string; reason: string }[];
  };
  return Object.fromEntries(quarantined.map(({ file, reason }) => [file, reason]));
};
const within = async (test: () => Promise<boolean>): Promise<void> => {
  const deadline = performance.now() + DEADLINE_MS;
  while (!(await test())) {
    if (performance.now() > deadline) throw new Error(`not within ${DEADLINE_MS} ms`);
    await delay(5);
  }
};

describe('skills that change while the gateway runs', () => {
  it('a new skill is understood, and until then the old ones answer every sentence', async () => {
    expect(await say('polish the silver')).toBe('accepted silver');
    folder.skill('clock', ['wind the old clock', 'wind up the clock in the hall', 'set the clock']);
    const meanwhile: string[] = [];
    await within(async () => {
      meanwhile.push(await say('polish the silver'));
      return (await say('wind the old clock')) === 'accepted clock';
    });
    expect(new Set(meanwhile)).toEqual(new Set(['accepted silver']));
    expect(await say('water the plants')).toBe('accepted plants');
  });

  it('a thousand examples are learnt in time, without a gap', async () => {
    const things = [
      'invoice',
      'parcel',
      'letter',
      'receipt',
      'ticket',
      'voucher',
      'contract',
      'postcard',
      'form',
      'bill',
    ];
    const examples = Array.from({ length: 1_000 }, (_, i) => `stamp ${things[i % 10]} number ${i} for the archive`);
    folder.skill('stamps', examples);
    const meanwhile: string[] = [];
    await within(async () => {
      meanwhile.push(await say('water the plants'));
      return (await say('stamp parcel number 501 for the archive')) === 'accepted stamps';
    });
    expect(new Set(meanwhile)).toEqual(new Set(['accepted plants']));
  });

  it('a file that is half written is set aside with its reason, and is back when it is whole', async () => {
    const whole = JSON.stringify({ name: 'plants', version: 2, agent: 'coding', description: 'x', examples: PLANTS });
    folder.write('plants.json', whole.slice(0, 50));
    await within(async () => 'plants.json' in (await reasons()));
    expect((await reasons())['plants.json']).toMatch(/^not valid JSON: /);
    // What is bad now is not served, even if it was good a moment ago; the others are.
    await within(async () => (await say('water the plants')) === 'declined');
    expect(await say('polish the silver')).toBe('accepted silver');
    folder.write('plants.json', whole);
    await within(async () => (await say('water the plants')) === 'accepted plants');
    expect(await reasons()).toEqual({});
  });

  it('a file renamed into place is never seen half', async () => {
    const seen: number[] = [];
    registry.onChange(({ quarantined }) => seen.push(quarantined.length));
    for (let version = 2; version < 6; version++) {
      folder.write('.next', { name: 'plants', version, agent: 'coding', description: 'x', examples: PLANTS });
      renameSync(join(folder.dir, '.next'), join(folder.dir, 'plants.json'));
      await within(async () => registry.current().skills[0]?.version === version);
    }
    expect(seen.every((count) => count === 0)).toBe(true);
  });

  it.each<[string, unknown, RegExp]>([
    ['10 MB', `{"name":"${'x'.repeat(10 * 1024 * 1024)}"}`, /^\d+ bytes; at most \d+ are read$/],
    [
      'a taken name',
      { name: 'silver', version: 1, agent: 'coding', description: 'x', examples: ['x'] },
      /^name: "silver" is already taken by silver\.json$/,
    ],
    [
      'a pattern that takes for ever',
      {
        name: 'trap',
        version: 1,
        agent: 'coding',
        description: 'x',
        examples: ['x'],
        parameters: { type: 'object', properties: { a: { type: 'string', pattern: '(a+)+$' } } },
      },
      /properties\.a\.pattern: not allowed/,
    ],
  ])('%s is set aside with its reason, and the others are served', async (_, content, reason) => {
    folder.write('zz.json', content);
    await within(async () => 'zz.json' in (await reasons()));
    expect((await reasons())['zz.json']).toMatch(reason);
    expect(await say('polish the silver')).toBe('accepted silver');
    expect(logged.join('')).toContain('"msg":"skill file quarantined"');
  });

  it('says at every learning how well skills are told apart, and which have few examples', async () => {
    const learnt = () =>
      logged
        .map((line) => JSON.parse(line) as { level: number; msg: string; skill?: string; skills?: number })
        .filter(({ msg }) => msg === 'skills learnt' || msg === 'a skill has few examples')
        .map(({ level, msg, skill, skills }) => [level, msg, skill ?? skills]);
    await say('water the plants');
    expect(learnt()).toEqual([
      [40, 'a skill has few examples', 'plants'],
      [40, 'a skill has few examples', 'silver'],
      [30, 'skills learnt', 2],
    ]);
    logged.length = 0;
    folder.skill('silver', [
      ...SILVER,
      'shine the forks',
      'rub the knives',
      'do the cutlery',
      'polish',
      'the spoons please',
    ]);
    await within(async () => learnt().length > 0);
    expect(learnt()).toEqual([
      [40, 'a skill has few examples', 'plants'],
      [30, 'skills learnt', 2],
    ]);
    expect(JSON.parse(logged.find((line) => line.includes('skills learnt')) ?? '{}')).toMatchObject({
      right_unseen_by_skill: {
        plants: expect.stringMatching(/^\d+\/\d+$/) as unknown,
        silver: expect.stringMatching(/^\d+\/8$/) as unknown,
      },
    });
  });
});
