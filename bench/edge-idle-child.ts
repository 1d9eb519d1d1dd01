import { monitorEventLoopDelay } from 'node:perf_hooks';

// A process that does nothing but look how late its event loop is, as the edge looks at its own: what it sees is the
// machine's doing. Started by bench/edge-load.ts; answers any message with milliseconds of delay, p99.

/** As `edge/metrics.ts`. */
const LOOK_MS = 5;
const NS_PER_MS = 1e6;

const delays = monitorEventLoopDelay({ resolution: LOOK_MS });
delays.enable();
process.on('message', () => {
  process.send?.(Math.max(0, delays.percentile(99) / NS_PER_MS - LOOK_MS));
  process.disconnect();
});
