import { TASK_OUTCOMES } from '../contracts/names.ts';
import { TraceListing } from '../contracts/replies.ts';
import type { TraceRow } from '../contracts/replies.ts';
import { oneLine } from '../platform/text.ts';
import type { Command } from './command.ts';
import { CommandError, EXIT, UsageError } from './exit.ts';
import { createGateway } from './gateway.ts';
import { sinceOf } from './since.ts';
import { moneyOf, tableOf } from './words.ts';

const STATUSES = ['running', ...TASK_OUTCOMES];
const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 10_000;
/** Rows asked for at once. */
const PAGE = 100;

const rowOf = (row: TraceRow): string[] => [
  row.trace_id,
  row.started_at.slice(0, 19).replace('T', ' '),
  row.status,
  row.jobs.map(({ agent }) => agent).join('+') || '-',
  row.status === 'running' ? '-' : moneyOf(row.cost_usd, false),
  oneLine(row.utterance, 60),
];

export const traces: Command = {
  usage: 'traces [--status S] [--agent A] [--since T] [--limit N] [--json]',
  summary: 'List tasks, newest first.   (dual traces import: trace files into SQLite)',
  help: `  --status S  ${STATUSES.join(', ')}
  --agent A   only tasks with a job of that agent
  --since T   2026-11-25, 2026-11-25T10:00:00Z, or how long ago: 90m, 2h, 3d
  --limit N   at most so many; default ${DEFAULT_LIMIT}
  --json      {"traces": […], "next": cursor or null} as one JSON object`,
  options: {
    status: { type: 'string' },
    agent: { type: 'string' },
    since: { type: 'string' },
    limit: { type: 'string' },
    json: { type: 'boolean' },
  },
  words: [0, 0],
  run: async (args, context) => {
    const status = args.value('status');
    if (status !== undefined && !STATUSES.includes(status))
      throw new UsageError(`--status: one of ${STATUSES.join(', ')}`);
    const limit = Number(args.value('limit') ?? DEFAULT_LIMIT);
    if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT)
      throw new UsageError(`--limit: a whole number from 1 to ${MAX_LIMIT}`);
    const query = new URLSearchParams();
    if (status !== undefined) query.set('status', status);
    const agent = args.value('agent');
    if (agent !== undefined) query.set('agent', agent);
    const since = args.value('since');
    if (since !== undefined) query.set('since', sinceOf(since, Date.now()));

    const gateway = createGateway(context);
    const rows: TraceRow[] = [];
    let next: string | null = null;
    do {
      query.set('limit', String(Math.min(PAGE, limit - rows.length)));
      if (next !== null) query.set('cursor', next);
      const page = TraceListing.safeParse(await gateway.get(`/traces?${query.toString()}`));
      if (!page.success)
        throw new CommandError(EXIT.failed, 'the gateway gave an answer that this version does not know');
      rows.push(...page.data.traces);
      next = page.data.next;
    } while (next !== null && rows.length < limit);

    if (args.flag('json')) context.out(JSON.stringify({ traces: rows, next }));
    else if (rows.length === 0) context.out('no tasks');
    else context.out(tableOf([['TRACE', 'STARTED (UTC)', 'STATUS', 'AGENTS', 'COST', 'SAID'], ...rows.map(rowOf)]));
    return EXIT.succeeded;
  },
};
