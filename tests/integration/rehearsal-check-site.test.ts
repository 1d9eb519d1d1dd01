import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openingMessage } from '../../activities/opening-message.ts';
import { startRehearsal } from '../../rehearsal/server.ts';
import type { Rehearsal } from '../../rehearsal/server.ts';
import { createBench, planFor, textOf } from '../fakes/browser-bench.ts';
import type { Bench } from '../fakes/browser-bench.ts';
import { BROWSER_TOOLS, converse } from '../fakes/workbench.ts';

let site: ChildProcess;
let url: string;
let bench: Bench;
let rehearsal: Rehearsal;

beforeAll(async () => {
  site = spawn(process.execPath, ['examples/site/serve.mjs'], { stdio: ['ignore', 'pipe', 'inherit'] });
  if (!site.stdout) throw new Error('no output');
  const [line] = (await once(createInterface({ input: site.stdout }), 'line')) as [string];
  url = (JSON.parse(line) as { listening: string }).listening;
  [bench, rehearsal] = await Promise.all([createBench(), startRehearsal()]);
});
afterAll(async () => {
  await rehearsal.close();
  await bench.dispose();
  site.kill('SIGTERM');
  if (site.exitCode === null) await once(site, 'exit');
});

describe('the rehearsal of “validate the staging website”, in a real browser on the example', () => {
  it.each(['gemini-3.5-flash', 'gemini-2.5-computer-use-preview-10-2025'])(
    'finds what is planted there, as %s',
    async (model) => {
      const plan = { ...planFor(`${url}/`), instruction: 'validate the staging website' };
      const session = await bench.open(plan);
      try {
        const { text, calls } = await converse({
          url: rehearsal.url,
          provider: 'gemini',
          model,
          tools: BROWSER_TOOLS,
          opening: openingMessage(plan, []),
          execute: async (call) => {
            const [result] = await bench.run(session, call);
            return { text: textOf(result), isError: result?.is_error ?? true, url: result?.url ?? null };
          },
        });
        expect(text).toMatch(/broken link: \S+\/delivery-terms answers 404; the link “Delivery terms”/);
        expect(text).toMatch(/console error “.*” from \S+stock\.js:\d+.* \(seen on \S+\/products\)/);
        expect(text).toMatch(/image without text \(alt\): \S+\/boat\.svg/);
        expect(text).toMatch(/form “.*” \(post \S+\/login\)/);
        expect(text).toMatch(/^\(rehearsal\) Looked at \d+ pages of http:\/\/127\.0\.0\.1:\d+: 3 findings\./);
        expect(calls.map(({ name }) => name).filter((name) => /click|type/.test(name))).toEqual([]);
      } finally {
        await bench.close(session);
      }
    },
  );
});
