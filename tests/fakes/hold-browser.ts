/** A worker's stand-in: opens a browser session on the address given, says so, and stays until it is ended. */
import { createBench, planFor } from './browser-bench.ts';

const [, , url = ''] = process.argv;
const bench = await createBench();
const session = await bench.open(planFor(url));
// Before it says so: whoever hears it may end it at once.
process.once('SIGTERM', () => void bench.dispose().then(() => process.exit(0)));
process.stdout.write(`${JSON.stringify({ ready: session.sessionId })}\n`);
setInterval(() => undefined, 60_000);
