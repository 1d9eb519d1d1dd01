import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { ProblemError } from '../problems.ts';

/** Larger ones are answered 413. */
export const MAX_BODY_BYTES = 64 * 1024;

const JSON_TYPE = /^application\/json *(;.*)?$/i;

const tooLarge = (): ProblemError => new ProblemError('too-large', `at most ${MAX_BODY_BYTES} bytes`);

const malformed = (): ProblemError => new ProblemError('bad-request', 'the body is not valid JSON in UTF-8');

const readBytes = (request: IncomingMessage): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const onCut = (): void => reject(new ProblemError('bad-request', 'the body was cut off'));
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_BODY_BYTES) chunks.push(chunk);
      else if (size - chunk.length <= MAX_BODY_BYTES) reject(tooLarge());
    });
    request.once('end', () => {
      request.off('error', onCut).off('close', onCut);
      resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks));
    });
    request.once('error', onCut).once('close', onCut);
  });

/**
 * The body of a request as JSON; undefined when there is none. Only application/json is read at all: a form or plain
 * text is what another web page could send without being asked.
 * @throws ProblemError too-large, not-json, bad-request
 */
export const readJson = async (request: IncomingMessage): Promise<unknown> => {
  const declared = request.headers['content-length'];
  const chunked = request.headers['transfer-encoding'] !== undefined;
  const type = request.headers['content-type'];
  if (!chunked && (declared === undefined || declared === '0') && type === undefined) return undefined;
  if (type === undefined || !JSON_TYPE.test(type) || request.headers['content-encoding'] !== undefined)
    throw new ProblemError('not-json', 'send Content-Type: application/json, not encoded');
  if (Number(declared ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  const bytes = await readBytes(request);
  if (bytes.length === 0) return undefined;
  if (!isUtf8(bytes)) throw malformed();
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) throw malformed();
    throw error;
  }
};
