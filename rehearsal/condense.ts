/** One job as the material tells of it. Money in US dollars; null: not said. */
export interface ToldJob {
  id: string;
  agent: string;
  status: string;
  instruction: string;
  error: string | null;
  report: string;
  turns: number | null;
  costUsd: number | null;
  rehearsal: boolean;
}

export interface ToldTask {
  utterance: string;
  status: string;
  costUsd: number | null;
  jobs: ToldJob[];
}

const money = (text: string | undefined): number | null => {
  const found = /\$([\d.]+)/.exec(text ?? '');
  return found ? Number(found[1]) : null;
};

const JOB = /^- (\S+) (\S+) (\w+)( \(rehearsal\))?, (\d+) turns?, ([^:]+): (.*)$/;

/** Tasks as the gateway lists them ("## <trace>, <time>" / `"utterance": status, cost` / one line a job). */
export const readTasks = (context: string): ToldTask[] =>
  context
    .split(/^## /m)
    .slice(1)
    .flatMap((part) => {
      const lines = part.split('\n');
      const head = /^"(.*)": (\w+)(?:, (.*))?$/.exec(lines[1] ?? '');
      if (!head) return [];
      const jobs: ToldJob[] = [];
      for (const line of lines.slice(2)) {
        const job = JOB.exec(line);
        const last = jobs.at(-1);
        if (job)
          jobs.push({
            id: job[1] ?? '',
            agent: job[2] ?? '',
            status: job[3] ?? '',
            rehearsal: job[4] !== undefined,
            turns: Number(job[5]),
            costUsd: money(job[6]),
            instruction: job[7] ?? '',
            error: null,
            report: '',
          });
        else if (last && line.startsWith('  error: ')) last.error = line.slice('  error: '.length);
        else if (last && line.startsWith('  report: ')) last.report = line.slice('  report: '.length);
      }
      return [{ utterance: head[1] ?? '', status: head[2] ?? '', costUsd: money(head[3]), jobs }];
    });

/** Jobs of the same task that ran before this one (`<job id=… agent=… status=…>`). */
export const readEarlierJobs = (text: string): ToldJob[] =>
  [...text.matchAll(/<job\s+id="([^"]*)"\s+agent="([^"]*)"\s+status="([^"]*)">([^]*?)<\/job>/g)].map(
    ([, id = '', agent = '', status = '', body = '']) => {
      const report = /<report>([^]*?)<\/report>/.exec(body)?.[1];
      return {
        id,
        agent,
        status,
        instruction: '',
        error: null,
        report: (report ?? body).trim(),
        turns: null,
        costUsd: null,
        rehearsal: body.includes('(rehearsal)'),
      };
    },
  );

const STOP_WORDS = new Set(
  'the a an and or of to in on at for with is are was were be been it its this that these those as by from not no but has have had will would can could i you we they he she'.split(
    ' ',
  ),
);
const wordsIn = (text: string): string[] =>
  (text.toLowerCase().match(/[\p{L}\d]{3,}/gu) ?? []).filter((word) => !STOP_WORDS.has(word));

/**
 * The sentences that hold most of a text's frequent words, in their own order; what a chosen one says counts less for
 * the next, so that repetition does not crowd out the rest. A text of few sentences stays whole.
 */
export const keySentences = (text: string, count: number): string[] => {
  const sentences = text
    .split(/(?<=[.!?])\s+|\n+/)
    .map((sentence) => sentence.trim())
    .filter(Boolean);
  if (sentences.length <= count) return sentences;
  const worth = new Map<string, number>();
  for (const word of wordsIn(text)) worth.set(word, (worth.get(word) ?? 0) + 1);
  const words = sentences.map((sentence) => [...new Set(wordsIn(sentence))]);
  const weigh = (at: number): number =>
    (words[at] ?? []).reduce((sum, word) => sum + (worth.get(word) ?? 0), 0) / Math.sqrt((words[at]?.length ?? 0) + 1);
  const left = new Set(sentences.keys());
  const chosen = new Set<number>();
  while (chosen.size < count) {
    const best = [...left].reduce((a, b) => (weigh(b) > weigh(a) ? b : a));
    left.delete(best);
    chosen.add(best);
    for (const word of words[best] ?? []) worth.set(word, (worth.get(word) ?? 0) / 4);
  }
  return sentences.filter((_, at) => chosen.has(at));
};
