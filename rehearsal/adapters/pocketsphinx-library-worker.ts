import { parentPort, workerData } from 'node:worker_threads';
import koffi from 'koffi';

/** What the thread is started with. */
export interface LibraryStart {
  library: string;
  base: string;
  acousticFolder: string;
  lmFile: string;
  dictionaryFile: string;
}
export type LibraryTask = { begin: true } | { sound: Int16Array } | { finish: true };
export type LibraryReply = { ready: true } | { heard: string } | { finished: string } | { failed: string };

/** Samples between two looks at the hypothesis: 100 ms. At 60, two looks agreed on wrong words more often. Looking costs a tenth of a millisecond. */
const LOOK_SAMPLES = 1_600;

const tell = (reply: LibraryReply): void => parentPort?.postMessage(reply);

const openDecoder = (start: LibraryStart) => {
  const base = koffi.load(start.base);
  const library = koffi.load(start.library);
  // Its messages go to standard error, which is ours.
  base.func('void err_set_logfp(void *)')(null);
  const parse = base.func('void *cmd_ln_parse_r(void *, void *, int, const char **, int)');
  const definitions = library.func('void *ps_args()');
  const init = library.func('void *ps_init(void *)');
  const args = ['-hmm', start.acousticFolder, '-lm', start.lmFile, '-dict', start.dictionaryFile, '-fwdflat', 'no'];
  const decoder: unknown = init(parse(null, definitions(), args.length, args, 1));
  if (!decoder) throw new Error('PocketSphinx does not take its models');
  const begin = library.func('int ps_start_utt(void *)');
  const sound = library.func('int ps_process_raw(void *, const int16_t *, size_t, int, int)');
  const end = library.func('int ps_end_utt(void *)');
  const hypothesis = library.func('const char *ps_get_hyp(void *, void *)');
  return {
    begin: () => void begin(decoder),
    sound: (samples: Int16Array) => void sound(decoder, samples, samples.length, 0, 0),
    end: () => void end(decoder),
    text: (): string => (hypothesis(decoder, null) as string | null) ?? '',
  };
};

try {
  const decoder = openDecoder(workerData as LibraryStart);
  let isOpen = false;
  let unseen = 0;
  parentPort?.on('message', (task: LibraryTask) => {
    if ('begin' in task) {
      if (isOpen) decoder.end();
      decoder.begin();
      [isOpen, unseen] = [true, 0];
    } else if ('finish' in task) {
      if (isOpen) decoder.end();
      isOpen = false;
      tell({ finished: decoder.text() });
    } else if (isOpen) {
      decoder.sound(task.sound);
      unseen += task.sound.length;
      if (unseen < LOOK_SAMPLES) return;
      unseen = 0;
      tell({ heard: decoder.text() });
    }
  });
  tell({ ready: true });
} catch (error) {
  tell({ failed: error instanceof Error ? error.message : String(error) });
}
