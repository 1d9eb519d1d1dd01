import { parseArgs } from 'node:util';
import { loadEnvironment } from '../platform/env.ts';
import { messageOf } from '../platform/errors.ts';
import { runProcess } from '../platform/lifecycle.ts';
import { createConsole } from './console.ts';
import { endWithMake } from './end-with-make.ts';
import { PROGRAMS } from './plan.ts';
import { runDemo } from './run-demo.ts';
import { runDev } from './run-dev.ts';

const HELP = `Usage: make dev     (node dev/main.ts [--json])       the whole stack until Ctrl-C
       make demo    (node dev/main.ts demo [--json])  one sentence end to end on a stack of its own, then stops it
       make demo-voice  (… demo-voice [--json])       the same, spoken: from the sound of a WAV file to the answer

Variables (environment or .env.wsl): TEMPORAL_ADDRESS (use that server, start none), TEMPORAL_PORT (7233; Web UI +1000),
TEMPORAL_DB_FILE, WSL_GATEWAY_PORT (8080), WORKER_METRICS_PORT (9465), STAGING_URL, CODING_WORKING_DIRECTORY,
ANTHROPIC_API_KEY, GEMINI_API_KEY; a port of 0 is any free one. Without keys, rehearsal models answer.

--json   log lines as JSON objects; for demo, the task's result as one JSON object on standard output
--help   this text
Exit codes: 0 ended as asked (demo: the job worked), 1 failed, 2 bad setting or usage`;

const DEMOS = ['demo', 'demo-voice'];

const readArguments = (): { demo: string | undefined; json: boolean } => {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
    });
    if (values.help) {
      console.log(HELP);
      process.exit(0);
    }
    const [demo, ...more] = positionals;
    if (more.length > 0 || !DEMOS.includes(demo ?? 'demo')) throw new Error(`unknown: ${positionals.join(' ')}`);
    return { demo, json: values.json };
  } catch (error) {
    console.error(`${messageOf(error)}\n\n${HELP}`);
    process.exit(2);
  }
};

const { demo, json } = readArguments();
const terminal = createConsole({ out: process.stdout, err: process.stderr, json });
// A closed terminal means the same as Ctrl-C.
const end = (): void => void process.kill(process.pid, 'SIGTERM');
process.on('SIGHUP', end);
await runProcess(
  async (signal, closer) => {
    const environment = loadEnvironment(process.env, '.env.wsl');
    endWithMake(environment, end);
    const options = { environment, programs: PROGRAMS, console: terminal };
    if (demo !== undefined) return runDemo({ ...options, json, spoken: demo === 'demo-voice' }, signal, closer);
    await runDev(options, signal, closer);
    return 0;
  },
  (text) => terminal.say(text),
);
