import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { Client, Connection } from '@temporalio/client';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { QUEUES, voiceTaskId, WORKFLOWS } from '../../contracts/names.ts';

/**
 * The least that can be done with a transcript: parse the JSON, start the same workflow with the same options, answer
 * 202. No routing, no plans, no token. Started by the benchmarks; `BODY` is the workflow input to send.
 */
const connection = await Connection.connect({ address: process.env['TEMPORAL_ADDRESS'] ?? '127.0.0.1:7233' });
const client = new Client({ connection });
const input = JSON.parse(process.env['BODY'] ?? '{}') as Record<string, unknown>;
/** What the gateway's memo holds of each job. */
const briefs = (input['jobs'] as Record<string, unknown>[]).map(
  ({ job_id, agent, skill, instruction, depends_on }) => ({
    job_id,
    agent,
    skill,
    instruction,
    depends_on,
  }),
);
const traceIdKey = defineSearchAttributeKey('TraceId', SearchAttributeType.KEYWORD);
const utteranceKey = defineSearchAttributeKey('Utterance', SearchAttributeType.KEYWORD);

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { text } = JSON.parse(Buffer.concat(chunks).toString()) as { text: string };
    const traceId = randomBytes(16).toString('hex');
    void client.workflow
      .start(WORKFLOWS.voiceTask, {
        workflowId: voiceTaskId(traceId),
        taskQueue: QUEUES.workflows,
        args: [{ ...input, trace_id: traceId, utterance: text }],
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        workflowIdConflictPolicy: 'FAIL',
        workflowTaskTimeout: '5s',
        memo: { v: 1, body_hash: traceId, jobs: briefs, plan: traceId },
        typedSearchAttributes: [
          { key: traceIdKey, value: traceId },
          { key: utteranceKey, value: text },
        ],
        staticSummary: text,
        staticDetails: text,
      })
      .then(
        () =>
          response
            .writeHead(202, { 'content-type': 'application/json' })
            .end(JSON.stringify({ status: 'accepted', trace_id: traceId })),
        () => response.writeHead(503).end(),
      );
  });
});
process.on('SIGTERM', () => process.exit(0));
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  process.stdout.write(`${JSON.stringify({ listening: `http://127.0.0.1:${port}` })}\n`);
});
