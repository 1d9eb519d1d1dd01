/** A worker's stand-in: opens a browser session on the address given, says so, and stays until it is ended. */
import { createBench, planFor } from './browser-bench.ts';

const [, , url = ''] = process.argv;
const bench = await createBench();
const session = await bench.open(planFor(url));
process.stdout.write(`${JSON.stringify({ ready: session.sessionId })}\n`);
process.once('SIGTERM', () => void bench.dispose().then(() => process.exit(0)));
setInterval(() => undefined, 60_000);
