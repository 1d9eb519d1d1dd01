import type { IncomingMessage, ServerResponse } from 'node:http';
import { finished } from 'node:stream/promises';
import { messageOf } from '../platform/errors.ts';
import { RequestProblem } from './conversation.ts';

/** Anthropic's own limit on a request body. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** @throws RequestProblem 413; the rest of a body that is too long is read and dropped, so that the answer arrives. */
export const readBody = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  if (bytes > MAX_BODY_BYTES) throw new RequestProblem(413, null, 'Request exceeds the maximum size');
  return Buffer.concat(chunks).toString('utf8');
};

/** @throws RequestProblem 400 */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new RequestProblem(400, null, `The request body is not valid JSON: ${messageOf(error)}`);
  }
};

export const sendJson = (
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void => {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
};

/** Sends an answer piece by piece; resolves when all of it has left this process. @throws when the client went before. */
export const sendPieces = async (
  response: ServerResponse,
  headers: Record<string, string>,
  pieces: readonly string[],
): Promise<void> => {
  response.writeHead(200, headers);
  for (const piece of pieces) response.write(piece);
  response.end();
  await finished(response, { readable: false });
};

/** Sends half of an answer and destroys the socket. */
export const sendHalf = async (
  response: ServerResponse,
  headers: Record<string, string>,
  pieces: readonly string[],
): Promise<void> => {
  const whole = pieces.join('');
  response.writeHead(200, headers);
  await new Promise((resolve) => response.write(whole.slice(0, Math.floor(whole.length / 2)), resolve));
  response.destroy();
};
