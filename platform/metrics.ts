import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Prefix of every metric of ours. */
const PREFIX = 'dual_orchestrator_';

/** One process's metrics. Labels come from closed lists only, never an id. */
export interface Metrics {
  registry: Registry;
  traceEvents: Counter<'phase'>;
  traceWriteSeconds: Histogram;
  traceEventsDropped: Counter;
  jobDurationSeconds: Histogram<'agent' | 'outcome'>;
  tokens: Counter<'agent' | 'model' | 'type'>;
  costUsd: Counter<'agent' | 'model'>;
  routerDecisions: Counter<'decision'>;
  routerSeconds: Histogram;
  transcripts: Counter<'kind'>;
  jobsInFlight: Gauge<'agent'>;
}

/** A registry of its own per call, so that tests and processes never share counters. */
export const createMetrics = (process_: string, version: string): Metrics => {
  const registry = new Registry();
  const registers = [registry];
  const of = (name: string, help: string): { name: string; help: string; registers: Registry[] } => ({
    name: PREFIX + name,
    help,
    registers,
  });
  new Gauge({ ...of('build_info', 'Always 1; what is running.'), labelNames: ['process', 'version'] as const }).set(
    { process: process_, version },
    1,
  );
  return {
    registry,
    traceEvents: new Counter({
      ...of('trace_events_total', 'Trace events written, by phase.'),
      labelNames: ['phase'] as const,
    }),
    traceWriteSeconds: new Histogram({
      ...of('trace_write_seconds', 'Time to write one trace event.'),
      buckets: [0.00001, 0.0001, 0.001, 0.01, 0.1, 1],
    }),
    traceEventsDropped: new Counter(of('trace_events_dropped_total', 'Trace events that could not be written.')),
    jobDurationSeconds: new Histogram({
      ...of('job_duration_seconds', 'From the start of a job to its end.'),
      labelNames: ['agent', 'outcome'] as const,
      buckets: [0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600],
    }),
    tokens: new Counter({ ...of('tokens_total', 'Tokens bought.'), labelNames: ['agent', 'model', 'type'] as const }),
    costUsd: new Counter({
      ...of('cost_usd_total', 'Money spent, in US dollars, where the price is known.'),
      labelNames: ['agent', 'model'] as const,
    }),
    routerDecisions: new Counter({
      ...of('router_decisions_total', 'What routing decided.'),
      labelNames: ['decision'] as const,
    }),
    routerSeconds: new Histogram({
      ...of('router_seconds', 'Time to route one transcript.'),
      buckets: [0.0001, 0.001, 0.01, 0.1, 1],
    }),
    transcripts: new Counter({ ...of('transcripts_total', 'Transcripts received.'), labelNames: ['kind'] as const }),
    jobsInFlight: new Gauge({ ...of('jobs_in_flight', 'Jobs that are running now.'), labelNames: ['agent'] as const }),
  };
};
