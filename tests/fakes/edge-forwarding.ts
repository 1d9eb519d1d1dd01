import { createGatewayHttp } from '../../edge/adapters/gateway-http.ts';
import { createGatewaySocket } from '../../edge/adapters/gateway-socket.ts';
import { createForwarder } from '../../edge/forward-transcripts.ts';
import { createSpoolDisk } from '../../edge/spool-disk.ts';
import { createTakeName } from '../../edge/spool-owner.ts';
import { openSpool } from '../../edge/spool.ts';
import { createLog } from '../../platform/log.ts';

// An edge without ears, as a process of its own that a test may kill: it forwards what it is told to.
// Usage: node tests/fakes/edge-forwarding.ts DIR URL SESSION COUNT
const [dir = '', url = '', sessionId = '', count = '0'] = process.argv.slice(2);

const tell = (about: Record<string, unknown>): void => void process.stdout.write(`${JSON.stringify(about)}\n`);
const log = createLog('edge-forwarding', (text) => text, 'warn');
const token = (): string => 'edge-token';

const spool = await openSpool({
  dir,
  disk: createSpoolDisk(),
  takeName: createTakeName(),
  problem: (problem) => tell({ problem }),
  log,
});
const forwarder = createForwarder({
  sessionId,
  spool,
  openSocket: createGatewaySocket({ url, token }),
  calls: createGatewayHttp({ url, token }),
  log,
  events: {
    spooled: (spooled) => tell({ spooled }),
    acked: (acked) => tell({ acked }),
    refused: (refused, problem) => tell({ refused, problem }),
    task: ({ event_id: task }) => tell({ task }),
    state: (state, problem) => tell({ state, problem }),
  },
});
tell({ listening: true });
for (let sequence = 1; sequence <= Number(count); sequence++)
  await forwarder.final({
    utteranceId: `${sessionId}-u-${sequence}`,
    sequence,
    text: `sentence ${sequence} of ${sessionId}`,
    saidAt: new Date().toISOString(),
    latencyMs: 100,
  });
process.on('SIGTERM', () => {
  void forwarder.close().then(() => process.exit(0));
});
setInterval(() => undefined, 60_000);
