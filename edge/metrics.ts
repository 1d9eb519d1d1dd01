import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import { createMetrics } from '../platform/metrics.ts';
import type { Metrics } from '../platform/metrics.ts';

/** Labels of `dual_edge_frames_total`; captured = sent + silent + lost, muted ones are not captured. */
export const FRAME_KINDS = ['captured', 'sent', 'silent', 'lost', 'muted'] as const;
export type FrameKind = (typeof FRAME_KINDS)[number];
/** Whom the edge may have to reach anew. */
export type Peer = 'recogniser' | 'gateway' | 'microphone';

/** What the edge counts, besides what every process does. */
export interface EdgeMetrics extends Metrics {
  frames: Counter<'kind'>;
  onsetToFirstPartialSeconds: Histogram;
  /** Transcripts not delivered yet. */
  forwardQueue: Gauge<'kind'>;
  reconnects: Counter<'peer'>;
}

/** Milliseconds between two looks at the event loop; what it measures has them in it. */
const LOOK_MS = 5;
const NS_PER_MS = 1e6;

/** How late the event loop was, by share of the looks, since the process began; and what else the process takes. */
const watchLoop = (registers: Registry[]): void => {
  const delays = monitorEventLoopDelay({ resolution: LOOK_MS });
  delays.enable();
  new Gauge({
    name: 'dual_edge_event_loop_delay_seconds',
    help: 'How late the event loop was.',
    labelNames: ['quantile'] as const,
    registers,
    collect() {
      for (const quantile of [50, 99, 100])
        this.set(
          { quantile: String(quantile / 100) },
          Math.max(0, delays.percentile(quantile) / NS_PER_MS - LOOK_MS) / 1_000,
        );
    },
  });
  new Gauge({
    name: 'dual_edge_cpu_seconds',
    help: 'CPU time of this process and its threads.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.set((user + system) / 1e6);
    },
  });
  new Gauge({
    name: 'dual_edge_resident_bytes',
    help: 'Memory this process holds.',
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
};

export const createEdgeMetrics = (version: string): EdgeMetrics => {
  const metrics = createMetrics('edge', version);
  const registers = [metrics.registry];
  watchLoop(registers);
  const frames = new Counter({
    name: 'dual_edge_frames_total',
    help: 'Frames of 20 ms, by what became of them.',
    labelNames: ['kind'] as const,
    registers,
  });
  for (const kind of FRAME_KINDS) frames.inc({ kind }, 0);
  const reconnects = new Counter({
    name: 'dual_edge_reconnects_total',
    help: 'Times a peer had to be reached anew.',
    labelNames: ['peer'] as const,
    registers,
  });
  for (const peer of ['recogniser', 'gateway', 'microphone'] satisfies Peer[]) reconnects.inc({ peer }, 0);
  return {
    ...metrics,
    frames,
    reconnects,
    onsetToFirstPartialSeconds: new Histogram({
      name: 'dual_edge_onset_to_first_partial_seconds',
      help: 'From the onset of speech to the first text.',
      buckets: [0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2, 5],
      registers,
    }),
    forwardQueue: new Gauge({
      name: 'dual_edge_forward_queue',
      help: 'Transcripts that wait for the gateway.',
      labelNames: ['kind'] as const,
      registers,
    }),
  };
};
