/** One event of a server-sent-events stream; `id` is the last id said so far, null before the first. */
export interface ServerEvent {
  id: string | null;
  event: string;
  data: string;
}

/** Characters of one event that are kept; a longer one is not ours, and is dropped. */
const MAX_EVENT_CHARS = 4 * 1024 * 1024;

/**
 * Reads a stream of server-sent events as the standard says: lines end with LF, CR or CRLF, comments and unknown
 * fields are skipped, an event without data is none, and one that the end of the stream cuts off is not given out.
 */
export const readServerEvents = async function* (body: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  let rest = '';
  let id: string | null = null;
  let event = '';
  let data: string[] = [];
  let size = 0;
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    for (;;) {
      const end = rest.search(/[\r\n]/);
      // A CR at the very end may be half of a CRLF.
      if (end < 0 || (rest[end] === '\r' && end === rest.length - 1)) break;
      const line = rest.slice(0, end);
      rest = rest.slice(end + (rest.startsWith('\r\n', end) ? 2 : 1));
      if (line === '') {
        if (data.length > 0 && size <= MAX_EVENT_CHARS) yield { id, event: event || 'message', data: data.join('\n') };
        [event, data, size] = ['', [], 0];
        continue;
      }
      const colon = line.indexOf(':');
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
      if (field === 'id' && !value.includes('\0')) id = value;
      else if (field === 'event') event = value;
      else if (field === 'data') {
        size += value.length + 1;
        if (size <= MAX_EVENT_CHARS) data.push(value);
      }
    }
    if (rest.length > MAX_EVENT_CHARS) {
      size = MAX_EVENT_CHARS + 1;
      rest = '';
    }
  }
};
