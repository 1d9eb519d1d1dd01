import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';

/** A worker for the baseline workflows, with activities that do nothing. Started by the benchmarks. */
const connection = await NativeConnection.connect({ address: process.env['TEMPORAL_ADDRESS'] ?? '127.0.0.1:7233' });
const worker = await Worker.create({
  connection,
  taskQueue: 'bench-baseline',
  workflowsPath: fileURLToPath(new URL('./workflows.ts', import.meta.url)),
  activities: { work: async (input: string) => input, record: async () => undefined },
});
process.on('SIGTERM', () => worker.shutdown());
process.stdout.write(`${JSON.stringify({ ready: true })}\n`);
await worker.run();
await connection.close();
